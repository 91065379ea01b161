import { CLICK, formOf, freshProduct, startGeneration, stage } from "../desk";
import { expect, openDesk, test } from "../lookreel";

test.afterEach(({ lookreel }) => lookreel.faults());

test("products are searched and filtered in the address", async ({ page, words }) => {
  await openDesk(page, "/admin/products");
  const lines = page.getByTestId("products").locator("tbody tr");
  const all = await lines.count();
  const sku = await lines.last().locator("code").innerText();

  await page.getByRole("searchbox", { name: words("search.label") }).fill(sku.toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/[?&]q=/);
  await expect(lines).toHaveCount(1);
  await expect(lines.first()).toContainText(sku);

  await page.goBack();
  await expect(lines).toHaveCount(all);

  const filters = page.getByRole("navigation", { name: words("products.filter") });
  await filters.getByRole("link", { name: words("status.none") }).click();
  await expect(page).toHaveURL(/[?&]status=none/);
  await expect(filters.getByRole("link", { name: words("status.none") })).toHaveAttribute("aria-current", "true");
  for (const word of await lines.locator(".state-word").allInnerTexts()) expect(word).toBe(words("status.none"));

  await page.goto("/admin/products?q=nothing-is-called-so");
  await page.getByRole("link", { name: words("products.clear") }).click();
  await expect(lines).toHaveCount(all);
});

test("the history is filtered and paged in the address", async ({ page, words, lookreel }) => {
  // Refused before anything is paid: a history of more than a page in a moment.
  await lookreel.faults([{ model: "gemini", step: "submit", times: 200, fault: "status", status: 400 }]);
  const product = await freshProduct(page);
  for (let click = 0; click < 21; click += 1) {
    const form = await formOf(page.request, product);
    await expect(async () => {
      const answer = await page.request.post(CLICK, { form, maxRedirects: 0 });
      expect(answer.status(), await answer.text()).toBeLessThan(400);
    }).toPass({ timeout: 15_000 });
  }
  await openDesk(page, "/admin/generations");
  const lines = page.getByTestId("generations").locator("tbody tr");
  const pages = page.getByRole("navigation", { name: words("pager.label") });
  await expect(lines).toHaveCount(20);

  await pages.getByRole("link", { name: words("pager.next") }).click();
  await expect(page).toHaveURL(/[?&]page=2/);
  await expect(pages).toContainText("21–");

  await openDesk(page, "/admin/generations?page=99");
  await page.getByRole("link", { name: words("pager.first") }).click();
  await expect(page).toHaveURL(/\/admin\/generations$/);
  await expect(lines).toHaveCount(20);

  const filters = page.getByRole("navigation", { name: words("generations.filter") });
  await filters.getByRole("link", { name: words("group.failed") }).click();
  await expect(page).toHaveURL(/[?&]state=failed/);
  await expect(page).not.toHaveURL(/page=/);
  await expect(lines.first()).toContainText(words("state.failed"));
  await filters.getByRole("link", { name: words("generations.mine") }).click();
  await expect(page).toHaveURL(/mine=1/);
  await expect(page).toHaveURL(/state=failed/);
  await page.reload();
  await expect(lines).toHaveCount(20);
  await filters.getByRole("link", { name: words("group.active") }).click();
  await expect(page.getByText(words("generations.empty_title"))).toBeVisible();
});

test("a list follows a generation that runs elsewhere", async ({ page, context, words, lookreel }) => {
  await lookreel.faults([{ model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: 2_000 }]);
  const product = await freshProduct(page);
  const list = await context.newPage();
  await openDesk(list, "/admin/products");
  const line = list.getByTestId("products").locator("tbody tr", { hasText: product.name });
  await expect(line).toContainText(words("status.none"));

  await startGeneration(page, words, product);

  await expect(line).toContainText(words("status.in_progress"));
  await expect(line).toContainText(/\d+%/);
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  await expect(line).toContainText(words("status.ready"));
});
