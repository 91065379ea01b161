import type { Page } from "@playwright/test";
import { expect, hydrated, openDesk, test } from "../lookreel";
import { wordsOf } from "../words";

test("language and theme are chosen in the menu and stay", async ({ page, words, locale }) => {
  const other = locale?.startsWith("ko") ? "en" : "ko";
  const otherWords = wordsOf(other);
  await openDesk(page, "/admin/costs");
  const html = page.locator("html");

  await page.getByTestId("person-menu").click();
  await page.getByRole("button", { name: words("theme.dark") }).click();
  await expect(html).toHaveAttribute("data-theme", "dark");
  await hydrated(page);
  await expect(page).toHaveURL(/\/admin\/costs$/);

  await page.getByTestId("person-menu").click();
  await page.getByRole("button", { name: words(`language.${other}`) }).click();
  await expect(html).toHaveAttribute("lang", other);
  await expect(page.getByRole("heading", { level: 1, name: otherWords("costs.title") })).toBeVisible();
  await expect(page).toHaveURL(/\/admin\/costs$/);

  await page.goto("/products");
  await expect(html).toHaveAttribute("lang", other);
  await expect(html).toHaveAttribute("data-theme", "dark");
  // The browser of this test prefers light.
  expect(await lightness(page), "the shop is dark").toBeLessThan(60);
  await openDesk(page, "/admin/products");
  await page.getByTestId("person-menu").click();
  await page.getByRole("button", { name: otherWords("theme.system") }).click();
  await expect(html).not.toHaveAttribute("data-theme");
  await page.goto("/products");
  expect(await lightness(page), "the shop is light").toBeGreaterThan(200);
});

/** Of the page's ground, 0 to 255. */
function lightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d")!;
    context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[0];
  });
}
