// <lookreel-video> on a page of somebody else's shop.

import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Page } from "@playwright/test";
import { expectPlayedToItsEnd, isPlaying } from "../clip";
import { productWithVideo } from "../desk";
import { ForeignShop } from "../foreign";
import { expect, expectAccessible, test } from "../lookreel";
import type { Words } from "../words";

const SCRIPT_MAX_BYTES = 10_000;
const CLIP = /\.(mp4|webm)$/;

async function slugWithVideo(page: Page, words: Words): Promise<string> {
  const { shop } = await productWithVideo(page, words);
  // Not on the desk any more, which asks for its clip and tells how it plays.
  await page.goto("about:blank");
  return shop.split("/").pop() ?? "";
}

/** What the page moved by itself (CLS). */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let sum = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
    });
    observer.observe({ type: "layout-shift", buffered: true });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)));
    return sum;
  });
}

/** Events of the element, as the page around it hears them. */
async function heard(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    for (const event of ["start", "first-frame", "stall", "complete", "error"]) {
      document.addEventListener(`lookreel-${event}`, () => told.push(event));
    }
  });
  return () => page.evaluate(() => (window as unknown as { told: string[] }).told);
}

test("under a strict policy it plays in view, stops out of view, and tells only the video's id", async ({ page, words, lookreel }) => {
  const slug = await slugWithVideo(page, words);
  const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}"></lookreel-video>`);
  const beacons: string[] = [];
  const media: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/playback")) beacons.push(request.postData() ?? "");
    if (request.resourceType() === "media") media.push(request.url());
  });
  const events = await heard(page);
  const script = await (await page.request.get("/embed.js")).body();
  expect(script.length, "the script").toBeLessThan(SCRIPT_MAX_BYTES);

  await page.goto(shop.url);
  const video = page.locator("lookreel-video video");
  await expect(video).toHaveAttribute("aria-label", /소리 없음/);
  await expect.poll(() => isPlaying(video)).toBe(true);
  await expect(page.getByText(words("shop.ai_video"))).toBeVisible();
  expect(await layoutShift(page), "nothing moved").toBe(0);
  expect(new Set(media).size, "one rendition").toBe(1);
  await expectPlayedToItsEnd(video);

  const pause = page.getByRole("button", { name: words("shop.pause") });
  await pause.focus();
  await page.keyboard.press("Space");
  await expect.poll(() => isPlaying(video)).toBe(false);
  await page.keyboard.press("Enter");
  await expect.poll(() => isPlaying(video)).toBe(true);
  await expectAccessible(page, "light");

  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect.poll(() => isPlaying(video)).toBe(false);
  await page.evaluate(() => scrollTo(0, 0));
  await expect.poll(() => isPlaying(video)).toBe(true);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(() => isPlaying(video)).toBe(false);

  await expect.poll(events).toEqual(["start", "first-frame", "complete"]);
  const told = beacons.map((body) => JSON.parse(body));
  expect(told.map((beacon) => beacon.event)).toEqual(["start", "first-frame", "complete"]);
  expect(Object.keys(told[1]).sort()).toEqual(["event", "ms", "video"]);
  shop.close();
});

test("who asked for calm sees the poster of others' pages until they tap", async ({ page, words, lookreel }) => {
  const slug = await slugWithVideo(page, words);
  const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}"></lookreel-video>`);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const media: string[] = [];
  page.on("request", (request) => request.resourceType() === "media" && media.push(request.url()));
  await page.goto(shop.url, { waitUntil: "networkidle" });

  const player = page.locator("lookreel-video");
  const play = page.getByRole("button", { name: words("shop.play") });
  await expect(play).toBeVisible();
  await expect(player).toHaveAttribute("data-state", "poster");
  const poster = player.locator("img");
  await expect.poll(() => poster.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(100);
  expect(media, "nothing of the clip was loaded").toEqual([]);

  await play.click();
  await expect.poll(() => isPlaying(player.locator("video"))).toBe(true);
  shop.close();
});

