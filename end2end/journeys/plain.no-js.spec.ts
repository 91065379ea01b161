// Everything that matters, with JavaScript switched off.

import { expectPlayedToItsEnd } from "../clip";
import { CLICK, formOf, freshProduct, generateButton, latestGeneration, signIn, stage } from "../desk";
import { expect, test } from "../lookreel";

test.describe("from the sign-in to the shop", () => {
  test.use({ signedIn: false });

  test("a video is made and played without JavaScript", async ({ page, words, lookreel }) => {
    await page.goto("/admin/products?status=none");
    await signIn(page, words, lookreel, "not-the-password");
    await expect(page.getByRole("alert")).toContainText(words("error.wrong_credentials"));
    await signIn(page, words, lookreel);
    await expect(page).toHaveURL(/\/admin\/products\?status=none$/);
    const { path, name } = await freshProduct(page);
    await page.goto(path);
    const button = generateButton(page, words);
    const price = async () => Number((await button.innerText()).match(/\$(\d+\.\d\d)/)?.[1]);
    const before = await price();

    // The price of other choices.
    await page.locator("label", { hasText: "1080p" }).click();
    await page.getByRole("button", { name: words("generate.recalculate") }).click();
    await expect(page).toHaveURL(/resolution=1080p/);
    expect(await price()).toBeGreaterThan(before);
    await expect(page.locator("input[name=resolution][value='1080p']")).toBeChecked();
    await page.locator("label", { hasText: "720p" }).click();

    await button.click();

    // The page loads itself anew until it is done.
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await expect(stage(page, "stills")).toBeVisible();
    await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
    await expect(page.getByTestId("pictures").locator("video")).toBeVisible();
    await expect(page.getByTestId("bell")).toHaveAccessibleName(words("bell.unread", { count: 1 }));

    // The shop, with the browser's own controls.
    await page.goto((await page.getByRole("link", { name: words("product.shop") }).getAttribute("href")) ?? "");
    const video = page.getByLabel(words("shop.video_worn", { name })).and(page.locator("[controls]"));
    await expect(video).toBeVisible();
    await expect(page.locator("video:visible")).toHaveCount(1);
    await expect(page.getByRole("button", { name: words("shop.play") })).toBeHidden();
    await video.focus();
    await page.keyboard.press("Space");
    await expectPlayedToItsEnd(video);
  });
});

test("the same form sent twice is one generation", async ({ page, words, lookreel }) => {
  const billedBefore = (await lookreel.invoice()).entries.length;
  const product = await freshProduct(page);
  const form = await formOf(page.request, product);

  const answers = await Promise.all([1, 2].map(() => page.request.post(CLICK, { form, maxRedirects: 0 })));

  for (const answer of answers) expect(answer.status()).toBeLessThan(400);
  await page.goto(product.path);
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  await page.goto(`/admin/generations?q=${encodeURIComponent(product.name)}`);
  await expect(page.getByTestId("generations").locator("tbody tr")).toHaveCount(1);
  expect((await lookreel.invoice()).entries.length - billedBefore).toBe(3);
  await expect(page.getByText(words("state.completed"), { exact: true }).first()).toBeVisible();
});

test("options out of range are refused in words", async ({ page, words }) => {
  await page.goto((await freshProduct(page)).path);
  await page.locator("input[name=duration]:checked").evaluate((input: HTMLInputElement) => (input.value = "9"));

  await generateButton(page, words).click();

  await expect(page.getByRole("alert").filter({ hasText: words("error.invalid") })).toBeVisible();
  await expect(page.locator(".field-error")).toContainText(words("options.duration"));
});

test("a generation is stopped without JavaScript, and the page says so until it has ended", async ({ page, words, lookreel }) => {
  await lookreel.faults([{ model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: 8_000 }]);
  await page.goto((await freshProduct(page)).path);
  await generateButton(page, words).click();
  await expect(stage(page, "clip")).toHaveAttribute("data-state", "running", { timeout: 30_000 });
  await page.goto(await latestGeneration(page, words));

  await page.getByRole("button", { name: words("story.cancel") }).click();

  await expect(page.getByRole("button", { name: words("story.cancelling") })).toBeDisabled();
  // The page loads itself anew.
  await expect(stage(page, "clip")).toHaveAttribute("data-state", "cancelled", { timeout: 30_000 });
  await expect(page.getByTestId("cancel")).toHaveCount(0);
  await lookreel.faults();
});

test("language, theme and the way out are on pages that need no scripts as well", async ({ page, words }) => {
  await page.goto("/admin/storage");
  const menu = page.getByTestId("person-menu");
  await menu.click();
  await page.locator("button[name=theme][value=dark]").click();
  await expect(page).toHaveURL(/\/admin\/storage$/);
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  const language = await page.locator("html").getAttribute("lang");
  const other = language === "ko" ? "en" : "ko";
  await menu.click();
  await page.locator(`button[name=language][value=${other}]`).click();
  await expect(page).toHaveURL(/\/admin\/storage$/);
  await expect(page.locator("html")).toHaveAttribute("lang", other);
  await menu.click();
  await page.locator(`button[name=language][value=${language}]`).click();
  await menu.click();
  await expect(page.getByRole("button", { name: words("person.sign_out") })).toBeVisible();
});

test.describe("a form that is too large", () => {
  test.use({ allowedConsoleErrors: [/413/] });

  test("is answered with a page that leads back", async ({ page, words }) => {
    await page.goto("/admin/queue");
    await page.getByLabel(words("queue.reason")).evaluate((input: HTMLInputElement) => {
      input.removeAttribute("maxlength");
      input.value = "a".repeat(1_100_000);
    });

    await page.getByRole("button", { name: words("queue.pause"), exact: true }).click();

    await expect(page.getByRole("heading", { level: 1, name: words("shop.too_large_title") })).toBeVisible();
    await page.getByRole("link", { name: words("shop.back_link") }).click();
    await expect(page).toHaveURL(/\/admin\/queue$/);
    await expect(page.getByText(words("queue.nothing_paused"))).toBeVisible();
  });
});
