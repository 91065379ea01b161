import { freshProduct, generateButton } from "../desk";
import { expect, openDesk, test } from "../lookreel";

test("the keyboard reaches the search, the content and the pages", async ({ page, words }) => {
  await openDesk(page, "/admin/generations");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: words("nav.skip") })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();

  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: words("search.label") })).toBeFocused();
  await page.keyboard.type("g");
  await expect(page.getByRole("searchbox", { name: words("search.label") })).toHaveValue("g");

  await page.locator("#main").focus();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page).toHaveURL(/\/admin\/costs$/);

  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: words("keys.title") })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("the choices come before the button, and Tab ends on it", async ({ page, words }) => {
  await openDesk(page, (await freshProduct(page)).path);
  await expect(generateButton(page, words)).toBeEnabled();
  await page.locator("input[name=model_type]:checked").focus();
  const reached: string[] = [];
  for (let press = 0; press < 7; press += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement?.getAttribute("name") ?? document.activeElement?.tagName ?? ""));
  }
  expect(reached).toEqual(["duration", "resolution", "fps", "format", "hls", "branding", "BUTTON"]);
  await expect(generateButton(page, words)).toBeFocused();
});

test("a choice changes the price in the button", async ({ page, words }) => {
  await openDesk(page, (await freshProduct(page)).path);
  const button = generateButton(page, words);
  const price = async () => Number((await button.innerText()).match(/\$(\d+\.\d\d)/)?.[1]);
  await expect(button).toBeEnabled();
  const before = await price();

  await page.locator("label", { hasText: "1080p" }).click();

  await expect.poll(price).toBeGreaterThan(before);
  await expect(button).toBeEnabled();
});
