// What every journey starts from: a Lookreel of its own, somebody who is signed in, the words of the
// page's language, and a page that fails the test when the browser's console shows an error.

import { test as base, expect, type Page, request } from "@playwright/test";
import { Lookreel, READY_LIMIT_MS, STOP_LIMIT_MS } from "./server";
import { type Words, wordsOf } from "./words";

export { expectAccessible } from "./accessible";
export { expect };

type StorageState = { cookies: []; origins: [] };
type Options = {
  /** Console errors that a test brings about on purpose: `test.use({ allowedConsoleErrors: [/401/] })`. */
  allowedConsoleErrors: RegExp[];
  /** Whether the browser starts with the session of the first account. */
  signedIn: boolean;
};
type TestFixtures = Options & {
  /** The words of this page's language, from `app/locales`. */
  words: Words;
  consoleErrors: string[];
};
type WorkerFixtures = { lookreel: Lookreel; session: StorageState };

export const test = base.extend<TestFixtures, WorkerFixtures>({
  lookreel: [
    async ({}, use) => {
      const lookreel = await Lookreel.start();
      try {
        await use(lookreel);
      } finally {
        await lookreel.dispose();
      }
    },
    { scope: "worker", timeout: READY_LIMIT_MS + STOP_LIMIT_MS },
  ],

  // One for all journeys of a worker: attempts to sign in are limited.
  session: [
    async ({ lookreel }, use) => {
      const client = await request.newContext({ baseURL: lookreel.url });
      const form = { email: lookreel.adminEmail, password: lookreel.adminPassword, next: "" };
      const answer = await client.post("/api/session/sign-in", { form });
      expect(answer.ok(), "signing in").toBe(true);
      await use((await client.storageState()) as StorageState);
      await client.dispose();
    },
    { scope: "worker" },
  ],

  allowedConsoleErrors: [[], { option: true }],
  signedIn: [true, { option: true }],

  baseURL: async ({ lookreel }, use) => use(lookreel.url),
  storageState: async ({ signedIn, session }, use) => use(signedIn ? session : { cookies: [], origins: [] }),
  words: async ({ locale }, use) => use(wordsOf(locale?.slice(0, 2) ?? "ko")),

  // Automatic, so that no journey can forget it. Hydration mismatches show up here too.
  consoleErrors: [
    async ({ context, allowedConsoleErrors, lookreel }, use, testInfo) => {
      const errors: string[] = [];
      const note = (text: string) => {
        if (!allowedConsoleErrors.some((allowed) => allowed.test(text))) errors.push(text);
      };
      context.on("console", (message) => {
        if (message.type() === "error") note(`${message.text()} (${message.location().url})`);
      });
      context.on("weberror", (error) => note(String(error.error())));
      await use(errors);
      if (testInfo.status !== testInfo.expectedStatus || errors.length > 0) {
        await testInfo.attach("lookreel.log", { body: lookreel.log.join("\n"), contentType: "text/plain" });
      }
      expect(errors, "errors in the browser's console").toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a page of the desk and waits for its browser half; clicks before that may be lost. */
export async function openDesk(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

/** Resolves when the browser half has taken over. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
}
