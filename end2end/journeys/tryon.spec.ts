// The other recipe: one still of the garment worn, and a clip of it.

import { freshProduct, generateButton, stage } from "../desk";
import { expect, openDesk, test } from "../lookreel";

test("a try-on video is chosen, has its own price, and is made from one still", async ({ page, words }) => {
  const product = await freshProduct(page);
  await openDesk(page, product.path);
  const button = generateButton(page, words);
  const price = async () => (await button.innerText()).match(/\$\d+\.\d\d/)?.[0];
  const before = await price();
  const [usual, tryon] = [page.getByText(words("options.product_video_hint")), page.getByText(words("options.tryon_video_hint"))];
  await expect(usual).toBeVisible();
  await expect(tryon).toBeHidden();

  await page.locator("label", { hasText: words("options.tryon_video") }).click();

  await expect(tryon).toBeVisible();
  await expect(usual).toBeHidden();
  await expect.poll(price, "the price follows the recipe").not.toBe(before);
  await expect(button).toBeEnabled();
  await button.click();

  const pictures = page.getByTestId("pictures");
  await expect(stage(page, "stills")).toContainText(words("one_still.word"));
  await expect(pictures.locator("figure")).toHaveCount(3);
  await expect(pictures.locator("figcaption b").nth(1)).toHaveText(words("one_still.word"));
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  await expect(pictures.getByTestId("published")).toBeVisible();
  await expect(pictures.locator("figure")).toHaveCount(3);
});
