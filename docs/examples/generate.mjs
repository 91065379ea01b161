// LOOKREEL_URL, LOOKREEL_TOKEN, PRODUCT_ID and PICTURE are set. Node 20 or newer.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

const { LOOKREEL_URL, LOOKREEL_TOKEN, PRODUCT_ID, PICTURE } = process.env;

async function api(path, { headers, ...request } = {}) {
  const answer = await fetch(LOOKREEL_URL + path, {
    ...request,
    headers: { Authorization: `Bearer ${LOOKREEL_TOKEN}`, ...headers },
  });
  const body = await answer.json();
  // A problem document: `code` is for programs, `detail` for people.
  if (!answer.ok) throw new Error(`${body.code}: ${body.detail} ${JSON.stringify(body.errors ?? [])}`);
  return body;
}

const form = new FormData();
form.set("productId", PRODUCT_ID);
form.set("image", new Blob([await readFile(PICTURE)]), "worn.png");
const { tryonImageId } = await api("/api/video/tryon-images", { method: "POST", body: form });

const { jobId } = await api("/api/video/generate", {
  method: "POST",
  headers: { "Content-Type": "application/json", "Idempotency-Key": randomUUID() },
  body: JSON.stringify({ tryonImageId, settings: { duration: 3 } }),
});

let job;
do {
  await new Promise((wait) => setTimeout(wait, 1000));
  job = await api(`/api/video/status/${jobId}`);
} while (!["completed", "failed"].includes(job.status));
if (job.status === "failed") throw new Error(`${job.errorCode}: ${job.error}`);
console.log(job.result.urls.mp4);
