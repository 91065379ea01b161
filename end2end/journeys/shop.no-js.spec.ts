import { expect, test } from "../lookreel";

test("a shopper without JavaScript sees the catalogue", async ({ page }) => {
  await page.goto("/products");

  await expect(page.getByRole("main").getByRole("link").first()).toBeVisible();
});
