// A shop's own code: a token from the desk, a picture of somebody wearing a product, and the video that plays from it.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, expectAccessible, openDesk, test } from "../lookreel";

const files = createRequire(import.meta.url);

// The page of this test feeds players that a shop would bring along.
test.use({ bypassCSP: true });

test("a try-on image that is uploaded through the API becomes a video that plays in every format", async ({ page, words, baseURL }) => {
  test.setTimeout(240_000);
  await openDesk(page, "/admin/products");
  await page.getByTestId("person-menu").click();
  await page.getByRole("link", { name: words("person.tokens") }).click();
  await expect(page).toHaveURL(/\/admin\/tokens$/);
  await page.getByLabel(words("tokens.name")).fill("journey");
  await page.getByRole("button", { name: words("tokens.make") }).click();
  const secret = await page.getByTestId("secret").inputValue();
  expect(secret).toMatch(/^lkr_[\w-]{43}$/);
  await expectAccessible(page, "light");
  await page.goto("/admin/tokens");
  await expect(page.getByTestId("secret")).toBeHidden();
  await expect(page.getByTestId("token")).toHaveCount(1);

  const headers = { Authorization: `Bearer ${secret}` };
  const read = async (path: string) => {
    const answer = await page.request.get(path, { headers });
    expect(answer.status(), await answer.text()).toBe(200);
    return answer.json();
  };
  const product = (await read("/api/admin/products?limit=1")).items[0];
  const picture = await page.request.get(product.photos[0].url);
  const stored = await page.request.post("/api/video/tryon-images", {
    headers,
    multipart: { productId: product.productId, image: { name: "worn.jpg", mimeType: "image/jpeg", buffer: await picture.body() } },
  });
  expect(stored.status(), await stored.text()).toBe(201);
  const { tryonImageId } = await stored.json();
  const taken = await page.request.post("/api/video/generate", {
    headers: { ...headers, "Idempotency-Key": randomUUID() },
    data: { tryonImageId, settings: { duration: 3, format: "webm", enableHLS: true, enableBranding: true } },
  });
  expect(taken.status(), await taken.text()).toBe(202);
  const { jobId } = await taken.json();
  const status = () => read(`/api/video/status/${jobId}`);
  await expect.poll(async () => (await status()).status, { timeout: 120_000, intervals: [500] }).toBe("completed");
  const { urls } = (await status()).result;

  await page.goto(`${baseURL}/products`);
  const watch = (start: string) => page.evaluate(`new Promise((done, failed) => {
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    document.body.append(video);
    let frames = 0;
    const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
    video.requestVideoFrameCallback(count);
    video.onended = () => done({ frames, height: video.videoHeight, seconds: video.duration });
    video.onerror = () => failed(new Error("it does not play: " + video.error?.message));
    setTimeout(() => failed(new Error("it does not end, at " + video.currentTime)), 30000);
    (async () => { ${start}; await video.play(); })().catch(failed);
  })`) as Promise<{ frames: number; height: number; seconds: number }>;
  await page.evaluate(readFileSync(files.resolve("hls.js/dist/hls.light.min.js"), "utf8"));
  const starts = [
    `video.src = ${JSON.stringify(urls.mp4)}`,
    `video.src = ${JSON.stringify(urls.webm)}`,
    `const hls = new Hls(); hls.loadSource(${JSON.stringify(urls.hls)}); hls.attachMedia(video); await new Promise((is) => hls.on(Hls.Events.MANIFEST_PARSED, is))`,
  ];
  for (const start of starts) {
    const seen = await watch(start);
    expect(seen.frames, start).toBeGreaterThan(20);
    expect(seen.height, start).toBeGreaterThanOrEqual(720);
    expect(Math.abs(seen.seconds - 3), start).toBeLessThan(0.2);
  }
  const poster = await page.evaluate(async (url) => {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return image.naturalHeight;
  }, urls.thumbnail);
  expect(poster).toBeGreaterThan(500);

  await page.goto("/api/docs");
  await expect(page.getByRole("heading", { name: "Lookreel API" })).toBeVisible();
  await expectAccessible(page, "light");
});
