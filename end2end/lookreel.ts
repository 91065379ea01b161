// What every journey starts from: a Lookreel of its own, and a page that fails the test when the
// browser's console shows an error.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import AxeBuilder from "@axe-core/playwright";
import { type Page, test as base, expect } from "@playwright/test";

const READY_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 40_000;
const LOG_LINES = 400;

/** The simulated providers answer at once and cost the usual prices. */
const FAST_SIMULATOR = {
  SIMULATOR_STILL_MS: "100",
  SIMULATOR_CLIP_MS: "300",
};

/** What `lookreel up --ready-json` prints on one line when everything runs. */
export type Lookreel = {
  url: string;
  adminEmail: string;
  adminPassword: string;
  simulatorUrl: string;
  /** The last lines it logged. */
  log: string[];
};

type Options = { allowedConsoleErrors: RegExp[] };
type WorkerFixtures = { lookreel: Lookreel };
type TestFixtures = Options & { consoleErrors: string[] };

export const test = base.extend<TestFixtures, WorkerFixtures>({
  lookreel: [
    async ({}, use) => {
      const state = await mkdtemp(join(tmpdir(), "lookreel-"));
      // Started as root, the private Postgres runs as somebody else, who has to get in.
      await chmod(state, 0o711);
      let server: Awaited<ReturnType<typeof start>> | undefined;
      try {
        server = await start(state);
        await use(server.lookreel);
      } finally {
        if (server) await stop(server.process);
        await rm(state, { recursive: true, force: true });
      }
    },
    { scope: "worker", timeout: READY_LIMIT_MS + STOP_LIMIT_MS },
  ],

  baseURL: async ({ lookreel }, use) => use(lookreel.url),

  /** Console errors that a test brings about on purpose: `test.use({ allowedConsoleErrors: [/401/] })`. */
  allowedConsoleErrors: [[], { option: true }],

  // Automatic, so that no journey can forget it. Hydration mismatches show up here too.
  consoleErrors: [
    async ({ page, allowedConsoleErrors, lookreel }, use, testInfo) => {
      const errors: string[] = [];
      const note = (text: string) => {
        if (!allowedConsoleErrors.some((allowed) => allowed.test(text))) errors.push(text);
      };
      page.on("console", (message) => {
        if (message.type() === "error") note(`${message.text()} (${message.location().url})`);
      });
      page.on("pageerror", (error) => note(String(error)));
      await use(errors);
      if (testInfo.status !== testInfo.expectedStatus || errors.length > 0) {
        await testInfo.attach("lookreel.log", { body: lookreel.log.join("\n"), contentType: "text/plain" });
      }
      expect(errors, "errors in the browser's console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Resolves when the browser half has taken over; clicks before that may be lost. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
}

/** No accessibility violation that axe can find. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target).join(", ")})`);
  expect(found, "accessibility").toEqual([]);
}

async function start(state: string): Promise<{ process: ChildProcess; lookreel: Lookreel }> {
  const cargoTarget = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/lookreel/target");
  const program = process.env.LOOKREEL_BIN ?? join(cargoTarget, "debug/lookreel");
  const server = spawn(program, ["up", "--state-dir", state, "--listen", "127.0.0.1:0", "--ready-json"], {
    env: { ...withoutServices(process.env), ...FAST_SIMULATOR },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  const keep = (line: string) => {
    log.push(line);
    if (log.length > LOG_LINES) log.shift();
  };
  createInterface({ input: server.stderr! }).on("line", keep);
  try {
    const ready = await readyLine(server, keep);
    return {
      process: server,
      lookreel: {
        url: ready.url,
        adminEmail: ready.admin_email,
        adminPassword: ready.admin_password,
        simulatorUrl: ready.simulator_url,
        log,
      },
    };
  } catch (error) {
    await stop(server);
    throw new Error(`${program} did not start: ${error}\n${log.join("\n")}`);
  }
}

/** The developer's own servers and keys are not for tests. */
function withoutServices(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const theirs = /^(DATABASE_URL|REDIS_URL|FAL_KEY|GEMINI_API_KEY|S3_.*)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !theirs.test(name)));
}

function readyLine(server: ChildProcess, keep: (line: string) => void): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`not ready after ${READY_LIMIT_MS / 1000} s`)), READY_LIMIT_MS);
    const settle = (finish: () => void) => {
      clearTimeout(limit);
      finish();
    };
    createInterface({ input: server.stdout! }).on("line", (line) => {
      keep(line);
      if (line.startsWith("{") && line.includes('"url"')) settle(() => resolve(JSON.parse(line)));
    });
    server.once("error", (error) => settle(() => reject(error)));
    server.once("exit", (code, signal) => settle(() => reject(new Error(`it ended (${signal ?? code})`))));
  });
}

/** Ctrl-C, as a person would; it has to stop everything it started. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGINT");
  const limit = setTimeout(() => server.kill("SIGKILL"), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}
