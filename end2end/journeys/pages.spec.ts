// Every page, as a whole: for everybody, in both themes, on a phone.

import type { Page } from "@playwright/test";
import { freshProduct, generateButton, latestGeneration, productWithVideo, startGeneration } from "../desk";
import { expect, expectAccessible, hydrated, openDesk, test } from "../lookreel";
import type { Words } from "../words";

async function everyPage(page: Page, words: Words): Promise<string[]> {
  const { desk, shop } = await productWithVideo(page, words);
  await openDesk(page, desk);
  const generation = await latestGeneration(page, words);
  const video = (await page.getByRole("link", { name: words("video.link") }).getAttribute("href")) ?? "";
  return [
    "/admin/products",
    "/admin/products?q=nothing-is-called-so",
    desk,
    "/admin/generations",
    generation,
    "/admin/queue",
    "/admin/models",
    "/admin/models?model=fal%2Ffal-ai%2Fpika%2Fv2.2%2Fpikaframes",
    "/admin/costs",
    "/admin/storage",
    "/admin/tokens",
    video,
    "/admin/nothing",
    "/products",
    shop,
    "/products/nothing",
    "/nothing",
  ];
}

/** Pages of the desk that are sent without scripts. */
const isPlain = (path: string) => /^\/admin\/(storage|tokens|videos\/)/.test(path);

test.use({ allowedConsoleErrors: [/404/] });

test("everybody can use every page, in light and in dark", async ({ page, words }) => {
  test.setTimeout(150_000);
  const pages = await everyPage(page, words);
  const look = async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expectAccessible(page, colorScheme);
    }
  };
  for (const path of pages) {
    await page.goto(path);
    if (path.startsWith("/admin") && !isPlain(path)) await hydrated(page);
    await look();
  }
  await openDesk(page, "/admin/products");
  for (const menu of ["bell", "person-menu"]) {
    await page.getByTestId(menu).click();
    await look();
  }
  await page.context().clearCookies();
  await page.goto("/admin/sign-in");
  await look();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("nothing is wider than the screen, the menu is a bar below, tables are cards", async ({ page, words }) => {
    for (const path of await everyPage(page, words)) {
      await page.goto(path);
      await expect(page.getByRole("main")).toBeVisible();
      const { content, screen } = await page.evaluate(() => ({ content: document.documentElement.scrollWidth, screen: window.innerWidth }));
      expect.soft(content, `${path} scrolls sideways`).toBeLessThanOrEqual(screen);
      expect.soft(screen, `${path} is laid out wider than the phone`).toBe(390);
    }
    await openDesk(page, "/admin/products");
    const menu = await page.getByRole("navigation", { name: words("nav.label") }).boundingBox();
    expect(menu && Math.round(menu.y + menu.height)).toBe(844);
    const line = page.getByTestId("products").locator("tbody tr").first();
    const [name, state] = await Promise.all([line.locator("td").first().boundingBox(), line.locator(".state").boundingBox()]);
    expect(state?.y, "the state stands below the name").toBeGreaterThanOrEqual((name?.y ?? 0) + (name?.height ?? 0) - 1);
    await page.getByRole("link", { name: words("nav.costs"), exact: true }).tap();
    await expect(page).toHaveURL(/\/admin\/costs$/);
  });

  test("a product shows its photos, then the choices, then what became of them", async ({ page, words }) => {
    const { desk } = await productWithVideo(page, words);
    await openDesk(page, desk);
    const parts = [
      page.getByRole("list", { name: words("product.photos") }),
      generateButton(page, words),
      page.getByTestId("latest"),
    ];
    const tops = await Promise.all(parts.map(async (part) => (await part.boundingBox())?.y ?? 0));
    expect(tops).toEqual([...tops].sort((one, other) => one - other));
    const clip = await page.getByTestId("published").boundingBox();
    expect(clip?.width, "the clip is large enough to be seen").toBeGreaterThan(120);
  });

  test("what became of the click stands before the next choices, while it runs and when it failed", async ({ page, words, lookreel }) => {
    await lookreel.faults([{ model: "gemini", step: "submit", times: 2, fault: "status", status: 400 }]);
    try {
      await startGeneration(page, words, await freshProduct(page));
      const result = page.getByTestId("latest");
      await expect(result.getByRole("alert")).toBeVisible({ timeout: 30_000 });
      // The last report may still be drawing the result anew, so that a moment finds it nowhere.
      await expect(async () => {
        const [told, choices] = await Promise.all([result.getByRole("alert").boundingBox(), generateButton(page, words).boundingBox()]);
        expect(told?.y).toBeLessThan(choices?.y ?? 0);
      }).toPass({ timeout: 10_000 });
    } finally {
      await lookreel.faults();
    }
  });
});
