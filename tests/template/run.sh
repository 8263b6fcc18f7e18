#!/bin/sh
# run.sh RENDER: Mustache's own JavaScript judges core/base/template.  node 20 or later in PATH; 77 (skipped) when
# `npm ci` has not been run here.
set -eu
TEMPLATE_RENDER=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
export TEMPLATE_RENDER
cd "$(dirname "$0")"
if [ ! -d node_modules/mustache ]; then
	echo "tests/template/node_modules is missing: run npm ci in tests/template" >&2
	exit 77
fi
exec node --test ./*.test.js
