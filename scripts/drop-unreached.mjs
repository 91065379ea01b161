// Empties functions that Leptos keeps behind function pointers although nothing of ours can call them, so
// that wasm-opt can drop them and what only they use.
//
//   node drop-unreached.mjs IN.wasm OUT.wasm      (from the top of the checkout; IN with names)
//
// hydrate_async is called by `hydrate_lazy` only, hydrate_from_template by the `template!` macro only: a
// first use of either has to take its line out of here, or the page stops with "unreachable". The names are whole:
// the function and the future it makes, but nothing inside of them, for that may be shared with others.
//
// They come in both manglings of rustc, `<T as RenderHtml>::hydrate_async::{{closure}}::h0123456789abcdef` and
// `<T as RenderHtml>::hydrate_async::<U>::{closure#0}[1]`, and are compared without what stands between < and >.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const UNREACHED = [/::hydrate_async(::\{\{closure\}\}|::\{closure#0\})?$/, /::hydrate_from_template$/];

/** A function's path without types and without the hash at its end. */
function pathOf(name) {
  let path = "";
  let depth = 0;
  for (let at = 0; at < name.length; at += 1) {
    if (name[at] === "<") depth += 1;
    else if (name[at] === ">" && name[at - 1] !== "-") depth -= 1;
    else if (depth === 0) path += name[at];
  }
  return path.replace(/(::h[0-9a-f]{16}|\[\d+\])$/, "").replaceAll("::::", "::").replace(/::$/, "");
}

const require = createRequire(resolve("frontend/package.json"));
const { default: binaryen } = await import(pathToFileURL(require.resolve("binaryen")));

const [input, output] = process.argv.slice(2);
binaryen.setDebugInfo(true);
const wasm = binaryen.readBinary(await readFile(input));
const emptied = UNREACHED.map(() => 0);
for (let index = 0; index < wasm.getNumFunctions(); index += 1) {
  const body = wasm.getFunctionByIndex(index);
  const { name } = binaryen.getFunctionInfo(body);
  const which = UNREACHED.findIndex((pattern) => pattern.test(pathOf(name)));
  if (which < 0) continue;
  binaryen.Function.setBody(body, wasm.unreachable());
  emptied[which] += 1;
}
if (emptied.includes(0)) {
  // It costs kilobytes, nothing else; a site over its budget is refused by build-site.
  console.error(`warning: a name has changed, nothing was emptied: ${UNREACHED[emptied.indexOf(0)]}`);
}
await writeFile(output, wasm.emitBinary());
