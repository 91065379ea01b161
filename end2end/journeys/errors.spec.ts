import {
  CLICK,
  clipIsBeingMade,
  formOf,
  freshProduct,
  generateButton,
  latestGeneration,
  productWithVideo,
  reload,
  signIn,
  stage,
  startGeneration,
} from "../desk";
import { expect, openDesk, test } from "../lookreel";
import { money } from "../words";

const CLOCK = /\d\d:\d\d/;
/** More than any request may send. */
const TOO_MUCH = "a".repeat(1_100_000);

test.afterEach(({ lookreel }) => lookreel.faults());

test.describe("somebody without a session", () => {
  test.use({ signedIn: false, allowedConsoleErrors: [/40[13]/] });

  test("a wrong password says so, keeps the address and lets one try again", async ({ page, words, lookreel }) => {
    await openDesk(page, "/admin/costs");
    await signIn(page, words, lookreel, "not-the-password");
    await expect(page.getByRole("alert")).toContainText(words("error.wrong_credentials"));
    await expect(page.getByLabel(words("sign_in.email"))).toHaveValue(lookreel.adminEmail);

    await signIn(page, words, lookreel);

    await expect(page).toHaveURL(/\/admin\/costs$/);
  });

  test("a session that ended in the middle leads to the sign-in and back", async ({ page, context, words, lookreel }) => {
    await openDesk(page, "/admin/products?status=none");
    await signIn(page, words, lookreel);
    await expect(page).toHaveURL(/\/admin\/products\?status=none$/);
    const product = await freshProduct(page);
    await openDesk(page, product.path);
    await expect(generateButton(page, words)).toBeEnabled();
    await context.clearCookies();

    await generateButton(page, words).click();

    const alert = page.getByRole("alert").filter({ hasText: words("error.signed_out") });
    await alert.getByRole("link", { name: words("error.sign_in") }).first().click();
    await expect(page.getByRole("heading", { name: words("sign_in.title") })).toBeVisible();
    await signIn(page, words, lookreel);
    await expect(page).toHaveURL(new RegExp(`${product.path}$`));
    await expect(page.getByRole("heading", { level: 1, name: product.name })).toBeVisible();
  });
});

test.describe("a request that is refused", () => {
  test.use({ allowedConsoleErrors: [/4\d\d/] });

  test("options out of range are named, with what is accepted", async ({ page, words }) => {
    await openDesk(page, (await freshProduct(page)).path);
    await page.locator("input[name=duration]:checked").evaluate((input: HTMLInputElement) => (input.value = "9"));

    await generateButton(page, words).click();

    await expect(page.getByRole("alert").filter({ hasText: words("error.invalid") })).toBeVisible();
    await expect(page.locator(".field-error")).toContainText(words("options.duration"));
    await expect(page.getByText(words("product.none_title"))).toBeVisible();
  });

  test("what is too large is refused in the place where it was typed, and stays there", async ({ page, words }) => {
    await openDesk(page, "/admin/queue");
    const reason = page.getByLabel(words("queue.reason"));
    await reason.evaluate((input: HTMLInputElement, text) => {
      input.removeAttribute("maxlength");
      input.value = text;
    }, TOO_MUCH);

    await page.getByRole("button", { name: words("queue.pause"), exact: true }).click();

    await expect(page.getByRole("alert").filter({ hasText: words("error.too_large") })).toBeVisible();
    expect((await reason.inputValue()).length).toBe(TOO_MUCH.length);
  });

  test("an unknown address leads back to the shop", async ({ page, words }) => {
    await page.goto("/products");
    const answer = await page.goto("/nothing", { referer: page.url() });

    expect(answer?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1, name: words("shop.no_page_title") })).toBeVisible();
    await page.getByRole("link", { name: words("shop.back_link") }).click();
    await expect(page).toHaveURL(/\/products$/);
    await page.goto("/nothing");
    await page.getByRole("link", { name: words("shop.not_found_link") }).click();
    await expect(page.getByRole("heading", { level: 1, name: words("shop.title") })).toBeVisible();
  });

  test("an unknown page of the desk says so", async ({ page, words }) => {
    const answer = await page.goto("/admin/products/01900000-0000-7000-8000-000000000000");

    expect(answer?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1, name: words("not_found.title") })).toBeAttached();
    await expect(page.getByRole("link", { name: words("not_found.action") })).toBeVisible();
  });
});

test("a provider's refusal is told with its reason, its cost and the id to quote", async ({ page, words, lookreel }) => {
  const paidBefore = (await lookreel.invoice()).total_micro_usd;
  await lookreel.faults([{ model: "fal-ai", step: "run", times: 3, fault: "moderation" }]);
  await startGeneration(page, words, await freshProduct(page));

  await expect(stage(page, "clip")).toHaveAttribute("data-state", "failed", { timeout: 30_000 });

  const id = (await latestGeneration(page, words)).split("/").pop() ?? "";
  const paid = (await lookreel.invoice()).total_micro_usd - paidBefore;
  const block = page.getByTestId("latest").getByRole("alert");
  await expect(block).toContainText(words("failure.content_refused.what"));
  await expect(block).toContainText(words("failure.content_refused.next_stills"));
  await expect(block).toContainText(words("failed.cost", { cost: money(paid) }));
  await expect(block).toContainText(id);
  await expect(stage(page, "stills")).toHaveAttribute("data-state", "done");
  await expect(generateButton(page, words)).toBeEnabled();

  // One way on: only the clip is bought again. What was refused once is likely to be refused again: not the first choice.
  await lookreel.faults();
  const retry = block.getByRole("button", { name: `${words("retry.button")} · ${words("generate.price", { price: "$0.20" })}` });
  await expect(retry).not.toHaveClass(/primary/);
  await retry.click();

  await expect(page.getByTestId("retry-of")).toHaveAttribute("href", `/admin/generations/${id}`);
  await expect(stage(page, "stills")).toContainText(words("story.reused"));
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  expect((await lookreel.invoice()).total_micro_usd - paidBefore).toBe(paid + 200_000);
  await openDesk(page, `/admin/generations/${id}`);
  await expect(page.getByTestId("retried-as")).toBeVisible();
});