test.describe("when it cannot play", () => {
  test.use({ allowedConsoleErrors: [/ERR_FAILED|404/] });

  test("a clip that does not load is asked for once more, then the poster stays", async ({ page, context, words, lookreel }) => {
    // Whatever it is coded in: the second try takes another codec where there is one. From the beginning: what the desk had
    // loaded whole would play from memory.
    await context.route(CLIP, (route) => route.abort());
    const slug = await slugWithVideo(page, words);
    const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}"></lookreel-video>`);
    // A page of its own: the desk's may still be asking for its clip.
    const visit = await context.newPage();
    let asked = 0;
    visit.on("request", (request) => CLIP.test(request.url()) && asked++);
    const events = await heard(visit);
    await visit.goto(shop.url);

    const player = visit.locator("lookreel-video");
    await expect.poll(events).toContain("error");
    expect(asked, "once, and once more").toBe(2);
    await expect(player).toHaveAttribute("data-state", "poster");
    await expect(player.locator("img")).toBeVisible();
    expect(await player.locator("video").evaluate((video) => getComputedStyle(video).opacity)).toBe("0");

    await context.unroute(CLIP);
    await visit.getByRole("button", { name: words("shop.play") }).click();
    await expect.poll(() => isPlaying(player.locator("video"))).toBe(true);
    shop.close();
  });

  test("a browser that refuses to start shows the poster and the button", async ({ page, words, lookreel }) => {
    const slug = await slugWithVideo(page, words);
    const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}"></lookreel-video>`);
    await page.addInitScript(() => {
      HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("low power", "NotAllowedError"));
    });
    await page.goto(shop.url);
    await expect(page.locator("lookreel-video")).toHaveAttribute("data-state", "poster");
    await expect(page.getByRole("button", { name: words("shop.play") })).toBeVisible();
    shop.close();
  });

  test("without a video what the page put inside stays", async ({ page, lookreel }) => {
    const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="no-such-thing"><b>A photo</b></lookreel-video>`);
    const events = await heard(page);
    await page.goto(shop.url);
    await expect.poll(events).toEqual(["error"]);
    await expect(page.getByText("A photo")).toBeVisible();
    shop.close();
  });
});

const WITHOUT_HLS = [
  { why: "is preferred", attribute: "hls", refused: ["mpegurl"] },
  { why: "is all that can be played", attribute: "", refused: ["mpegurl", "video/mp4", "video/webm"] },
];

for (const { why, attribute, refused } of WITHOUT_HLS) {
  test(`HLS that ${why} is played by hls.js where the browser cannot`, async ({ page, words, lookreel }) => {
    const slug = await slugWithVideo(page, words);
    const told = await (await page.request.get(`/embed/products/${slug}`)).json();
    const folder = await mkdtemp(join(tmpdir(), "lookreel-hls-"));
    await writeFile(join(folder, "clip.mp4"), await (await page.request.get(told.sources[0].url)).body());
    const segments = ["-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"];
    execFileSync("ffmpeg", ["-v", "error", "-i", "clip.mp4", "-c", "copy", ...segments, "media.m3u8"], { cwd: folder });
    const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}" ${attribute}></lookreel-video>`, folder);
    await page.route("**/embed/products/*", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...told, hls: `${shop.url}media.m3u8` } });
    });
    const scripts: string[] = [];
    page.on("request", (request) => request.resourceType() === "script" && scripts.push(new URL(request.url()).pathname));

    await page.addInitScript((refused) => {
      const can = HTMLMediaElement.prototype.canPlayType;
      HTMLMediaElement.prototype.canPlayType = function (type) {
        return refused.some((kind) => type.includes(kind)) ? "" : can.call(this, type);
      };
    }, refused);
    await page.goto(shop.url);
    const video = page.locator("lookreel-video video");
    await expect.poll(() => isPlaying(video)).toBe(true);
    expect(await video.evaluate((clip: HTMLVideoElement) => clip.currentSrc)).toMatch(/^blob:/);
    expect(scripts).toEqual(["/embed.js", "/hls.light.min.js"]);
    await expectPlayedToItsEnd(video);
    shop.close();
    await rm(folder, { recursive: true, force: true });
  });
}

test("where nothing can be played the poster stays and says so", async ({ page, words, lookreel }) => {
  const slug = await slugWithVideo(page, words);
  const shop = await ForeignShop.open(lookreel.url, `<lookreel-video product="${slug}"></lookreel-video>`);
  const events = await heard(page);
  await page.addInitScript(() => {
    HTMLMediaElement.prototype.canPlayType = () => "";
  });
  await page.goto(shop.url);
  await expect.poll(events).toContain("error");
  await expect(page.locator("lookreel-video")).toHaveAttribute("data-state", "poster");
  shop.close();
});
