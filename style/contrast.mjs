// Checks that what must be read can be read: text 4.5:1, marks and control borders 3:1 (WCAG 2.2 AA), light and dark.
import { readFileSync } from "node:fs";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");
const pairs = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g)].map(([, name, light, dark]) => [name, [light, dark]]),
);
const aliases = new Map([...css.matchAll(/--([\w-]+): var\(--([\w-]+)\);/g)].map(([, name, target]) => [name, target]));

const colour = (name, theme) => {
  const found = pairs.get(name) ?? pairs.get(aliases.get(name));
  if (!found) throw new Error(`no colour --${name}`);
  return found[theme];
};
const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const states = ["running", "done", "attention", "failed"];
const grounds = ["ground", "surface", "raised", "sunken"];
const wanted = [
  ...["text", "text-muted", "accent-text"].flatMap((text) => [...grounds, "neutral-3", "neutral-4"].map((on) => [text, on, 4.5])),
  ["accent-ink", "accent", 4.5],
  ["accent-ink", "accent-hover", 4.5],
  ["accent-text", "accent-wash", 4.5],
  ...states.flatMap((state) => [`${state}-wash`, ...grounds].map((on) => [`${state}-text`, on, 4.5])),
  ...states.map((state) => ["text", `${state}-wash`, 4.5]),
  ...states.map((state) => ["text-muted", `${state}-wash`, 4.5]),
  ...["ground", "surface"].flatMap((on) => [
    ["line-control", on, 3],
    ["accent", on, 3],
    ...[1, 2, 3, 4].map((part) => [`series-${part}`, on, 3]),
  ]),
  ["accent", "neutral-5", 3],
];

let failed = 0;
let lowest = Infinity;
for (const [front, back, least] of wanted) {
  for (const theme of [0, 1]) {
    const value = ratio(colour(front, theme), colour(back, theme));
    lowest = Math.min(lowest, value / least);
    if (value < least) {
      failed += 1;
      console.log(`${theme ? "dark " : "light"} ${front} on ${back}: ${value.toFixed(2)}, wanted ${least}`);
    }
  }
}
console.log(`${wanted.length * 2} pairs, ${failed} too close, tightest at ${(lowest * 100).toFixed(0)} % of what it needs`);
process.exitCode = failed ? 1 : 0;
