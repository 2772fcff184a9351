// SPDX-License-Identifier: MIT
// Where things are, and the page's modules as tests import them.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fill } from "./encode.mjs";

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this by ctest`);
  return value;
}

export const source = needed("MS_SOURCE");
export const build = needed("MS_BUILD");
export const modules = needed("MS_PAGE");
export const out = needed("MS_OUT");
export const dist = join(source, "tools/report/dist/report.html");

/** All exports of some files under tools/report/src, bundled as the page's build does it. */
export async function importSource(...files) {
  const { rolldown } = await import(pathToFileURL(createRequire(join(modules, "package.json")).resolve("rolldown")).href);
  const folder = mkdtempSync(join(tmpdir(), "memscope-unit-"));
  const entry = join(modules, "unit-entry.ts");
  writeFileSync(entry, files.map((f) => `export * from "./src/${f}";`).join("\n"));
  const bundle = await rolldown({ input: entry, logLevel: "silent" });
  const file = join(folder, "unit.mjs");
  await bundle.write({ file, format: "esm" });
  return import(pathToFileURL(file).href);
}

/** The committed page with data in it, as a file in the build folder. */
export function writePage(name, container) {
  const file = join(out, name);
  writeFileSync(file, fill(readFileSync(dist, "utf8"), container));
  return file;
}
