// A Lookreel: the real binary in the role `up`, with its own Postgres, Redis, store and simulated providers on free ports.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const READY_LIMIT_MS = 180_000;
export const STOP_LIMIT_MS = 40_000;
const LOG_LINES = 400;

/** The simulated providers are quick, not instant: a journey can watch every stage. */
const QUICK = {
  SIMULATOR_STILL_DELAY_MS: "300",
  SIMULATOR_QUEUE_DELAY_MS: "100",
  SIMULATOR_CLIP_DELAY_MS: "500",
  POLL_INTERVAL_SECS: "0.5",
  RETRY_BASE_SECS: "0",
  // After a kill its jobs are taken over when their lease has run out.
  LEASE_SECS: "3",
  // One model for every stage: what goes wrong with it is seen, not replaced.
  PRODUCT_STILL_MODELS: "gemini-nano-banana-2.1",
  PRODUCT_CLIP_MODELS: "fal-ai/pika/v2.2/pikaframes",
  // The slowest of the codecs; journeys that look at it switch it on.
  AV1: "false",
};

/** One rule of the simulator's `/faults`; see server/simulator/README.md. */
export type Fault = { fault: string; model?: string; step?: string; times?: number } & Record<string, unknown>;

/** What the simulator billed. */
export type Invoice = {
  total_micro_usd: number;
  entries: { request_id: string; endpoint: string; amount_micro_usd: number }[];
};

export class Lookreel {
  url = "";
  adminEmail = "";
  adminPassword = "";
  simulatorUrl = "";
  /** The last lines it logged. */
  readonly log: string[] = [];
  private process: ChildProcess | undefined;

  private constructor(private readonly state: string) {}

  static async start(): Promise<Lookreel> {
    const state = await mkdtemp(join(tmpdir(), "lookreel-"));
    // Started as root, the private Postgres runs as somebody else, who has to get in.
    await chmod(state, 0o711);
    const lookreel = new Lookreel(state);
    try {
      await lookreel.run("127.0.0.1:0", {});
    } catch (error) {
      await lookreel.dispose();
      throw error;
    }
    return lookreel;
  }

  /** Ends it, as a person (SIGINT) or a power cut (SIGKILL) would, and starts it on the same data and port. */
  async restart(how: "SIGINT" | "SIGKILL", env: Record<string, string> = {}): Promise<void> {
    await this.end(how);
    await this.run(new URL(this.url).host, env);
  }

  /** Ends it; `run` or `restart` bring it back. */
  async end(how: "SIGINT" | "SIGKILL"): Promise<void> {
    const process = this.process;
    if (process === undefined || process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, "exit");
    process.kill(how);
    const limit = setTimeout(() => process.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  /** Stops it and everything it started, and forgets its data. */
  async dispose(): Promise<void> {
    await this.end("SIGINT");
    await rm(this.state, { recursive: true, force: true });
  }

  async invoice(): Promise<Invoice> {
    const answer = await fetch(new URL("invoice", this.simulatorUrl));
    return (await answer.json()) as Invoice;
  }

  /** What the simulated providers do wrong from now on; nothing by default. */
  async faults(rules: Fault[] = []): Promise<void> {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(new URL("faults", this.simulatorUrl), { method: "PUT", headers, body: JSON.stringify(rules) });
    if (!answer.ok) throw new Error(`the simulator refused the faults: ${answer.status} ${await answer.text()}`);
  }

  private async run(listen: string, env: Record<string, string>): Promise<void> {
    const cargoTarget = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/lookreel/target");
    const program = process.env.LOOKREEL_BIN ?? join(cargoTarget, "debug/lookreel");
    const site = process.env.LEPTOS_SITE_ROOT ?? fileURLToPath(new URL("../target/site", import.meta.url));
    const server = spawn(program, ["up", "--state-dir", this.state, "--listen", listen, "--ready-json"], {
      env: { ...withoutServices(process.env), LEPTOS_SITE_ROOT: site, ...QUICK, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = server;
    createInterface({ input: server.stderr! }).on("line", (line) => this.keep(line));
    try {
      const ready = await this.readyLine(server);
      this.url = ready.url.replace(/\/$/, "");
      this.adminEmail = ready.admin_email;
      this.adminPassword = ready.admin_password;
      this.simulatorUrl = ready.simulator_url;
    } catch (error) {
      await this.end("SIGINT");
      throw new Error(`${program} did not start: ${error}\n${this.log.join("\n")}`);
    }
  }

  private keep(line: string): void {
    this.log.push(line);
    if (this.log.length > LOG_LINES) this.log.shift();
  }

  private readyLine(server: ChildProcess): Promise<Record<string, string>> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`not ready after ${READY_LIMIT_MS / 1000} s`)), READY_LIMIT_MS);
      const settle = (finish: () => void) => {
        clearTimeout(limit);
        finish();
      };
      createInterface({ input: server.stdout! }).on("line", (line) => {
        this.keep(line);
        if (line.startsWith("{") && line.includes('"url"')) settle(() => resolve(JSON.parse(line)));
      });
      server.once("error", (error) => settle(() => reject(error)));
      server.once("exit", (code, signal) => settle(() => reject(new Error(`it ended (${signal ?? code})`))));
    });
  }
}

/** The developer's own servers and keys are not for tests. */
function withoutServices(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const theirs = /^(DATABASE_URL|REDIS_URL|FAL_KEY|GEMINI_API_KEY|S3_.*)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !theirs.test(name)));
}
