// What axe can find of WCAG 2.2 AA, and what it holds for good practice.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Violations as sentences: the rule, its help, where. */
async function axeViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target).join(", ")})`);
}

/** No violation on this page, as it is now. */
export async function expectAccessible(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  expect.soft(await axeViolations(page), `accessibility of ${page.url()} (${colorScheme})`).toEqual([]);
}
