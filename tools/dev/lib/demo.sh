# shellcheck shell=bash
# The parts of `./dev demo`.  Orders go in through orderctl; what is compared at the end comes from psql
# (the database), jq (the simulator's own journal) and sort and diff: no code of ours judges itself.

DEMO_ORDERS=30
DEMO_END_S=120 # all orders must have ended by then; a run takes some ten seconds
DEMO_ITEMS=(mug:1290:340 lamp:4950:1200 chair:12900:6400 pen:190:15 book:2400:520 rug:8900:3100)

# One number from the seed and the words given: the same on every run.
# shellcheck disable=SC2154  # seed is the verb's
demo_pick() { # COUNT WORD...
	local count=$1

	shift
	echo $((0x$(printf '%s ' "$seed" "$@" | sha256sum | cut -c1-12) % count))
}

demo_servers() {
	mkdir -p var/demo
	# The pace of a demonstration: look often, pause briefly, notice a dead worker soon.
	cat >var/demo/pace.conf <<-END
		sweep_ms = 250
		track_poll_ms = 400
		lease_s = 4
		backoff_base_ms = 200
		backoff_cap_s = 2
	END
	export SERVERS_EXTRA_CONFIG=$ROOT/var/demo/pace.conf SERVERS_SIM_ARGS="--seed $seed --scan-ms 250"
	servers_start var/demo build/release || return 1
	# shellcheck source=/dev/null
	source var/demo/env
}

ctl() {
	"$ORDERCTL" --server "$GRPC" "$@"
}

demo_sql() {
	"$SERVERS_PG_BIN/psql" -X -q -At -F '	' -v ON_ERROR_STOP=1 "$POSTGRES options='-c search_path=orderd'" -c "$1"
}

# --- stock ---------------------------------------------------------------------------------------

demo_catalogue() {
	local spec name price grams

	say "catalogue: ${#DEMO_ITEMS[@]} items at two locations"
	ctl location create BER1 --name "Berlin 1" --street "Hafenweg 1" --city Berlin --postal-code 10115 \
		--country DE --priority 10 >/dev/null
	ctl location create MUC1 --name "Munich 1" --street "Isarweg 2" --city Munich --postal-code 80331 \
		--country DE --priority 20 >/dev/null
	for spec in "${DEMO_ITEMS[@]}"; do
		IFS=: read -r name price grams <<<"$spec"
		ctl item put "$name" --title "A $name" --price "$price" --currency EUR --weight "$grams" >/dev/null
		ctl stock receive --request-id "demo-$seed-BER1-$name" --location BER1 "$name=100" >/dev/null
		ctl stock receive --request-id "demo-$seed-MUC1-$name" --location MUC1 "$name=60" >/dev/null
	done
	ctl stock show mug lamp chair pen book rug | tee var/demo/stock.before
}

# --- orders --------------------------------------------------------------------------------------

demo_item() {
	local spec=${DEMO_ITEMS[$(demo_pick ${#DEMO_ITEMS[@]} "$@")]}

	echo "${spec%%:*}"
}

# demo_lines I: what order I buys.  Most buy one to three items, a few of each.
demo_lines() {
	local i=$1 n line

	case $i in
	12) echo "rug=1000" ;;  # nobody has that many
	17) echo "chair=110" ;; # no location has that many, both together do
	*)
		n=$((1 + $(demo_pick 3 lines "$i")))
		for ((line = 1; line <= n; line++)); do
			echo "$(demo_item item "$i" "$line")=$((1 + $(demo_pick 2 qty "$i" "$line")))"
		done
		;;
	esac
}

# demo_place I: keeps `I <tab> order id` in var/demo/orders, a refusal's reason in var/demo/refused.
demo_place() {
	local i=$1 answer code=0 card=pm_card_visa channel=web lines

	case $((i % 5)) in 0) channel=store ;; 1) channel=phone ;; 2) channel=mes ;; esac
	[[ $i -ne 7 ]] || card=pm_card_chargeDeclined
	mapfile -t lines < <(demo_lines "$i")
	answer=$(ctl --json place --request-id "demo-$seed-$i" --customer "customer-$(demo_pick 9 customer "$i")" \
		--channel "$channel" --reference "PO-$seed-$i" --payment-method "$card" \
		--name "Customer $i" --street "Ringstr. $i" --city Hamburg --postal-code 20095 --country DE \
		"${lines[@]}") || code=$?
	case $code in
	0) printf '%s\t%s\n' "$i" "$(jq -r .order.order_id <<<"$answer")" >>var/demo/orders ;;
	1) printf '%s\t%s\n' "$i" "$(jq -r .error.reason <<<"$answer")" >>var/demo/refused ;;
	*) die "demo: order $i: $answer; ./dev demo --resume goes on from here" ;;
	esac
}

