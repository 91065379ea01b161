import { isPlaying } from "../clip";
import { productWithVideo } from "../desk";
import { expect, test } from "../lookreel";

const CLIP = /\.(mp4|webm)$/;

test("who asked for calm sees the poster until they tap", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.emulateMedia({ reducedMotion: "reduce" });
  // Not on the desk any more, which plays its clip.
  await page.goto("about:blank");
  const media: string[] = [];
  page.on("request", (request) => request.resourceType() === "media" && media.push(request.url()));

  await page.goto(shop, { waitUntil: "networkidle" });

  const video = page.locator("[data-player] video");
  await expect(page.getByRole("button", { name: words("shop.play") })).toBeVisible();
  expect(await isPlaying(video)).toBe(false);
  expect(media, "nothing of the clip was loaded").toEqual([]);

  await page.getByRole("button", { name: words("shop.play") }).click();
  await expect.poll(() => isPlaying(video)).toBe(true);
  await expect(page.getByRole("button", { name: words("shop.pause") })).toBeVisible();
});

test("the poster is the largest thing that is painted, and nothing moves", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  // The clip comes late, as over a real network: on loopback its first frame may be painted before the poster.
  await page.route("**/encoded/**", (route) => void setTimeout(() => route.continue(), 700));
  await page.goto(shop);
  const player = page.locator("lookreel-video[data-player]");
  await expect(player).toHaveAttribute("data-state", "playing");
  const seen = await page.evaluate(async () => {
    const entries: { type: string; value: number; tag?: string; url?: string }[] = [];
    for (const type of ["layout-shift", "largest-contentful-paint"]) {
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number; element?: Element; url?: string })[]) {
          entries.push({ type, value: entry.value, tag: entry.element?.localName, url: entry.url });
        }
      }).observe({ type, buffered: true });
    }
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)));
    return entries;
  });
  const largest = seen.filter((entry) => entry.type === "largest-contentful-paint").pop();
  expect(largest).toMatchObject({ tag: "video", url: expect.stringMatching(/\/thumbnails?\//) });
  expect(seen.filter((entry) => entry.type === "layout-shift")).toEqual([]);
});

test("a first page waits for no letters and keeps those it has, the next one is drawn in the typeface", async ({ page, context, words }) => {
  const { shop } = await productWithVideo(page, words);
  const letters = () => page.evaluate(() => getComputedStyle(document.querySelector("h1")!).fontFamily);
  await page.goto(shop);
  const first = await letters();
  expect(first).not.toContain("Pretendard Variable");
  await expect.poll(async () => (await context.cookies()).map(({ name }) => name)).toContain("typeface");
  expect(await letters(), "what is read does not change").toBe(first);

  await page.reload();
  expect(await letters()).toContain("Pretendard Variable");
  const loaded = await page.evaluate(async () => {
    await document.fonts.ready;
    const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    return entries.filter(({ name }) => name.endsWith(".woff2")).map(({ transferSize }) => transferSize);
  });
  expect(loaded.length).toBeGreaterThan(0);
  expect(Math.max(...loaded), "they came while the page before was looked at").toBe(0);
});

test("the clip of a page begins before it was painted; on a page that may be scrolled it waits", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("about:blank");
  await page.addInitScript(() => {
    // What tells after the first paint that something is seen never tells.
    window.IntersectionObserver = class extends IntersectionObserver {
      observe() {}
    };
  });
  const player = page.locator("lookreel-video[data-player]");
  await page.goto(shop);
  await expect(player).toHaveAttribute("data-state", "playing");
  await page.reload({ waitUntil: "networkidle" });
  await expect(player).toHaveAttribute("data-state", "waiting");
  await page.goto("about:blank");
  await page.goto(`${shop}#main`, { waitUntil: "networkidle" });
  await expect(player).toHaveAttribute("data-state", "waiting");
});

test("a clip of one size plays before any script file has come, and tells once when it began", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("about:blank");
  const beacons: { event: string; ms?: number }[] = [];
  page.on("request", (request) => request.url().endsWith("/api/playback") && beacons.push(request.postDataJSON()));
  let release = () => {};
  const released = new Promise<void>((done) => (release = done));
  await page.route(/\/(embed|shop)\.js$/, (route) => released.then(() => route.continue()));
  // Scripts that are on their way hold back the end of loading.
  await page.goto(shop, { waitUntil: "commit" });
  const player = page.locator("lookreel-video[data-player]");
  const clip = player.locator("> video");
  await expect.poll(() => isPlaying(clip)).toBe(true);
  expect(await player.getAttribute("data-state"), "nobody plays it yet").toBeNull();
  release();
  await expect(player).toHaveAttribute("data-state", "playing");
  await expect(page.getByRole("button", { name: words("shop.pause") })).toBeVisible();
  const firstFrame = await clip.evaluate(({ dataset }: HTMLVideoElement) => Number(dataset.firstFrame));
  await expect.poll(() => beacons.length).toBeGreaterThan(1);
  expect(beacons.slice(0, 2).map(({ event, ms }) => [event, ms ?? null])).toEqual([["start", null], ["first-frame", firstFrame]]);
  await page.getByRole("button", { name: words("shop.pause") }).click();
  await expect(player).toHaveAttribute("data-state", "paused");
  expect(beacons.filter(({ event }) => event === "start" || event === "first-frame")).toHaveLength(2);
});

