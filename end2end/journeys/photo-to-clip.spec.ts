import { expectLoaded, expectPlayedToItsEnd, isPlaying } from "../clip";
import { generateButton, latestGeneration, reload, signIn, stage } from "../desk";
import { expect, hydrated, openDesk, test } from "../lookreel";
import { exactMoney, money } from "../words";

test.use({ signedIn: false });

test("an admin makes a video, a shopper plays it to its end, the cost page shows the invoice", async ({ page, context, words, lookreel }) => {
  const billedBefore = (await lookreel.invoice()).entries.length;
  // The providers take their time here, so that every stage is seen.
  await lookreel.faults([
    { model: "gemini", step: "submit", times: 2, fault: "delay_ms", ms: 2_000 },
    { model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: 4_000 },
  ]);

  // Sign in, from where one wanted to go.
  await openDesk(page, "/admin/products?status=none");
  await signIn(page, words, lookreel);
  await expect(page).toHaveURL(/\/admin\/products\?status=none$/);
  // Journeys before this one left news.
  await page.request.post("/api/admin/notices/read", { form: {} });

  // Open a product.
  const line = page.getByTestId("products").locator("tbody tr").first();
  await expect(line).toContainText(words("status.none"));
  const name = await line.locator(".cell-name").innerText();
  await line.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText(words("product.none_title"))).toBeVisible();

  // The price stands in the button before it is clicked.
  const button = generateButton(page, words);
  await expect(button).toHaveAccessibleName(new RegExp(`${words("generate.button")}.*\\$0\\.\\d\\d`));
  await button.click();

  // The story line, live.
  const stills = stage(page, "stills");
  await expect(stills).toHaveAttribute("data-state", "running");
  await expect(stills.locator(".story-time")).toContainText(/0:0[1-9]/);
  await expect(button).toBeDisabled();
  const clip = stage(page, "clip");
  await expect(clip).toHaveAttribute("data-state", "running");
  await expect(stills).toHaveAttribute("data-state", "done");
  const pictures = page.getByTestId("pictures");
  await expectLoaded(pictures.getByAltText(words("story.still_start")));
  await expectLoaded(pictures.getByAltText(words("story.still_end")));
  await expect(page.getByRole("main").getByText(words("state.generating_video")).first()).toBeVisible();
  await expect(page).toHaveTitle(/^\d+% · /);
  await expect(page.getByTestId("active-count")).toContainText("1");
  await expect(clip.locator(".story-time")).toContainText(/0:0[1-9]/);
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 45_000 });
  await expect(page.getByRole("main").getByText(words("state.completed"), { exact: true }).first()).toBeVisible();

  // The clip is on the desk and plays.
  const deskClip = pictures.locator("video");
  await expect(deskClip).toBeVisible();
  await deskClip.evaluate((video: HTMLVideoElement) => video.play());
  await expectPlayedToItsEnd(deskClip);
  await expect(page.getByTestId("published").locator("video")).toBeVisible();
  await expect(page.locator("video"), "the clip is shown once").toHaveCount(1);
  await page.getByTestId("published").getByRole("button", { name: words("shop.pause") }).click();
  await expect.poll(() => isPlaying(deskClip)).toBe(false);
  await expect(page.getByTestId("published").getByRole("button", { name: words("shop.play") })).toBeVisible();

  // The bell told it by itself, and keeps it until it is read.
  const sentence = words("bell.video_ready", { product: name });
  const bell = page.getByTestId("bell");
  // Once in six hours the clock tells of the failures of other journeys as well.
  const unread = new RegExp(words("bell.unread", { count: "N" }).replace("N", "[12]\\b"));
  await expect(bell).toHaveAccessibleName(unread);
  await reload(page);
  await expect(bell).toHaveAccessibleName(unread);
  await bell.click();
  await expect(page.getByRole("link", { name: sentence })).toBeVisible();
  await page.getByRole("button", { name: words("bell.mark_read") }).click();
  await expect(bell).toHaveAccessibleName(words("bell.label"));
  await reload(page);
  await expect(bell).toHaveAccessibleName(words("bell.label"));

  // What was bought, to the last digit.
  const invoice = await lookreel.invoice();
  const bought = invoice.entries.slice(billedBefore);
  expect(bought).toHaveLength(3);
  await openDesk(page, await latestGeneration(page, words));
  const calls = page.getByTestId("calls").locator("tbody tr");
  await expect(calls).toHaveCount(3);
  for (const { request_id, amount_micro_usd } of bought) {
    await expect(calls.filter({ hasText: request_id })).toContainText(exactMoney(amount_micro_usd));
  }

  // The cost page: exactly the invoice.
  await page.getByRole("link", { name: words("nav.costs"), exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: words("costs.title") })).toBeVisible();
  const total = money(invoice.total_micro_usd);
  await expect(page.locator(".stat", { has: page.getByText(words("costs.month"), { exact: true }) })).toContainText(total);
  for (const title of [words("costs.by_model"), words("costs.by_stage")]) {
    const shares = page.locator("section", { has: page.getByRole("heading", { name: title }) });
    await expect(shares.locator("tfoot")).toContainText(exactMoney(invoice.total_micro_usd));
  }

  // A shopper opens the product.
  await page.goBack();
  await hydrated(page);
  await page.getByRole("link", { name: words("generation.product") }).click();
  const [shop] = await Promise.all([
    context.waitForEvent("page"),
    page.getByRole("link", { name: words("product.shop") }).click(),
  ]);
  await expect(shop.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(shop.locator("script[src*='.js'], link[href*='.wasm']"), "two small scripts, no WASM").toHaveCount(2);
  const video = shop.getByLabel(words("shop.video_worn", { name }));
  const poster = await video.getAttribute("poster");
  expect((await shop.request.get(poster ?? "")).headers()["content-type"]).toMatch(/^image\//);
  expect(await video.evaluate((clip: HTMLVideoElement) => clip.muted && clip.playsInline && clip.loop)).toBe(true);
  await expect(shop.getByText(words("shop.ai_video"), { exact: true })).toBeVisible();
  await expectPlayedToItsEnd(video);
  await shop.getByRole("button", { name: words("shop.pause") }).click();
  await expect.poll(() => isPlaying(video)).toBe(false);
  await shop.getByRole("button", { name: words("shop.play") }).click();
  await expect.poll(() => isPlaying(video)).toBe(true);
});
