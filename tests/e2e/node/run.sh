#!/bin/sh
# run.sh BUILD [TEST FILES]: judges in JavaScript against the programs of this build tree, in one private world.
# node 22 and buf in PATH, as `./dev test` puts them there; 77 (skipped) when `npm ci` has not been run here.
set -eu
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
if [ ! -d node_modules/@grpc/grpc-js ] || ! command -v buf >/dev/null; then
	echo "npm ci has not been run in tests/e2e/node, or buf is not in PATH: ./dev test sees to both" >&2
	exit 77
fi
servers=../../support/servers.sh
scratch=$(mktemp -d /var/tmp/orderd-e2e-node.XXXXXX)
chmod 755 "$scratch"
# The first is there so that ^C leaves nothing running either.
trap 'exit 129' HUP INT TERM
trap 'bash "$servers" erase "$scratch/w" >&2; rm -rf "$scratch"' EXIT
# A proxy of the machine's must not come between the judges and loopback.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY grpc_proxy
# An order should be at the door in seconds.
printf '%s\n' 'track_poll_ms = 200' 'sweep_ms = 200' "rate_limits_file = $scratch/rates" >"$scratch/extra.conf"
echo '* /orderd.v1.InventoryService/ListStockMovements 4/s 1' >"$scratch/rates" # pushback.test.js
SERVERS_EXTRA_CONFIG=$scratch/extra.conf SERVERS_SIM_ARGS='--scan-ms 100' \
	bash "$servers" start "$scratch/w" "$build"
. "$scratch/w/env"
export GRPC HTTP XDG_CACHE_HOME="$scratch"
[ $# -gt 0 ] || set -- ./*.test.js
# One file after the other: they share the world and both cores.
node --test --test-concurrency=1 "$@"
