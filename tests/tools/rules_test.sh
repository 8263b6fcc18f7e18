#!/usr/bin/env bash
# deploy/prometheus/orderd.rules.yml: Prometheus reads it, its alerts come when they should, and every metric of ours
# in it is one that docs/metrics.md (so the table) has.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
rules=$root/deploy/prometheus/orderd.rules.yml
if ! command -v promtool >/dev/null; then
	echo "promtool is missing: apt-get install --no-install-recommends prometheus"
	exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
promtool check rules "$rules"
cp "$rules" "$root/tests/tools/rules_test.yml" "$scratch"
(cd "$scratch" && promtool test rules rules_test.yml)

unknown=0
for metric in $(sed 's/#.*//' "$rules" | grep -o 'orderd_[a-z_]*' | sed 's/_bucket$//' | sort -u); do
	if ! grep -q "^| \`$metric\` |" "$root/docs/metrics.md"; then
		echo "docs/metrics.md has no $metric"
		unknown=1
	fi
done
exit "$unknown"
