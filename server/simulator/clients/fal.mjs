// fal's JavaScript client against a simulator: `node fal.mjs URL FOLDER`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [url, folder] = process.argv.slice(2);
const base = url.replace(/\/$/, "");
const { createFalClient, ValidationError, ApiError } = createRequire(`${folder}/`)("@fal-ai/client");

const HOSTS = [
  ["https://queue.fal.run", base],
  ["https://fal.run", `${base}/run`],
  ["https://rest.fal.ai", base],
];
const here = async (request) => {
  const [host, place] = HOSTS.find(([host]) => request.url.startsWith(host)) ?? ["", ""];
  return { ...request, url: place + request.url.slice(host.length) };
};
const fal = createFalClient({ credentials: "key:secret", requestMiddleware: here });

const PIKAFRAMES = "fal-ai/pika/v2.2/pikaframes";
const STABLE_VIDEO = "fal-ai/stable-video";

const bytesOf = async (address) => {
  const answer = await fetch(address);
  assert.equal(answer.status, 200, address);
  return Buffer.from(await answer.arrayBuffer());
};

async function uploads() {
  const photo = new File([await bytesOf(process.env.PHOTO_URL)], "a photo.png", { type: "image/png" });
  const address = await fal.storage.upload(photo, { lifecycle: { expiresIn: "1h" } });
  assert.ok(address.startsWith(`${base}/files/`), address);
  assert.deepEqual(await bytesOf(address), Buffer.from(await photo.arrayBuffer()));

  const large = new Blob([Buffer.alloc(91 * 1024 * 1024, 7)], { type: "application/octet-stream" });
  const stored = await bytesOf(await fal.storage.upload(large));
  assert.equal(stored.length, large.size);
  assert.ok(stored.every((byte) => byte === 7));
  return address;
}

async function queue(photo) {
  const { request_id: requestId, ...accepted } = await fal.queue.submit(PIKAFRAMES, {
    input: { image_urls: [photo, photo], transitions: [{ duration: 1 }], prompt: "a slow turn" },
    storageSettings: { expiresIn: "1d" },
    priority: "low",
    startTimeout: 60,
  });
  assert.equal(accepted.status, "IN_QUEUE");
  assert.equal(typeof accepted.queue_position, "number");
  const status = await fal.queue.status(PIKAFRAMES, { requestId, logs: true });
  assert.ok(["IN_QUEUE", "IN_PROGRESS", "COMPLETED"].includes(status.status));
  const seen = [];
  const stream = await fal.queue.streamStatus(PIKAFRAMES, { requestId, logs: true });
  stream.on("data", (update) => seen.push(update.status));
  const last = await stream.done();
  assert.equal(last.status, "COMPLETED");
  assert.ok(last.logs.length > 0 && seen.includes("COMPLETED"));
  const result = await fal.queue.result(PIKAFRAMES, { requestId });
  assert.equal(result.requestId, requestId);
  const clip = await bytesOf(result.data.video.url);
  assert.equal(clip.toString("latin1", 4, 8), "ftyp");
}

async function subscription(photo) {
  for (const mode of ["polling", "streaming"]) {
    const states = [];
    const { data } = await fal.subscribe(STABLE_VIDEO, {
      input: { image_url: photo, fps: 10, motion_bucket_id: 40, seed: 3 },
      mode,
      pollInterval: 20,
      logs: true,
      onQueueUpdate: (update) => states.push(update.status),
    });
    assert.equal(data.seed, 3);
    assert.equal(data.video.content_type, "video/mp4");
    assert.ok(states.length > 0, mode);
  }
}

async function direct(photo) {
  const { data, requestId } = await fal.run("fal-ai/nano-banana/edit", {
    input: { prompt: "a woman wears this", image_urls: [photo], num_images: 2, output_format: "jpeg" },
  });
  assert.equal(data.images.length, 2);
  assert.ok(requestId && data.images[0].width > 0);
  assert.deepEqual([...(await bytesOf(data.images[1].url)).subarray(0, 2)], [0xff, 0xd8]);
}

async function refusals(photo) {
  const wrong = await fal.run(STABLE_VIDEO, { input: { fps: 5 } }).catch((error) => error);
  assert.ok(wrong instanceof ValidationError);
  assert.equal(wrong.getFieldErrors("image_url")[0].type, "missing");
  assert.equal(wrong.getFieldErrors("fps")[0].type, "greater_than_equal");
  const stranger = createFalClient({ credentials: "not:ours", requestMiddleware: here });
  const locked = await stranger.run(STABLE_VIDEO, { input: { image_url: photo } }).catch((error) => error);
  assert.equal(locked.status, 401);

  const { request_id: requestId } = await fal.queue.submit(STABLE_VIDEO, { input: { image_url: photo } });
  await fal.queue.cancel(STABLE_VIDEO, { requestId });
  const gone = await fal.queue.result(STABLE_VIDEO, { requestId }).catch((error) => error);
  assert.ok(gone instanceof ApiError);
  assert.equal(gone.status, 499);
}

async function throughProxy(photo) {
  const proxied = createFalClient({ credentials: "key:secret", proxyUrl: { url: `${base}/api/fal/proxy`, when: "always" } });
  const { data } = await proxied.run("fal-ai/kling/v1-5/kolors-virtual-try-on", {
    input: { human_image_url: photo, garment_image_url: photo },
  });
  assert.equal(data.image.content_type, "image/png");
}

const photo = await uploads();
await queue(photo);
await subscription(photo);
await direct(photo);
await refusals(photo);
await throughProxy(photo);
console.log("fal's JavaScript client is satisfied");
