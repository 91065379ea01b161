// One video by itself: another poster, and exports in the shape of other places. These pages need no scripts.

import { freshProduct, productWithVideo, stage, startGeneration } from "../desk";
import { expect, openDesk, test } from "../lookreel";

test("a poster is chosen from the clip, and shoppers see it", async ({ page, words }) => {
  // One of its own: a video of a try-on image has other colours to be held against.
  await startGeneration(page, words, await freshProduct(page));
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  const shop = await page.getByRole("link", { name: words("product.shop") }).getAttribute("href");
  await page.getByRole("link", { name: words("video.link") }).click();
  await expect(page).toHaveURL(/\/admin\/videos\/[0-9a-f-]{36}$/);
  await expect(page.getByTestId("colours").locator(".fact")).toHaveCount(3);

  const moments = page.locator(".moment");
  await expect(moments).toHaveCount(8);
  const shown = await moments.nth(3).locator("img").evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0);
  expect(shown, "the moments are pictures").toBe(true);
  const chosen = await moments.nth(3).getAttribute("value");
  await moments.nth(3).click();
  await expect(page.getByTestId("poster")).toHaveAttribute("src", /thumb-[0-9a-f-]{36}-\d+\.webp$/, { timeout: 30_000 });
  const poster = (await page.getByTestId("poster").getAttribute("src"))!;
  await expect(page.locator(".moment[aria-pressed=true]")).toHaveAttribute("value", chosen!);

  await page.goto(shop ?? "");
  await expect(page.locator("video").first()).toHaveAttribute("poster", poster);
});

test("an export is made in another shape, downloaded and played", async ({ page, words }) => {
  const { desk } = await productWithVideo(page, words);
  await openDesk(page, desk);
  await page.getByRole("link", { name: words("video.link") }).click();
  const exports = page.getByTestId("exports");
  await exports.locator("label", { hasText: "16:9" }).click();
  await exports.locator("label", { hasText: words("video.blur") }).click();
  await exports.getByRole("button", { name: words("video.make") }).click();
  // What is typed while the export is made is not thrown away.
  await exports.locator("label", { hasText: "9:16" }).click();
  await exports.getByLabel(words("video.focus_x")).fill("77");
  const line = exports.locator("tbody tr").filter({ hasText: "16:9" });
  const link = line.getByRole("link", { name: words("video.download") });
  await expect(link).toBeVisible({ timeout: 60_000 });
  await expect(exports.getByLabel(words("video.focus_x"))).toHaveValue("77");
  await expect(line).toContainText(/\d{3,4} × \d{3,4}/);

  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe("16x9.mp4");
  const url = await link.getAttribute("href");
  const played = await page.evaluate(async (source) => {
    const video = Object.assign(document.createElement("video"), { muted: true, src: source });
    await video.play();
    return [video.videoWidth, video.videoHeight];
  }, url!);
  expect(played[0] / played[1]).toBeCloseTo(16 / 9, 1);
});
