// Empties functions that Leptos keeps behind function pointers although nothing of ours can call them, so
// that wasm-opt can drop them and what only they use.
//
//   node drop-unreached.mjs IN.wasm OUT.wasm      (from the top of the checkout; IN with names)
//
// hydrate_async is called by `hydrate_lazy` only, hydrate_from_template by the `template!` macro only: a
// first use of either has to take its line out of here, or the page stops with "unreachable". The names are whole:
// the function and the future it makes, but nothing inside of them, for that may be shared with others.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const UNREACHED = [
  /::hydrate_async(::\{\{closure\}\})?(::h[0-9a-f]{16})?$/,
  /IntoAnyAttribute>::into_any_attr::hydrate_from_template(::h[0-9a-f]{16})?$/,
];

const require = createRequire(resolve("frontend/package.json"));
const { default: binaryen } = await import(pathToFileURL(require.resolve("binaryen")));

const [input, output] = process.argv.slice(2);
binaryen.setDebugInfo(true);
const wasm = binaryen.readBinary(await readFile(input));
const emptied = UNREACHED.map(() => 0);
for (let index = 0; index < wasm.getNumFunctions(); index += 1) {
  const body = wasm.getFunctionByIndex(index);
  const { name } = binaryen.getFunctionInfo(body);
  const which = UNREACHED.findIndex((pattern) => pattern.test(name));
  if (which < 0) continue;
  binaryen.Function.setBody(body, wasm.unreachable());
  emptied[which] += 1;
}
if (emptied.includes(0)) {
  console.error(`error: a name has changed, nothing was emptied: ${UNREACHED[emptied.indexOf(0)]}`);
  process.exit(1);
}
await writeFile(output, wasm.emitBinary());
