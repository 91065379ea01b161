// What a shopper's browser makes of a product page: when the first frame of the clip is seen after navigation, what the
// largest paint was and when, and how much moved. Prints one line of JSON; `make bench` asks for it.
//
//   node first-frame.mjs http://127.0.0.1:3000/products/oxford-shirt
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";

const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: node first-frame.mjs URL");
  process.exit(2);
}
const WARM_UP = 2;
const RUNS = 11;

const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));
const args = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"];
const browser = await chromium.launch({ executablePath, args });
try {
  const seen = [];
  for (let run = 0; run < WARM_UP + RUNS; run += 1) {
    const found = await look();
    if (run >= WARM_UP) seen.push(found);
  }
  console.log(
    JSON.stringify({
      first_frame_ms: seen.map((one) => one.firstFrame),
      lcp_ms: seen.map((one) => one.lcp.time),
      lcp_element: seen[0].lcp.element,
      cls: Math.max(...seen.map((one) => one.cls)),
    }),
  );
} finally {
  await browser.close();
}

/** One visit of somebody who was never here: nothing is cached. */
async function look() {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.seen = { firstFrame: null, lcp: { time: 0, element: "none" }, cls: 0 };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const element = entry.element;
        const name = element ? `${element.localName}${element.localName === "video" ? " poster" : ""}` : "none";
        window.seen.lcp = { time: entry.startTime, element: name };
      }
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.seen.cls += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    new MutationObserver(() => {
      const video = document.querySelector("video");
      if (!video || video.dataset.watched) return;
      video.dataset.watched = "yes";
      video.requestVideoFrameCallback((now) => (window.seen.firstFrame ??= now));
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(url);
  await page.waitForFunction(() => window.seen.firstFrame !== null, null, { timeout: 20_000 });
  await page.waitForTimeout(300);
  const seen = await page.evaluate(() => window.seen);
  await context.close();
  return seen;
}
