// Google's JavaScript client against a simulator: `node genai.mjs URL FOLDER`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [url, folder] = process.argv.slice(2);
const base = url.replace(/\/$/, "");
const { GoogleGenAI, ApiError } = createRequire(`${folder}/`)("@google/genai");

const MODEL = "gemini-nano-banana-2.1";
const photo = Buffer.from(await (await fetch(process.env.PHOTO_URL)).arrayBuffer()).toString("base64");

const client = (apiKey, apiVersion) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base, apiVersion } });
const ask = (ai, text = "A woman wears this. Pose A.", more = {}) =>
  ai.models.generateContent({
    model: MODEL,
    contents: [{ role: "user", parts: [{ text }, { inlineData: { mimeType: "image/png", data: photo } }] }],
    config: { responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "3:4", imageSize: "1K" }, ...more },
  });
const fault = async (rule) => {
  const body = JSON.stringify({ model: MODEL, ...rule });
  assert.equal((await fetch(`${base}/faults`, { method: "POST", body })).status, 204);
};

for (const version of [undefined, "v1", "v1beta"]) {
  const answer = await ask(client("right", version));
  const [candidate] = answer.candidates;
  assert.equal(candidate.finishReason, "STOP");
  const picture = candidate.content.parts.find((part) => part.inlineData).inlineData;
  assert.equal(picture.mimeType, "image/jpeg");
  assert.deepEqual([...Buffer.from(picture.data, "base64").subarray(0, 2)], [0xff, 0xd8]);
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = answer.usageMetadata;
  assert.ok(promptTokenCount > 1000 && candidatesTokenCount > 1000 && totalTokenCount > 2000);
  assert.equal(answer.modelVersion, MODEL);
}

await fault({ fault: "moderation" });
assert.equal((await ask(client("right"))).candidates[0].finishReason, "IMAGE_SAFETY");
await fault({ fault: "moderation", as: "prompt_feedback" });
assert.equal((await ask(client("right"))).promptFeedback.blockReason, "PROHIBITED_CONTENT");
await fault({ fault: "moderation", as: "text_only" });
assert.ok((await ask(client("right"))).text.length > 10);

const refused = await ask(client("wrong")).catch((error) => error);
assert.ok(refused instanceof ApiError);
assert.equal(refused.status, 400);
assert.match(refused.message, /API_KEY_INVALID/);
await fault({ fault: "status", status: 429 });
const busy = await ask(client("right")).catch((error) => error);
assert.equal(busy.status, 429);
assert.match(busy.message, /QuotaFailure/);
const small = await ask(client("right"), "Pose A", { imageConfig: { imageSize: "512" } }).catch((error) => error);
assert.equal(small.status, 400);

const models = await client("right").models.get({ model: MODEL });
assert.equal(models.name, `models/${MODEL}`);
console.log("Google's JavaScript client is satisfied");
