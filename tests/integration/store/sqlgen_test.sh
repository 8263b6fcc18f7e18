#!/bin/sh
# usage: sqlgen_test.sh SQLGEN
# What sqlgen makes of a block, and that every mistake in a header is refused with file and line.
set -eu
sqlgen=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export ASAN_OPTIONS=detect_leaks=0
failed=0

# a good kind, its fragment; each case below spoils one line of it
good() {
	rm -rf "$dir/q"
	mkdir -p "$dir/q/fragments" "$dir/q/batch"
	cat >"$dir/q/demo.sql" <<-'END'
		-- Why.
		-- unit: demo   lane: order   rank: 7
		-- keys: id(order_id), request(tenant, 3, request_key)
		-- head: tenant int4, order_id uuid, request_key text?
		-- line: line int4, qty int8?
		-- answer: ordinal int8, outcome text
		-- again: outcome
		WITH h AS (SELECT * FROM @head), l AS (SELECT * FROM @line), @both(h, f(a, 'x,)'))
		SELECT n, '@head' FROM h -- @head in a comment
		 ORDER BY n;
	END
	printf -- '-- A fragment.\nx AS (SELECT $(2) FROM $(1))\n' >"$dir/q/fragments/both.sql"
}

says() { # says NAME PATTERN: the last output has it
	if ! grep -Fq -- "$2" "$dir/out"; then
		echo "FAILED $1: no '$2' in:" && cat "$dir/out"
		failed=1
	fi
}

good
"$sqlgen" --queries="$dir/q" --print >"$dir/out"
says head 'unnest($1::int4[], $2::uuid[], $3::text[]) WITH ORDINALITY AS h(tenant, order_id, request_key, n)'
says line 'unnest($4::int8[], $5::int4[], $6::int8[]) AS l(n, line, qty)'
says fragment "x AS (SELECT f(a, 'x,)') FROM h)"
says quoted "SELECT n, '@head' FROM h"
if grep -q comment "$dir/out"; then echo "FAILED: a comment was kept" && failed=1; fi

refused() { # refused NAME SED MESSAGE
	good
	sed -i "$2" "$dir/q/demo.sql"
	if "$sqlgen" --queries="$dir/q" --print >"$dir/out" 2>&1; then
		echo "FAILED $1: was taken" && failed=1
	fi
	says "$1" "$3"
}

refused unknown_type 's/order_id uuid/order_id uid/' 'demo.sql:4: '
refused twice 's/order_id uuid/tenant int4/' 'column tenant stands twice'
refused null_int4 's/line int4/line int4?/' 'cannot be null in C'
refused lane 's/lane: order/lane: fast/' 'lane is order, job or read'
refused no_ordinal 's/ordinal int8/n int8/' 'first answer column is ordinal'
refused key_column 's/id(order_id)/id(request_key)/' 'keys: id(uuid column)'
refused three_keys 's/request(tenant, 3, request_key)/id(order_id), id(order_id)/' 'keys are at most 2'
refused again_column 's/again: outcome/again: colour/' 'again: names a text column'
refused locks 's/-- again.*/-- locks: orders/' 'lock_orders.sql'
refused stock 's/-- again.*/-- stock: order_id/' 'stock_lock.sql'
refused other_name 's/unit: demo/unit: other/' 'is named other inside'
refused fragment 's/@both(h, f(a, .x,).))/@nothing(h)/' 'nothing.sql'
refused argument 's/@both(h, f(a, .x,).))/@both(h)/' 'needs argument'
refused no_line 's/^-- line:.*//' 'demo.sql:'

good
mkdir -p "$dir/a"
printf -- "-- Nobody is 'odd' @here.\nSELECT id FROM demo WHERE odd -- last\n" >"$dir/a/demo_even.sql"
"$sqlgen" --queries="$dir/q" --audits="$dir/a" --print >"$dir/out"
says audit_kind 'PREPARE audit_demo_even'
says audit_text 'SELECT id FROM demo WHERE odd'
echo 'SELECT 1' >"$dir/a/Demo.sql"
if "$sqlgen" --queries="$dir/q" --audits="$dir/a" --print >"$dir/out" 2>&1; then
	echo "FAILED: a rule with a bad name was taken" && failed=1
fi
says audit_name "no rule's name"
rm "$dir/a/Demo.sql"

good
mkdir -p "$dir/m"
echo 'SELECT 1;' >"$dir/m/0001_one.sql"
echo 'SELECT 2;' >"$dir/m/0003_three.sql"
if "$sqlgen" --queries="$dir/q" --migrations="$dir/m" --header="$dir/h" --source="$dir/c" 2>"$dir/out"; then
	echo "FAILED: a gap between migrations was taken" && failed=1
fi
says gap 'numbered from 0001 without gaps'
mv "$dir/m/0003_three.sql" "$dir/m/0002_two.sql"
"$sqlgen" --queries="$dir/q" --audits="$dir/a" --migrations="$dir/m" --header="$dir/sql.gen.h" --source="$dir/sql.gen.c"
cp "$dir/sql.gen.c" "$dir/out"
says audits '.audits = kinds + 1, .n_audits = 1'
says checksum "$(sha256sum <"$dir/m/0002_two.sql" | cut -d' ' -f1)"
says key 'key_of_request(h->tenant, 3, h->request_key)'

[ "$failed" = 0 ] && echo "sqlgen: all cases as expected"
exit "$failed"
