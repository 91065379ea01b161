// The models that can be bought: what they cost from tomorrow on, and who said so.

import { expect, expectAccessible, openDesk, test } from "../lookreel";

// A refused form.
test.use({ allowedConsoleErrors: [/422/] });

test("a price from tomorrow is added with a reason and stands in the history", async ({ page, words }) => {
  await openDesk(page, "/admin/products");
  await page.getByRole("link", { name: words("nav.models"), exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: words("models.title") })).toBeVisible();
  const model = page.getByTestId("models").first().getByRole("link").first();
  await expect(model).toHaveAttribute("aria-expanded", "false");
  await model.click();
  await expect(model).toHaveAttribute("aria-expanded", "true");
  await expect(page).toHaveURL(/\/admin\/models\?model=/);
  const panel = page.getByTestId("model-panel");
  const amount = panel.locator("input[name^='amounts']").first();
  const today = (await amount.getAttribute("placeholder")) ?? "";

  // The reason is missed by the server only: the browser itself would not send the form.
  await amount.fill("0.123456");
  const reason = panel.locator("#price-reason");
  await reason.fill("   ");
  await panel.getByRole("button", { name: words("models.save_price") }).click();
  await expect(panel.getByRole("alert")).toContainText(words("error.invalid"));
  await expect(reason).toHaveAttribute("aria-invalid", "true");
  await expect(amount, "what was filled in stays").toHaveValue("0.123456");
  await expectAccessible(page, "light");

  await reason.fill("The new price list <2027>");
  const day = await panel.locator("#price-valid_from").inputValue();
  await panel.getByRole("button", { name: words("models.save_price") }).click();

  const change = panel.getByTestId("model-history").getByRole("listitem").first();
  await expect(change).toContainText("The new price list <2027>");
  await expect(change).toContainText(day);
  await expect(change).toContainText("$0.123456");
  await expect(panel.getByRole("alert")).toHaveCount(0);
  await expect(amount, "the price of today").toHaveAttribute("placeholder", today);
  await expect(amount).toHaveValue("");
  await expect(reason).toHaveValue("");
  await expect(page.getByTestId("models").first()).toContainText(words("models.from_day", { day, price: "" }).trim());

  // It is not in force yet: it can be withdrawn, and both stay in the history.
  await panel.locator("#withdraw-reason").fill("They kept the old one");
  await panel.getByRole("button", { name: words("models.withdraw") }).click();
  await expect(change).toContainText("They kept the old one");
  await expect(panel.getByTestId("scheduled-prices")).toHaveCount(0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expectAccessible(page, colorScheme);
  }
  await model.click();
  await expect(panel).toHaveCount(0);
  await expect(page).toHaveURL(/\/admin\/models$/);
});
