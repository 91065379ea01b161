import { existsSync } from "node:fs";
import { defineConfig, devices } from "@playwright/test";

// Debian's browser where there is one; otherwise the one that Playwright installed.
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));

const desktop = devices["Desktop Chrome"];

export default defineConfig({
  testDir: "journeys",
  // One lookreel per worker (see lookreel.ts), each with its own Postgres, Redis and encoder: one at
  // a time is what two cores carry.
  workers: 1,
  forbidOnly: !!process.env.CI,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    // Recording slows two cores down by a fifth: `--trace on` when one is needed.
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Clips have to start by themselves, as they do for a shopper.
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
  },
  projects: [
    { name: "ko", testIgnore: "**/*.no-js.spec.ts", use: { ...desktop, locale: "ko-KR", timezoneId: "Asia/Seoul" } },
    {
      name: "en",
      // What does not depend on the language is shown once.
      testIgnore: [
        "**/*.no-js.spec.ts",
        "**/api.spec.ts",
        "**/embed.spec.ts",
        "**/interruptions.spec.ts",
        "**/keyboard.spec.ts",
        "**/shop.spec.ts",
        "**/streaming.spec.ts",
      ],
      use: { ...desktop, locale: "en-US", timezoneId: "America/New_York" },
    },
    {
      name: "no-js",
      testMatch: "**/*.no-js.spec.ts",
      use: { ...desktop, locale: "ko-KR", timezoneId: "Asia/Seoul", javaScriptEnabled: false },
    },
  ],
});