demo_order_id() {
	awk -v i="$1" '$1 == i { print $2 }' var/demo/orders
}

demo_orders() {
	local i

	rm -f var/demo/orders var/demo/refused
	say "$DEMO_ORDERS orders"
	# The first is cancelled while its payment is under way, so the gateway is slow for just that one.
	curl -fsS --noproxy '*' -o /dev/null -d '{"path":"/v1/payment_intents","fault":"slow","count":1,"ms":1500}' \
		"$SIM_URL/_sim/faults"
	demo_place 1
	ctl cancel "$(demo_order_id 1)" --request-id "demo-$seed-cancel" --reason "changed my mind" >/dev/null ||
		warn "demo: order 1 had gone too far to be cancelled (a resumed run may be late)"
	for ((i = 2; i <= DEMO_ORDERS; i++)); do
		demo_place "$i"
	done
}

demo_follow() {
	local until=$((SECONDS + DEMO_END_S)) open

	say "the workers carry them to the door"
	while open=$(demo_sql "SELECT count(*) FROM orders WHERE state NOT IN ('completed', 'cancelled', 'rejected', 'expired')") &&
		[[ $open -gt 0 ]]; do
		((SECONDS < until)) || die "demo: $open orders have not ended in $DEMO_END_S s; ./dev demo --resume goes on"
		[[ -n $(servers_alive worker) && -n $(servers_alive orderd) && -n $(servers_alive sim) ]] ||
			die "demo: a process died; ./dev demo --resume starts it again and goes on"
		sleep 0.2
	done
	[[ $open == 0 ]] || die "demo: the database does not answer; ./dev demo --resume goes on"
}

demo_timelines() {
	local i id

	while IFS=$'\t' read -r i id; do
		ctl get --events "$id" || die "demo: order $i cannot be shown"
	done <var/demo/orders
}

# --- the books -----------------------------------------------------------------------------------

# demo_same TITLE FILE FILE: two listings made by different programs from different sources.
demo_same() {
	if diff -u "$2" "$3" >var/demo/diff; then
		printf '  equal  %-58s %5d\n' "$1" "$(wc -l <"$2")"
	else
		printf '  DIFFER %s\n' "$1"
		cat var/demo/diff
		demo_books=wrong
	fi
}

