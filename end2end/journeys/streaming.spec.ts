// What is made of a clip, as readers and players see it that know nothing of us.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as hls from "hls-parser";
import { Parser } from "m3u8-parser";
import { createFile, MP4BoxBuffer } from "mp4box";

import type { Page } from "@playwright/test";

import { freshProduct, generateButton, stage } from "../desk";
import { expect, openDesk, test } from "../lookreel";
import type { Words } from "../words";

const files = createRequire(import.meta.url);

/** Makes a video with everything that can be made besides, and answers its folder. */
async function makeEverything(page: Page, words: Words): Promise<string> {
  const product = await freshProduct(page);
  await openDesk(page, product.path);
  await page.locator("label", { hasText: words("options.format_webm") }).click();
  await page.getByLabel(words("options.hls")).check();
  await page.getByLabel(words("options.branding")).check();
  await page.locator("label", { hasText: "1080p" }).click();
  await expect(generateButton(page, words)).toBeEnabled();
  await generateButton(page, words).click();
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 90_000 });
  const poster = await page.locator("video[poster]").first().getAttribute("poster");
  return poster!.replace(/thumbnails\/.*$/, "");
}

async function bytes(page: Page, url: string): Promise<ArrayBuffer> {
  const answer = await page.request.get(url);
  expect(answer.status(), url).toBe(200);
  const body = await answer.body();
  return body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer;
}

async function text(page: Page, url: string): Promise<string> {
  return Buffer.from(await bytes(page, url)).toString("utf8");
}

/** What an independent reader finds in the boxes of a file. */
async function boxes(page: Page, url: string) {
  const file = createFile();
  const ready = new Promise<{ duration: number; timescale: number; tracks: { codec: string; nb_samples: number }[] }>((done, failed) => {
    file.onReady = done as never;
    file.onError = failed as never;
  });
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(await bytes(page, url), 0), true);
  file.flush();
  return { ...(await ready), order: file.boxes.map((box: { type?: string }) => box.type) };
}

// The page of this test feeds players that a shop would bring along.
test.use({ bypassCSP: true });

test("players and parsers that know nothing of us accept all of it", async ({ page, words, lookreel, baseURL }) => {
  test.setTimeout(240_000);
  const folder = await makeEverything(page, words);

  // Two parsers that have nothing in common agree on the playlists.
  const master = await text(page, `${folder}hls/playlist.m3u8`);
  const one = new Parser();
  one.push(master);
  one.end();
  const other = hls.parse(master) as hls.types.MasterPlaylist;
  expect(other.isMasterPlaylist).toBe(true);
  expect(other.variants.length).toBeGreaterThan(0);
  expect(one.manifest.playlists.map((list) => list.uri)).toEqual(other.variants.map((variant) => variant.uri));
  for (const [index, variant] of other.variants.entries()) {
    const attributes = one.manifest.playlists[index].attributes as Record<string, unknown>;
    expect(attributes.BANDWIDTH).toBe(variant.bandwidth);
    expect(Number(attributes["AVERAGE-BANDWIDTH"])).toBe(variant.averageBandwidth);
    expect(variant.codecs).toMatch(/^avc1\.6400(1f|28)$/);
    expect(variant.resolution!.height).toBeGreaterThan(variant.resolution!.width);
    expect(variant.frameRate).toBe(24);
    expect(variant.averageBandwidth!).toBeLessThanOrEqual(variant.bandwidth!);
    const list = await text(page, `${folder}hls/${variant.uri}`);
    const media = hls.parse(list) as hls.types.MediaPlaylist;
    const again = new Parser();
    again.push(list);
    again.end();
    expect(again.manifest.endList && media.endlist).toBe(true);
    expect(again.manifest.segments.map((segment) => segment.uri)).toEqual(media.segments.map((segment) => segment.uri));
    const length = media.segments.reduce((sum, segment) => sum + segment.duration, 0);
    expect(Math.abs(length - 4)).toBeLessThan(0.05);
    const place = `${folder}hls/${variant.uri.replace(/[^/]+$/, "")}`;
    for (const segment of media.segments) {
      const size = (await bytes(page, place + segment.uri)).byteLength;
      expect((size * 8) / segment.duration).toBeLessThanOrEqual(variant.bandwidth! + 8);
    }
  }

  // A reader of boxes: header first, one track, every frame.
  const sources = await page.locator("video source").evaluateAll((all) => all.map((source) => [source.getAttribute("src")!, source.getAttribute("type")!]));
  const played = sources.filter(([url]) => url.startsWith(folder));
  expect(played.some(([, type]) => type.startsWith("video/webm"))).toBe(true);
  for (const [url, type] of played.filter(([, type]) => type.startsWith("video/mp4"))) {
    const found = await boxes(page, url);
    expect(found.tracks.map((track) => [`video/mp4; codecs="${track.codec}"`, track.nb_samples])).toEqual([[type, 96]]);
    expect(found.order.indexOf("moov")).toBeLessThan(found.order.indexOf("mdat"));
  }

  // Chromium by itself, every file; then hls.js and Shaka, which feed it themselves.
  await page.goto(`${baseURL}/products`);
  const address = (path: string) => new URL(path, baseURL).href;
  const watch = (start: string) => page.evaluate(`new Promise((done, failed) => {
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    document.body.append(video);
    let frames = 0;
    const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
    video.requestVideoFrameCallback(count);
    video.onended = () => done({ frames, height: video.videoHeight, seconds: video.duration });
    video.onerror = () => failed(new Error("it does not play: " + video.error?.message));
    setTimeout(() => failed(new Error("it does not end, at " + video.currentTime)), 30000);
    (async () => { ${start}; await video.play(); })().catch(failed);
  })`) as Promise<{ frames: number; height: number; seconds: number }>;
  const playlist = address(`${folder}hls/playlist.m3u8`);
  const library = (name: string) => readFileSync(files.resolve(name), "utf8");
  await page.evaluate(library("hls.js/dist/hls.light.min.js"));
  await page.evaluate(library("shaka-player/dist/shaka-player.compiled.js"));
  const starts = [
    ...played.map(([url]) => `video.src = ${JSON.stringify(address(url))}`),
    `video.src = ${JSON.stringify(playlist)}`,
    `const hls = new Hls(); hls.loadSource(${JSON.stringify(playlist)}); hls.attachMedia(video); await new Promise((is) => hls.on(Hls.Events.MANIFEST_PARSED, is))`,
    `const player = new shaka.Player(); await player.attach(video); await player.load(${JSON.stringify(playlist)})`,
  ];
  for (const start of starts) {
    const seen = await watch(start);
    expect(seen.frames, start).toBeGreaterThan(20);
    expect(seen.height, start).toBeGreaterThanOrEqual(720);
    expect(Math.abs(seen.seconds - 4), start).toBeLessThan(0.2);
  }
  await lookreel.faults();
});