test("a running generation can be cancelled, and says what it cost", async ({ page, words, lookreel }) => {
  await lookreel.faults([{ model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: 8_000 }]);
  const product = await freshProduct(page);
  await startGeneration(page, words, product);
  await clipIsBeingMade(page, words);
  await openDesk(page, await latestGeneration(page, words));

  await page.getByRole("button", { name: words("story.cancel") }).click();

  // The wish is shown until it is fulfilled, also after a reload.
  const cancelling = page.getByRole("button", { name: words("story.cancelling") });
  await expect(cancelling).toBeDisabled();
  await expect(page.locator(".page-title-row").getByText(words("story.cancelling"))).toBeVisible();
  await reload(page);
  await expect(cancelling).toBeDisabled();

  const block = page.getByRole("alert").filter({ hasText: words("failed.cancelled_title") });
  await expect(block).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("main").getByText(words("state.cancelled"), { exact: true }).first()).toBeVisible();
  await expect(page.getByTestId("cancel")).toBeHidden();
  // It is no failure: neither the stage, nor its picture, nor the block.
  await expect(stage(page, "clip")).toHaveAttribute("data-state", "cancelled");
  await expect(stage(page, "clip")).toContainText(words("stage_state.cancelled"));
  await expect(page.getByRole("main").locator("[data-state=failed]")).toHaveCount(0);

  // A page that was loaded anew meanwhile is left and opened again; the tab follows.
  await page.getByRole("navigation").getByRole("link", { name: words("nav.generations") }).click();
  await expect(page).toHaveTitle(`${words("generations.title")} · Lookreel`);
  await page.getByTestId("generations").getByRole("link", { name: product.name }).first().click();
  await expect(stage(page, "clip")).toHaveAttribute("data-state", "cancelled");
  await expect(page).toHaveTitle(new RegExp(`${product.name} · ${words("generation.title")} · Lookreel$`));
});

test.describe("when a generation does not load", () => {
  test.use({ allowedConsoleErrors: [/ERR_FAILED/] });

  test("its page says so under its own name, and loads when it is asked again", async ({ page, words }) => {
    // One that went well, whatever was made after it: the page of a failed or cancelled one holds an alert of its own.
    await productWithVideo(page, words);
    await openDesk(page, "/admin/generations?state=completed");
    await expect(page).toHaveTitle(`${words("generations.title")} · Lookreel`);
    const detail = "**/api/admin/generations/detail*";
    await page.route(detail, (route) => route.abort());
    await page.getByTestId("generations").getByRole("row").getByRole("link").first().click();
    const alert = page.getByRole("main").getByRole("alert");
    await expect(alert).toBeVisible();
    await expect(page).toHaveTitle(`${words("generation.title")} · Lookreel`);
    await page.unroute(detail);
    await reload(page);
    await expect(alert).toBeHidden();
    await expect(page).toHaveTitle(new RegExp(`.+ · ${words("generation.title")} · Lookreel$`));
  });
});

test.describe("with a small limit", () => {
  test.use({ allowedConsoleErrors: [/net::ERR_/] });

  test("a reached limit refuses the click and says when it resets", async ({ page, words, lookreel }) => {
    const product = await freshProduct(page);
    await startGeneration(page, words, product);
    await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
    await lookreel.restart("SIGINT", { DAILY_GENERATIONS: "1" });
    try {
      const other = await freshProduct(page);
      await openDesk(page, other.path);
      const refusal = page.getByRole("alert").filter({ hasText: words("limits.generations_reached", { limit: 1 }) });
      await expect(refusal).toContainText(words("limits.resets"));
      await expect(refusal.locator("time")).toHaveAttribute("title", CLOCK);
      await expect(generateButton(page, words)).toBeDisabled();
      // The bar shows the limit that is full, its title both.
      const bar = page.getByTestId("spend");
      // How many others were made today is not told here.
      await expect(bar.locator("b")).toContainText(words("spend.generations", { used: "", limit: 1 }));
      await expect(bar).toHaveAttribute("data-state", "failed");
      await expect(bar).toHaveAttribute("title", /\$/);

      const answer = await page.request.post(CLICK, { form: await formOf(page.request, other), maxRedirects: 0 });
      expect(answer.status(), "a click by hand is refused as well").toBe(429);
      await page.reload();
      await expect(page.getByText(words("product.none_title"))).toBeVisible();
    } finally {
      await lookreel.restart("SIGINT");
    }
  });
});
