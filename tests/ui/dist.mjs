// SPDX-License-Identifier: MIT
// The committed page is what its sources make, byte for byte, fits its size, and
// carries a policy that allows nothing but itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { dist, modules } from "./source.mjs";

const committed = readFileSync(dist, "utf8");

test("npm run build makes the committed file", () => {
  const done = spawnSync("npm", ["run", "--silent", "build"], { cwd: modules, encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout + done.stderr);
  const built = readFileSync(join(modules, "dist/report.html"), "utf8");
  assert.ok(built === committed, "tools/report/dist/report.html is not what its sources make: run npm ci && npm run build there and commit the file");
});

test("the page itself is below 190 kB and loads nothing", () => {
  assert.ok(committed.length < 190_000, `${committed.length} bytes`);
  assert.doesNotMatch(committed, /<(link|script|img|iframe)[^>]*(src|href)=["'](?!data:)/);
});

test("one place for data, and no script body that ends early", () => {
  assert.equal(committed.split('<script type="application/x-memscope" id="memscope-data"></script>').length, 2);
  assert.equal(committed.match(/<script/g).length, committed.match(/<\/script>/g).length);
});

test("the policy names exactly the script and the style that are there", () => {
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(committed)[1];
  const hash = (tag) => {
    const body = new RegExp(`<${tag}(?![^>]*memscope-data)[^>]*>([\\s\\S]*?)</${tag}>`).exec(committed)[1];
    return `'sha256-${createHash("sha256").update(body).digest("base64")}'`;
  };
  assert.ok(policy.startsWith("default-src 'none'; "));
  assert.ok(policy.includes(`script-src ${hash("script")};`));
  assert.ok(policy.includes(`style-src ${hash("style")};`));
  assert.doesNotMatch(policy, /unsafe|\*|http/);
});
