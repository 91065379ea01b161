import { clipIsBeingMade, freshProduct, generateButton, generationCount, reload, signIn, stage, startGeneration } from "../desk";
import { expect, openDesk, test } from "../lookreel";

const SLOW_CLIP = { model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: 5_000 };
const END = { timeout: 60_000 };

test.afterEach(({ lookreel }) => lookreel.faults());

test("a reload in the middle loses nothing, a double click is one generation", async ({ page, words, lookreel }) => {
  const billedBefore = (await lookreel.invoice()).entries.length;
  await lookreel.faults([SLOW_CLIP]);
  const product = await freshProduct(page);
  await openDesk(page, product.path);
  await generateButton(page, words).dblclick();
  await clipIsBeingMade(page, words);

  await reload(page);

  await expect(stage(page, "stills")).toHaveAttribute("data-state", "done");
  await expect(stage(page, "clip")).toHaveAttribute("data-state", "running");
  await expect(page.getByAltText(words("story.still_end"))).toBeVisible();
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", END);
  await expect(page.getByTestId("pictures").locator("video")).toBeVisible();
  expect(await generationCount(page, product)).toBe(1);
  expect((await lookreel.invoice()).entries.length - billedBefore, "two stills and one clip").toBe(3);
});

test.describe("while the server is away", () => {
  test.use({ allowedConsoleErrors: [/net::ERR_|Failed to fetch|401/] });

  test("an open page whose session has ended says so once, and leads back after the sign-in", async ({ page, context, words, lookreel }) => {
    await openDesk(page, "/admin/generations?state=failed");
    const refused: string[] = [];
    page.on("response", (answer) => answer.status() === 401 && refused.push(answer.url()));
    await context.clearCookies();

    await lookreel.restart("SIGINT");

    const alert = page.getByRole("alert").filter({ hasText: words("error.signed_out") });
    await expect(alert).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText(words("live.lost"))).toBeHidden();
    expect(refused.map((url) => new URL(url).pathname), "asked once for the stream, once for the session").toEqual([
      "/events/generations",
      "/api/admin/frame",
    ]);
    await alert.getByRole("link", { name: words("error.sign_in") }).click();
    await signIn(page, words, lookreel);
    await expect(page).toHaveURL(/\/admin\/generations\?state=failed$/);
  });

  test("a list shows what happened while its stream was broken", async ({ page, context, words, lookreel }) => {
    const product = await freshProduct(page);
    await openDesk(page, "/admin/products");
    const line = page.getByTestId("products").locator("tbody tr", { hasText: product.name });
    await expect(line).toContainText(words("status.none"));
    // Whatever this page asks for gets no answer; everybody else's does.
    await page.route("**/events/**", (route) => route.abort());
    await page.route("**/api/**", (route) => route.abort());
    await lookreel.restart("SIGINT");
    await expect(page.getByText(words("live.lost"))).toBeVisible({ timeout: 30_000 });
    const other = await context.newPage();
    await startGeneration(other, words, product);
    await expect(stage(other, "publish")).toHaveAttribute("data-state", "done", END);
    await other.close();

    await page.unroute("**/api/**");
    await page.unroute("**/events/**");

    await expect(page.getByText(words("live.lost"))).toBeHidden({ timeout: 60_000 });
    await expect(line).toContainText(words("status.ready"));
  });

  test("a killed server finishes by itself after its restart, and the open page follows", async ({ page, words, lookreel }) => {
    const billedBefore = (await lookreel.invoice()).entries.length;
    await lookreel.faults([SLOW_CLIP]);
    await startGeneration(page, words, await freshProduct(page));
    await clipIsBeingMade(page, words);

    await lookreel.end("SIGKILL");
    await expect(page.getByText(words("live.lost"))).toBeVisible();
    await lookreel.restart("SIGKILL");

    await expect(page.getByText(words("live.lost"))).toBeHidden({ timeout: 30_000 });
    await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", END);
    await expect(page.getByTestId("pictures").locator("video")).toBeVisible();
    expect((await lookreel.invoice()).entries.length - billedBefore, "the clip is bought once").toBe(3);
  });
});
