# shellcheck shell=bash
# npm packages, always from a lock file.  Debian's nodejs 18 (or any other that is there) runs npm and
# nothing else: judges run on the node that tests/node pins, which node_need puts first in PATH.

# npm_need DIRECTORY: what its package-lock.json names is in its node_modules.
npm_need() {
	local dir=$1 stamp=$1/node_modules/.orderd-lock sum

	sum=$(sha256sum "$dir/package-lock.json" | cut -d' ' -f1)
	if [[ -f $stamp && $(<"$stamp") == "$sum" ]]; then
		return 0
	fi
	say "npm ci in $dir"
	# Install scripts fetch things of their own; nothing here needs one.
	(cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
		die "npm ci failed in $dir"
	echo "$sum" >"$stamp"
}

# The pinned node and buf in PATH.
node_need() {
	local bin

	npm_need tests/node
	# Not .bin: npm 9 drops the links of this architecture together with those of the other.
	for bin in "$ROOT"/tests/node/node_modules/{node-linux,@bufbuild/buf-linux}-*/bin; do
		PATH=$bin:$PATH
	done
	export PATH
	[[ $(node --version) == v22.* ]] ||
		die "no node 22 for this machine in tests/node (has $(node --version), $(uname -m))"
}

# Every judge that brings a lock file, and the example client.
judges_need() {
	local lock

	node_need
	for lock in tests/{*,*/*}/package-lock.json clients/*/package-lock.json; do
		npm_need "${lock%/*}"
	done
}
