import { clipIsBeingMade, freshProduct, generateButton, generationCount, reload, stage, startGeneration } from "../desk";
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
  test.use({ allowedConsoleErrors: [/net::ERR_|Failed to fetch/] });

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
