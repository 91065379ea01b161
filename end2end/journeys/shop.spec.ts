import { isPlaying } from "../clip";
import { productWithVideo } from "../desk";
import { expect, test } from "../lookreel";

test("who asked for calm sees the poster until they tap", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const media: string[] = [];
  page.on("request", (request) => request.resourceType() === "media" && media.push(request.url()));

  await page.goto(shop, { waitUntil: "networkidle" });

  const video = page.locator("[data-player] video");
  await expect(page.getByRole("button", { name: words("shop.play") })).toBeVisible();
  expect(await isPlaying(video)).toBe(false);
  expect(media, "nothing of the clip was loaded").toEqual([]);

  await page.getByRole("button", { name: words("shop.play") }).click();
  await expect.poll(() => isPlaying(video)).toBe(true);
  await expect(page.getByRole("button", { name: words("shop.pause") })).toBeVisible();
});

test("in the grid a clip plays while its card is pointed at, and its bytes come in ranges", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("/products");
  const card = page.locator(`a[href="${shop}"]`);
  const clip = card.locator("video");
  expect(await isPlaying(clip)).toBe(false);

  await card.hover();
  await expect.poll(() => isPlaying(clip)).toBe(true);
  await page.getByRole("heading", { level: 1 }).hover();
  await expect.poll(() => isPlaying(clip)).toBe(false);

  const source = (await clip.locator("source").getAttribute("src")) ?? "";
  const answer = await page.request.get(source, { headers: { range: "bytes=0-99" } });
  expect(answer.status()).toBe(206);
  expect(answer.headers()["content-range"]).toMatch(/^bytes 0-99\//);
  expect((await answer.body()).length).toBe(100);
});
