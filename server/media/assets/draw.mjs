// Draws the labels of this folder: see README.md.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { chromium } = createRequire(here("../../../end2end/package.json"))("@playwright/test");
const font = readFileSync(here("../../../frontend/node_modules/pretendard/dist/web/variable/woff2/PretendardVariable.woff2")).toString("base64");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ deviceScaleFactor: 2 });
for (const [name, words] of [["ko", "AI 생성 영상"], ["en", "AI-generated"]]) {
  await page.setContent(`<style>
    @font-face { font-family: P; src: url(data:font/woff2;base64,${font}); font-weight: 45 920 }
    body { margin: 0; background: transparent }
    p { display: inline-block; margin: 0; padding: 0 20px; font: 500 27px/58px P; letter-spacing: 0; color: #fff;
        background: rgb(0 0 0 / 62%); border-radius: 12px }
  </style><p>${words}</p>`);
  await page.evaluate(() => document.fonts.ready);
  await page.locator("p").screenshot({ path: here(`label-${name}.png`), omitBackground: true });
}
await browser.close();