test("a clip that turns out not to be in view stops", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("about:blank");
  // The head of the page and a line of the clip.
  await page.setViewportSize({ width: 800, height: 90 });
  await page.goto(shop);
  const player = page.locator("lookreel-video[data-player]");
  await expect(player).toHaveAttribute("data-state", /waiting|paused/);
  await expect.poll(() => player.locator("video").evaluate((clip: HTMLVideoElement) => clip.paused)).toBe(true);
  await player.scrollIntoViewIfNeeded();
  await page.setViewportSize({ width: 800, height: 900 });
  await expect(player).toHaveAttribute("data-state", "playing");
});

test("nobody reads what is there for browsers without scripts", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto(shop);
  const player = page.locator("lookreel-video[data-player]");
  await expect(player).toHaveAttribute("data-state", "playing");
  expect(await player.innerText()).not.toContain("<");
  expect(await player.ariaSnapshot()).not.toContain("<");
  await expect(player.getByRole("link")).toBeHidden();
});

test.describe("when the script does not come", () => {
  test.use({ allowedConsoleErrors: [/ERR_FAILED/] });

  test("a link leads to the clip", async ({ page, context, words }) => {
    const { shop } = await productWithVideo(page, words);
    await context.route("**/embed.js", (route) => route.abort());
    await page.goto(shop);
    const link = page.locator("[data-player]").getByRole("link", { name: words("shop.play") });
    await expect(link).toBeVisible({ timeout: 10_000 });
    const clip = page.locator("[data-player] > video");
    await expect(clip).toHaveAttribute("data-first-frame", /^\d+$/);
    expect(await isPlaying(clip), "nothing moves that cannot be stopped").toBe(false);
    const file = await page.request.get((await link.getAttribute("href")) ?? "");
    expect(file.headers()["content-type"]).toBe("video/mp4");
  });
});

test("a clip stops when no player comes to stop it with", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("about:blank");
  await page.route("**/embed.js", () => {});
  await page.goto(shop, { waitUntil: "commit" });
  const clip = page.locator("[data-player] > video");
  await expect.poll(() => isPlaying(clip)).toBe(true);
  await expect.poll(() => isPlaying(clip), { timeout: 10_000 }).toBe(false);
});

test("a browser that refuses to start shows the poster and the button, and counts from the tap", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("about:blank");
  await page.addInitScript(() => {
    const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () {
      return navigator.userActivation.isActive ? play.call(this) : Promise.reject(new DOMException("refused", "NotAllowedError"));
    };
  });
  await page.goto(shop);
  const player = page.locator("[data-player]");
  await expect(player).toHaveAttribute("data-state", "poster");
  await page.getByRole("button", { name: words("shop.play") }).click();
  await expect(player).toHaveAttribute("data-state", "playing");
  expect(await player.locator("> video").getAttribute("data-first-frame"), "what the page began was refused").toBeNull();
});

test.describe("when a clip does not load", () => {
  test.use({ allowedConsoleErrors: [/ERR_FAILED/] });

  test("it is asked for once more, then the poster stays", async ({ page, context, words }) => {
    // Whatever it is coded in: the second try takes another codec where there is one. From the beginning: what the desk had
    // loaded whole would play from memory.
    await context.route(CLIP, (route) => route.abort());
    const { shop } = await productWithVideo(page, words);
    // A page of its own: the desk's may still be asking for its clip.
    const visit = await context.newPage();
    let asked = 0;
    visit.on("request", (request) => CLIP.test(request.url()) && asked++);
    await visit.addInitScript(() => {
      Object.assign(window, { failed: new Promise((done) => document.addEventListener("lookreel-error", done)) });
    });
    await visit.goto(shop);
    await visit.evaluate(() => (window as unknown as { failed: Promise<void> }).failed.then(() => undefined));
    expect(asked, "once, and once more").toBe(2);
    await expect(visit.locator("[data-player]")).toHaveAttribute("data-state", "poster");
    await expect(visit.getByRole("button", { name: words("shop.play") })).toBeVisible();
  });
});

test("in the grid a clip plays while its card is pointed at, and its bytes come in ranges", async ({ page, words }) => {
  const { shop } = await productWithVideo(page, words);
  await page.goto("/products");
  const card = page.locator(`a[href="${shop}"]`);
  const clip = card.locator("video");
  expect(await isPlaying(clip)).toBe(false);

  await card.hover();
  await expect.poll(() => isPlaying(clip)).toBe(true);
  await page.getByRole("heading", { level: 1 }).hover();
  await expect.poll(() => isPlaying(clip)).toBe(false);

  const source = (await clip.locator("source").getAttribute("src")) ?? "";
  const answer = await page.request.get(source, { headers: { range: "bytes=0-99" } });
  expect(answer.status()).toBe(206);
  expect(answer.headers()["content-range"]).toMatch(/^bytes 0-99\//);
  expect((await answer.body()).length).toBe(100);
});
