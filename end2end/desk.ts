// What people do at the desk, step by step.

import { randomUUID } from "node:crypto";

import { type APIRequestContext, expect, type Locator, type Page } from "@playwright/test";
import { hydrated, openDesk } from "./lookreel";
import type { Lookreel } from "./server";
import type { Words } from "./words";

/** A product as the desk lists it. */
export type Product = { path: string; name: string };

/** Fills and sends the form of sign-in that is open. */
export async function signIn(page: Page, words: Words, lookreel: Lookreel, password = lookreel.adminPassword): Promise<void> {
  await page.getByLabel(words("sign_in.email")).fill(lookreel.adminEmail);
  await page.getByLabel(words("sign_in.password")).fill(password);
  await page.getByRole("button", { name: words("sign_in.submit") }).click();
}

/** A product nothing was made of yet: one of the sample shop or, when earlier journeys have used them up, a new one. */
export async function freshProduct(page: Page): Promise<Product> {
  await page.goto("/admin/products?status=none");
  const link = page.getByTestId("products").getByRole("row").getByRole("link").first();
  if ((await link.count()) === 0) return addProduct(page.request);
  const path = (await link.getAttribute("href")) ?? "";
  return { path, name: await link.locator(".cell-name").innerText() };
}

/** Adds a product with the photo of another one, as a shop's own code does. */
async function addProduct(request: APIRequestContext): Promise<Product> {
  const listed: { photos: { url: string }[] }[] = (await (await request.get("/api/admin/products?limit=100")).json()).items;
  const photo = await request.get(listed.flatMap(({ photos }) => photos)[0].url);
  const slug = `journey-${randomUUID()}`;
  const name = `Journey ${slug.slice(-12)}`;
  const data = { slug, sku: slug.slice(-12), name: { ko: name, en: name }, category: "shirt", priceKrw: 39_000 };
  const added = await request.post("/api/admin/products", { data });
  expect(added.status(), await added.text()).toBe(201);
  const path = `/admin/products/${(await added.json()).productId}`;
  const file = { name: "photo.jpg", mimeType: "image/jpeg", buffer: await photo.body() };
  const stored = await request.post(`/api${path}/photos`, { multipart: { photo: file } });
  expect(stored.status(), await stored.text()).toBe(201);
  return { path, name };
}

export function generateButton(page: Page, words: Words): Locator {
  return page.getByRole("button", { name: words("generate.button") });
}

export function stage(page: Page, name: "stills" | "clip" | "encode" | "publish"): Locator {
  return page.getByTestId(`stage-${name}`);
}

/** Opens a product and clicks; resolves when its first stage is shown. */
export async function startGeneration(page: Page, words: Words, product: Product): Promise<void> {
  await openDesk(page, product.path);
  await generateButton(page, words).click();
  await expect(stage(page, "stills")).toBeVisible();
}

/** Resolves when both stills are there and the clip is being made. */
export async function clipIsBeingMade(page: Page, words: Words): Promise<void> {
  await expect(stage(page, "stills")).toHaveAttribute("data-state", "done");
  await expect(page.getByRole("main").getByText(words("state.generating_video")).first()).toBeVisible();
}

/** The address of the latest generation's own page, from the product's page. */
export async function latestGeneration(page: Page, words: Words): Promise<string> {
  const details = page.getByRole("main").getByRole("link", { name: words("product.details") }).first();
  return (await details.getAttribute("href")) ?? "";
}

/** How many generations the desk knows of a product. */
export async function generationCount(page: Page, product: Product): Promise<number> {
  await openDesk(page, `/admin/generations?q=${encodeURIComponent(product.name)}`);
  await expect(page.getByRole("main").locator("table, .empty").first()).toBeVisible();
  return page.getByTestId("generations").locator("tbody tr").count();
}

/** What `productWithVideo` made in this Lookreel: there is one for each process of journeys. */
let withVideo: { desk: string; shop: string } | undefined;

/**
 * The addresses of a product with one video in the shop, made from the form as it stands (one MP4); the journeys of a Lookreel
 * share it. What other journeys made is not taken: it may have more than one codec, or two videos.
 */
export async function productWithVideo(page: Page, words: Words): Promise<{ desk: string; shop: string }> {
  if (withVideo) {
    await openDesk(page, withVideo.desk);
    return withVideo;
  }
  const product = await freshProduct(page);
  await startGeneration(page, words, product);
  await expect(stage(page, "publish")).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  const shop = await page.getByRole("link", { name: words("product.shop") }).getAttribute("href");
  expect(shop).toMatch(/^\/products\//);
  withVideo = { desk: product.path, shop: shop ?? "" };
  return withVideo;
}

/** The fields of a product's form, to be sent by hand. */
export async function formOf(client: APIRequestContext, product: Product): Promise<Record<string, string>> {
  const html = await (await client.get(product.path)).text();
  const hidden = (name: string) => {
    const input = html.match(new RegExp(`<input[^>]*name="${name}"[^>]*>`))?.[0] ?? "";
    return input.match(/value="([^"]*)"/)?.[1] ?? "";
  };
  return {
    product_id: hidden("product_id"),
    key: hidden("key"),
    recipe: "product_video",
    model_type: "female",
    duration: "4",
    resolution: "720p",
    fps: "24",
  };
}

export const CLICK = "/api/admin/generations/create";

/** Reloads as a person would, and waits until the page is awake again. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await hydrated(page);
}
