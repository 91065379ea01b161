import { expect, expectAccessible, test } from "../lookreel";

test("a shopper sees the catalogue", async ({ page }) => {
  const response = await page.goto("/products");

  expect(response?.status()).toBe(200);
  await expect(page.getByRole("main")).toBeVisible();
  await expectAccessible(page);
});
