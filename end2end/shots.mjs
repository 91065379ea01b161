// Pictures of every page, to be looked at:
//
//   node shots.mjs http://127.0.0.1:3000 /folder/for/pictures --simulator http://127.0.0.1:4000/
//
// The password of the account comes from LOOKREEL_PASSWORD, its address from LOOKREEL_EMAIL. With the simulator's
// address there are pictures of a running and of a failed generation as well; they are made on the way.
// `--widths 390,1280,1920 --themes light,dark --languages ko,en` choose what is taken; this is the default.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    simulator: { type: "string" },
    widths: { type: "string", default: "390,1280,1920" },
    themes: { type: "string", default: "light,dark" },
    languages: { type: "string", default: "ko,en" },
  },
});
const [url, folder] = positionals;
if (!url || !folder) {
  console.error("usage: node shots.mjs URL FOLDER [--simulator URL] [--widths …] [--themes …] [--languages …]");
  process.exit(2);
}

const HEIGHTS = { 390: 844, 1280: 800, 1920: 1080 };
const variants = values.languages.split(",").flatMap((language) =>
  values.widths.split(",").flatMap((width) => values.themes.split(",").map((theme) => ({ language, width: Number(width), theme }))),
);

/** Long enough for every picture of a running generation. */
const HOLD_MS = 10_000 + 5_000 * variants.length;

await mkdir(folder, { recursive: true });
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  await take();
} finally {
  await faults([]);
  await browser.close();
}

async function take() {
  for (const variant of variants) await shoot(variant, "sign-in", "/admin/sign-in");

  const session = await signIn();
  const desk = await open({ language: "en", width: 1280, theme: "light" }, session);
  await desk.goto("/admin/products?status=none");
  const fresh = await productPaths(desk);
  if (fresh[0]) for (const variant of variants) await shoot(variant, "product-before", fresh[0], session);

  if (values.simulator && fresh[0]) {
    await faults([{ model: "fal-ai", step: "run", times: 1, fault: "delay_ms", ms: HOLD_MS }]);
    const path = fresh[1] ?? fresh[0];
    await generate(desk, path);
    await desk.locator("[data-testid=stage-clip][data-state=running]").waitFor({ timeout: 60_000 });
    for (const variant of variants) {
      await shoot(variant, "product-while", path, session);
      await shoot(variant, "products-while", "/admin/products", session, false);
    }
    if (fresh[2]) {
      await faults([{ model: "fal-ai", step: "run", times: 9, fault: "moderation" }]);
      await generate(desk, fresh[2]);
      await desk.getByTestId("latest").getByRole("alert").waitFor({ timeout: 60_000 });
      const failed = await desk.locator(".card-head a[href^='/admin/generations/']").getAttribute("href");
      for (const variant of variants) {
        await shoot(variant, "product-failed", fresh[2], session);
        await shoot(variant, "generation-failed", failed, session);
      }
      await faults([]);
    }
    await desk.goto(path);
    await desk.getByTestId("published").waitFor({ timeout: HOLD_MS + 60_000 });
  }

  await desk.goto("/admin/products?status=ready");
  const [ready] = await productPaths(desk);
  await desk.goto("/admin/generations?state=completed");
  const generation = await first(desk, "[data-testid=generations] tbody a");
  for (const variant of variants) {
    await shoot(variant, "products", "/admin/products", session);
    await shoot(variant, "products-empty", "/admin/products?q=nothing-is-called-so", session);
    if (ready) await shoot(variant, "product-after", ready, session);
    await shoot(variant, "generations", "/admin/generations", session);
    if (generation) await shoot(variant, "generation", generation, session);
    await shoot(variant, "queue", "/admin/queue", session);
    await shoot(variant, "costs", "/admin/costs", session);
    await shoot(variant, "models", "/admin/models", session);
    await shoot(variant, "models-open", "/admin/models?model=fal%2Ffal-ai%2Fpika%2Fv2.2%2Fpikaframes", session);
    await shoot(variant, "bell", "/admin/products", session, false, (page) => page.getByTestId("bell").click());
    await shoot(variant, "person", "/admin/products", session, false, (page) => page.getByTestId("person-menu").click());
    await shoot(variant, "not-found", "/admin/nothing", session);
  }

  const shop = ready && (await slugOf(desk, ready));
  for (const variant of variants) {
    await shoot(variant, "shop", "/products");
    if (shop) await shoot(variant, "shop-product", shop);
    await shoot(variant, "shop-not-found", "/products/nothing");
  }
}

async function shoot(variant, name, path, session, whole = true, before = async () => {}) {
  const page = await open(variant, session);
  await page.goto(path, { waitUntil: "load" });
  if (path.startsWith("/admin")) await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  // Photos below the fold are loaded when they come near.
  await page.evaluate(async () => {
    for (const photo of document.images) photo.loading = "eager";
    await Promise.all([...document.images].map((photo) => photo.decode().catch(() => {})));
    await document.fonts.ready;
  });
  await before(page);
  const file = `${name}-${variant.width}-${variant.theme}-${variant.language}.png`;
  await page.screenshot({ path: join(folder, file), fullPage: whole });
  console.log(file);
  await page.context().close();
}

/** A page of a browser with its own language, theme and width. */
async function open({ language, width, theme }, session = { cookies: [], origins: [] }) {
  const { hostname: domain } = new URL(url);
  // As from a shopper's second page on.
  const chosen = { language, theme, typeface: "here" };
  const cookies = Object.entries(chosen).map(([name, value]) => ({
    name,
    value,
    domain,
    path: "/",
    expires: -1,
    httpOnly: true,
    secure: false,
    sameSite: "Lax",
  }));
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height: HEIGHTS[width] ?? 900 },
    colorScheme: theme,
    storageState: { ...session, cookies: [...session.cookies, ...cookies] },
    isMobile: width < 500,
    hasTouch: width < 500,
  });
  return context.newPage();
}

async function signIn() {
  const page = await open({ language: "en", width: 1280, theme: "light" });
  await page.goto("/admin/sign-in");
  await page.locator("#email").fill(process.env.LOOKREEL_EMAIL ?? "admin@lookreel.example");
  await page.locator("#password").fill(process.env.LOOKREEL_PASSWORD ?? "");
  await page.locator("button.primary").click();
  await page.waitForURL("**/admin/products");
  const state = await page.context().storageState();
  await page.context().close();
  return { ...state, cookies: state.cookies.filter(({ name }) => name !== "language" && name !== "theme") };
}

async function generate(page, path) {
  await page.goto(path);
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  await page.getByTestId("generate").click();
}

async function first(page, selector) {
  const link = page.locator(selector).first();
  return (await link.count()) > 0 ? link.getAttribute("href") : undefined;
}

async function productPaths(page) {
  const links = page.locator("[data-testid=products] td.cell-actions a, [data-testid=products] tbody tr td:last-child a");
  return links.evaluateAll((all) => [...new Set(all.map((link) => link.getAttribute("href")))]);
}

async function slugOf(page, path) {
  await page.goto(path);
  return first(page, "a[href^='/products/']");
}

async function faults(rules) {
  if (!values.simulator) return;
  const answer = await fetch(new URL("faults", values.simulator), {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(rules),
  });
  if (!answer.ok) throw new Error(`the simulator refused the faults: ${answer.status} ${await answer.text()}`);
}
