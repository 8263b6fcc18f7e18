#!/usr/bin/env bash
# The checks of tools/ are checked here: each is shown a small tree that breaks its rule, and one that
# does not.  Prints one line per case, then `N passed, N failed`.
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tools" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0

# tree_with FILE TEXT: the tree holds this file alone.
tree_with() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$tree/$1"
}

# expect NAME STATUS TEXT COMMAND...: ends with this status and says this text.
expect() {
	local name=$1 status=$2 text=$3 got=0 said

	shift 3
	said=$("$@" 2>&1) || got=1
	if [[ $got -eq $status && $said == *"$text"* ]]; then
		printf 'ok      %s\n' "$name"
		passed=$((passed + 1))
	else
		printf 'FAILED  %s: ended with %d and said: %s\n' "$name" "$got" "$said"
		failed=$((failed + 1))
	fi
}

layers() { expect "$1" "$2" "$3" "$tools/check-layers" "$tree"; }
banned() { expect "$1" "$2" "$3" "$tools/check-banned" "$tree"; }
size() { expect "$1" 0 "$2" "$tools/check-size" "$tree"; }

tree_with core/store/a.c '#include <libpq-fe.h>'
layers store_uses_libpq_passes 0 ''
tree_with server/a.c '#include <libpq-fe.h>'
layers server_uses_libpq_is_refused 1 'server/a.c:1: libpq-fe.h belongs to core/store'
tree_with workers/payment/a.c '#include "server/rpc.h"'
layers worker_includes_server_is_refused 1 'workers may not include server'
tree_with workers/payment/a.c '#include "workers/job.h"'
layers worker_includes_worker_passes 0 ''
tree_with core/domain/a.h '#  include "core/flow/flow.h"'
layers domain_includes_flow_is_refused 1 'core/domain may not include core/flow'
tree_with core/base/a.h '#include "core/domain/money.h"'
layers base_includes_domain_is_refused 1 'core/base may not include core/domain'
tree_with core/domain/a.c '#include "orderd/v1/order.pb-c.h"'
layers domain_includes_generated_messages_is_refused 1 'may not include proto'
tree_with clients/c/src/a.c '#include "core/base/str.h"'
layers client_includes_core_is_refused 1 'clients/c may not include core/base'
tree_with server/a.c '#include "tests/support/fake.h"'
layers program_includes_tests_is_refused 1 'may not include tests'

tree_with core/base/a.c 'int f(const char *s) { return atoi(s); }'
banned atoi_is_refused 1 'core/base/a.c:1: atoi'
tree_with core/base/a.c '	n = atoi(s); /* banned-ok: digits only, two of them */'
banned opted_out_line_passes 0 ''
tree_with core/base/a.c '/* unlike sprintf (no bound) */ int my_sprintf(void); char *t = "use sprintf(x)";'
banned name_in_comment_string_or_longer_name_passes 0 ''
tree_with db/queries/a.sql "-- $(printf 'TO%s' DO): an index"
banned unfinished_thought_is_refused 1 'finish it'

{
	echo 'int long_one(void)'
	echo '{'
	printf '\tx();\n%.0s' {1..61}
	echo '}'
} >"$tree/function"
function_text=$(<"$tree/function")
tree_with core/base/a.c "$function_text"
size long_function_is_listed 'core/base/a.c:2: 61 lines: int long_one(void)'

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
