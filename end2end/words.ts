// The words of the product, from the files the product is built with.

import { readFileSync } from "node:fs";

/** `words("generate.price", { price: "$0.27" })`; an unknown name is an error. */
export type Words = (name: string, values?: Record<string, string | number>) => string;

export function wordsOf(language: string): Words {
  const all = JSON.parse(readFileSync(new URL(`../app/locales/${language}.json`, import.meta.url), "utf8"));
  return (name, values = {}) => {
    const text = name.split(".").reduce((part, key) => part?.[key], all);
    if (typeof text !== "string") throw new Error(`app/locales/${language}.json has no text ${name}`);
    return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, key) => {
      if (!(key in values)) throw new Error(`${name} needs ${key}`);
      return String(values[key]);
    });
  };
}

/** Millionths of a dollar as pages show them: two decimals from one dollar up, four below. */
export function money(microUsd: number): string {
  const decimals = microUsd >= 1_000_000 || microUsd === 0 ? 2 : 4;
  return `$${rounded(microUsd, decimals)}`;
}

/** All six decimals, as tables that are compared with an invoice show them. */
export function exactMoney(microUsd: number): string {
  return `$${rounded(microUsd, 6)}`;
}

/** In integers: halves go up, as they do on the server. */
function rounded(microUsd: number, decimals: number): string {
  const step = 10 ** (6 - decimals);
  const steps = String(Math.floor((microUsd + step / 2) / step)).padStart(decimals + 1, "0");
  return `${steps.slice(0, -decimals)}.${steps.slice(-decimals)}`;
}
