#!/bin/sh
# run.sh ORDERD_SIM [TEST FILES]: the vendors' SDKs judge the simulator; each file starts one of its own.
# node 20 or later in PATH; 77 (skipped) when `npm ci` has not been run here.
set -eu
sim=$1
shift
ORDERD_SIM=$(cd "$(dirname "$sim")" && pwd)/$(basename "$sim")
export ORDERD_SIM
cd "$(dirname "$0")"
if [ ! -d node_modules/stripe ]; then
	echo "tests/sim/node_modules is missing: run npm ci in tests/sim" >&2
	exit 77
fi
# A proxy of the machine's must not come between the judges and loopback.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
[ $# -gt 0 ] || set -- ./*.test.js
# Of a file.  One that hangs all the same is named, and ends before ctest ends them all.
exec node --test --test-timeout=270000 "$@"