demo_compare() {
	local placed delivered

	say "the books"
	demo_books=right
	ctl stock show mug lamp chair pen book rug | tee var/demo/stock.after

	cut -f2 var/demo/orders | sort >var/demo/a
	demo_sql "SELECT id FROM orders" | sort >var/demo/b
	demo_same "orders answered by orderctl = orders in PostgreSQL" var/demo/a var/demo/b

	jq -r 'select(.kind == "capture") | [.order, .payment_intent, .amount, (.currency | ascii_upcase)] | @tsv' \
		"$DATA/sim/charges.jsonl" | sort >var/demo/a
	demo_sql "SELECT t.order_id, t.gateway_ref, t.amount_minor, p.currency FROM payment_transaction t
		JOIN payment p USING (tenant, order_id, group_no) WHERE t.kind = 'capture'" | sort >var/demo/b
	demo_same "captures in the gateway's journal = captures recorded" var/demo/a var/demo/b

	jq -rn '[inputs] | group_by(.payment_intent)[] | select(any(.kind == "authorize")) |
		{id: .[0].payment_intent, end: (map(.kind) | if any(. == "capture") then "captured" elif any(. == "cancel") then "voided" else "held" end)} |
		[.id, .end] | @tsv' "$DATA/sim/charges.jsonl" | sort >var/demo/a
	demo_sql "SELECT gateway_id, state FROM payment_attempt WHERE state IN ('captured', 'voided', 'authorized')" | sort >var/demo/b
	demo_same "what became of every authorization, gateway = PostgreSQL" var/demo/a var/demo/b

	jq -r 'select(.kind == "label") | [.reference, .shipment, .tracking_code] | @tsv' "$DATA/sim/charges.jsonl" | sort >var/demo/a
	demo_sql "SELECT id, remote_id, tracking_code FROM shipment" | sort >var/demo/b
	demo_same "labels in the carrier's journal = parcels" var/demo/a var/demo/b

	demo_sql "SELECT i.sku, p.code, 0, 0, sum(m.qty) FILTER (WHERE m.from_bucket = 'outside')
			- coalesce(sum(m.qty) FILTER (WHERE m.to_bucket = 'shipped'), 0)
		FROM stock_movement m JOIN item i USING (tenant, item) JOIN location p USING (tenant, location)
		GROUP BY 1, 2" | sort >var/demo/a
	awk -v OFS='\t' 'NR > 1 { print $1, $2, $4, $5, $3 }' var/demo/stock.after | sort >var/demo/b
	demo_same "stock now = received - shipped, nothing reserved or allocated" var/demo/a var/demo/b

	awk 'NR > 1 { s[$1] += $3 } END { for (k in s) print k, s[k] }' var/demo/stock.before | sort >var/demo/c
	demo_sql "SELECT i.sku, sum(l.delivered) FROM order_line l JOIN item i USING (tenant, item) GROUP BY 1 HAVING sum(l.delivered) > 0" |
		sort >var/demo/d
	join -a 1 -e 0 -o 0,1.2,2.2 var/demo/c <(tr '\t' ' ' <var/demo/d) | awk '{ print $1, $2 - $3 }' | sort >var/demo/a
	awk 'NR > 1 { s[$1] += $3 } END { for (k in s) print k, s[k] }' var/demo/stock.after | sort >var/demo/b
	[[ -n $resume ]] || demo_same "stock before - delivered = stock after, per item" var/demo/a var/demo/b

	# The shapes this demonstration promises, counted in PostgreSQL.
	demo_sql "SELECT 'one over two locations', count(*) FROM orders WHERE groups = 2 AND state = 'completed'
		UNION ALL SELECT 'one declined', count(*) FROM orders WHERE state = 'rejected'" >var/demo/a
	printf 'one over two locations\t1\none declined\t1\n' >var/demo/b
	demo_same "shapes: split over two locations, declined" var/demo/a var/demo/b
	printf '12\tOUT_OF_STOCK\n' >var/demo/b
	demo_same "refused: the one nobody has stock for" var/demo/refused var/demo/b

	demo_sql "SELECT state, count(*) FROM orders GROUP BY 1 ORDER BY 1" | sed 's/^/  /'
	sed 's/^/  refused: order /' var/demo/refused
	placed=$(demo_sql "SELECT count(*) FROM orders")
	delivered=$(demo_sql "SELECT count(*) FROM orders WHERE state = 'completed' AND fulfillment_state = 'delivered'")
	servers_stop var/demo || demo_books=wrong
	echo "orders placed: $placed"
	echo "orders delivered: $delivered"
	if [[ $demo_books == right && $placed -gt 0 && $delivered -gt 0 ]]; then
		echo "demo: OK"
	else
		echo "demo: FAILED"
		exit 1
	fi
}
