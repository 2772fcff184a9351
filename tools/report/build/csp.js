// SPDX-License-Identifier: MIT
// Puts a content security policy into the built page that allows its own script
// and style, by hash, and nothing else: no network, no eval, no frames. The
// page's data is a <script> of an unknown type, which is never executed and so
// needs no hash: `memscope report` can fill it in without touching the policy.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const sha256 = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
const bodies = (html, tag) => [...html.matchAll(new RegExp(`<${tag}\\b([^>]*)>([\\s\\S]*?)</${tag}>`, "g"))];

export function withPolicy(html) {
  const scripts = bodies(html, "script").filter(([, attributes]) => !attributes.includes("application/x-memscope"));
  const styles = bodies(html, "style");
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(([, , body]) => sha256(body)).join(" ")}`,
    `style-src ${styles.map(([, , body]) => sha256(body)).join(" ")}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html.replace("<!-- policy -->", () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`);
}

export function contentSecurityPolicy() {
  let folder = "dist";
  return {
    name: "memscope-policy",
    apply: "build",
    configResolved(config) { folder = join(config.root, config.build.outDir); },
    // Behind every other plugin: the hashes are of the bytes on disk.
    closeBundle() {
      const file = join(folder, "report.html");
      writeFileSync(file, withPolicy(readFileSync(file, "utf8")));
    },
  };
}
