// SPDX-License-Identifier: MIT
// One file out: script and style inline, nothing loaded, the same bytes from the same sources.
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";
import { contentSecurityPolicy } from "./build/csp.js";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [viteSingleFile({ removeViteModuleLoader: true }), contentSecurityPolicy()],
  build: {
    target: "es2022",
    modulePreload: false,
    rolldownOptions: { input: "report.html" },
    reportCompressedSize: false,
  },
});
