// Lays out the site: CSS bundles, names with a content hash, hash.txt, fonts, public files, .br and
// .gz beside every file that compresses; prints what the browser half weighs.
//
//   node assemble-site.mjs BUILT_DIR SITE_DIR      (from the top of the checkout)

import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, parse, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const COMPRESSED = new Set([".css", ".html", ".ico", ".js", ".json", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]);
const PRETENDARD = "frontend/node_modules/pretendard/dist/web/variable";
const PRETENDARD_CSS = "pretendardvariable-dynamic-subset.css";

// The oldest browsers with everything the styles rely on, light-dark() being the newest (2024): newer
// syntax than theirs is rewritten.
const BROWSERS = { chrome: 123 << 16, firefox: 120 << 16, safari: (17 << 16) | (5 << 8) };

const require = createRequire(resolve("frontend/package.json"));
const { bundle, transform } = require("lightningcss");

const [built, site] = process.argv.slice(2);

await rm(site, { recursive: true, force: true });
await mkdir(join(site, "pkg"), { recursive: true });
await cp("frontend/public", site, { recursive: true });
for (const name of ["embed.js", "plain.js", "shop.js"]) await writeFile(join(site, name), dense(await readFile(join(site, name), "utf8")));
await copyHls();
await copyFonts();
await writeFile(join(site, "hash.txt"), await placeHashed());
await Promise.all((await textFiles(site)).map(compress));
await reportSizes();

/** Puts each built file into pkg/ under its hash and returns the lines by which Leptos finds them. */
async function placeHashed() {
  const places = [
    ["js", "lookreel.js", await readFile(join(built, "lookreel.js"))],
    ["wasm", "lookreel.wasm", await readFile(join(built, "lookreel.wasm"))],
    ["css", "lookreel.css", bundleCss("style/main.css")],
  ];

  const lines = [];
  for (const [key, file, bytes] of places) {
    const { name, ext } = parse(file);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    await writeFile(join(site, "pkg", `${name}.${hash}${ext}`), bytes);
    lines.push(`${key}: ${hash}\n`);
  }
  // JavaScript that crates bring along; the generated code imports it by this path.
  const snippets = join(built, "snippets");
  if (existsSync(snippets)) await cp(snippets, join(site, "pkg/snippets"), { recursive: true });
  return lines.join("");
}

/** Follows every @import and returns one dense stylesheet. */
function bundleCss(filename) {
  return bundle({ filename, minify: true, targets: BROWSERS }).code;
}

/** A script without lines of comment, indentation, the line ends that say nothing and the spaces around operators. */
function dense(script) {
  const lines = script.replace(/^\s*\/\/.*\n/gm, "").replace(/^\s+/gm, "").replace(/([{,;])\n/g, "$1");
  return lines.replace(/ (=>|={1,3}|!==|&&|\|\|=?|\?\??|:|[<>]=?) /g, "$1");
}

/** hls.js, a module that the embedded player asks for where a browser cannot play HLS by itself. */
async function copyHls() {
  const folder = "frontend/node_modules/hls.js";
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const module = await readFile(join(folder, "dist/hls.light.min.mjs"), "utf8");
  const code = module.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
  await writeFile(join(site, "hls.light.min.js"), `/*! hls.js ${version}, ${license} */\n${code}`);
}

/** Pretendard in small pieces: a page loads only those with letters that it shows. */
async function copyFonts() {
  const fonts = join(site, "fonts");
  await cp(join(PRETENDARD, "woff2-dynamic-subset"), join(fonts, "woff2-dynamic-subset"), { recursive: true });
  const css = await readFile(join(PRETENDARD, PRETENDARD_CSS));
  const licence = css.subarray(0, css.indexOf("*/") + 3);
  const { code } = transform({ filename: PRETENDARD_CSS, code: css, minify: true });
  await writeFile(join(fonts, "pretendard.css"), Buffer.concat([licence, code]));
  // For pages on which nothing may move once it is seen (css-fonts-4, font-display).
  const inTime = code.toString().replaceAll("font-display:swap", "font-display:optional");
  if (inTime === code.toString()) throw new Error("the typeface no longer says font-display:swap");
  await writeFile(join(fonts, "pretendard-in-time.css"), Buffer.concat([licence, Buffer.from(inTime)]));
}

async function textFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== "hash.txt" && COMPRESSED.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

async function compress(file) {
  const bytes = await readFile(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params }));
  await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
}

async function reportSizes() {
  const pkg = join(site, "pkg");
  const names = (await readdir(pkg)).filter((name) => COMPRESSED.has(extname(name))).sort();
  const row = (...cells) => cells[0].padEnd(34) + cells.slice(1).map((cell) => String(cell).padStart(12)).join("");
  const rows = [row("pkg (bytes)", "raw", "gzip", "brotli")];
  for (const name of names) {
    const file = join(pkg, name);
    const [raw, gz, br] = await Promise.all(
      [file, `${file}.gz`, `${file}.br`].map(async (path) => (await readFile(path)).length),
    );
    rows.push(row(name, raw, gz, br));
  }
  const table = rows.join("\n");
  console.log(table);
  await writeFile(`${site}-sizes.txt`, `${table}\n`);
}
