# shellcheck shell=bash
# The parts of `./dev demo`.  Orders go in through orderctl; what is compared at the end comes from psql
# (the database), jq (the simulator's own journal, the mails as mailparser read them), zbar (the labels) and sort and
# diff: no code of ours judges itself.

DEMO_ORDERS=30
DEMO_END_S=120 # all orders must have ended by then; a run takes some ten seconds
DEMO_ITEMS=(mug:1290:340 lamp:4950:1200 chair:12900:6400 pen:190:15 book:2400:520 rug:8900:3100)
DEMO_PEOPLE=LEJ1 # where people pick and pack; the other locations work by themselves

# What is special about some of the orders.
DEMO_CANCELLED=1  # while its payment is under way
DEMO_DECLINED=7   # its card, and it has no other
DEMO_FALLBACK=8   # its card, but the second one pays
DEMO_CONFIRMED=9  # its bank wants the customer to confirm it
DEMO_NO_STOCK=12  # nobody has that many
DEMO_SPLIT=17     # no location has that many, both together do
DEMO_MANUAL=20    # picked, packed and handed over by people
DEMO_SHORT=21     # as well, and there is one less on the shelf than the books say
DEMO_RETURNED=22  # nobody at home: it comes back
DEMO_TROUBLE=23   # a scan tells of an exception, later ones of the delivery
DEMO_JUMBLED=24   # the carrier tells its scans twice and in the wrong order
DEMO_FASTEST=25   # the fastest service instead of the cheapest

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
		resource_retry_s = 1
		payment_return_url = https://shop.example/paid
	END
	export SERVERS_EXTRA_CONFIG=$ROOT/var/demo/pace.conf SERVERS_SIM_ARGS="--seed $seed --scan-ms 250" SERVERS_SMTP=1
	servers_start var/demo build/release && servers_webhooks var/demo || return 1
	# shellcheck source=/dev/null
	source var/demo/env
}

# demo_sim WHAT JSON: a wish of the simulator.
demo_sim() {
	curl -fsS --noproxy '*' -o /dev/null -d "$2" "$SIM_URL/_sim/$1"
}

ctl() {
	"$ORDERCTL" --server "$GRPC" "$@"
}

demo_sql() {
	"$SERVERS_PG_BIN/psql" -X -q -At -F '	' -v ON_ERROR_STOP=1 "$POSTGRES options='-c search_path=orderd -c role=orderd_audit -c app.tenants=*'" -c "$1"
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
	# Vases stand at the third location alone, and for each vase that is missing there Berlin has one.
	ctl location create "$DEMO_PEOPLE" --name "Leipzig 1" --street "Auenweg 3" --city Leipzig --postal-code 04109 \
		--country DE --priority 5 --manual >/dev/null
	ctl item put vase --title "A vase" --price 3300 --currency EUR --weight 900 >/dev/null
	ctl stock receive --request-id "demo-$seed-$DEMO_PEOPLE-vase" --location "$DEMO_PEOPLE" vase=9 >/dev/null
	ctl stock receive --request-id "demo-$seed-BER1-vase" --location BER1 vase=1 >/dev/null
	demo_stock | tee var/demo/stock.before
}

demo_stock() {
	ctl stock show mug lamp chair pen book rug vase
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
	"$DEMO_NO_STOCK") echo "rug=1000" ;;
	"$DEMO_SPLIT") echo "chair=110" ;;
	"$DEMO_MANUAL") echo "vase=2" ;;
	"$DEMO_SHORT") echo "vase=3" ;;
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
	local i=$1 answer code=0 card=pm_card_visa channel=web zip=20095 lines
	local -a more=()

	case $((i % 5)) in 0) channel=store ;; 1) channel=phone ;; 2) channel=mes ;; esac
	case $i in
	"$DEMO_DECLINED") card=pm_card_chargeDeclined ;;
	"$DEMO_FALLBACK") card=pm_card_chargeDeclinedInsufficientFunds more=(--fallback pm_card_mastercard) ;;
	"$DEMO_CONFIRMED") card=pm_card_threeDSecure2Required ;;
	"$DEMO_RETURNED") zip=99001 ;;
	"$DEMO_TROUBLE") zip=99002 ;;
	"$DEMO_JUMBLED") zip=99003 ;;
	"$DEMO_FASTEST") more=(--ship-service fastest) ;;
	esac
	mapfile -t lines < <(demo_lines "$i")
	answer=$(ctl --json place --request-id "demo-$seed-$i" --customer "customer-$(demo_pick 9 customer "$i")" \
		--channel "$channel" --reference "PO-$seed-$i" --payment-method "$card" \
		--name "Customer $i" --street "Ringstr. $i" --city Hamburg --postal-code "$zip" --country DE \
		--email "customer-$i@mail.example" ${more[@]+"${more[@]}"} "${lines[@]}") || code=$?
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
	# One is cancelled while its payment is under way, so the gateway is slow for just that one.
	demo_sim faults '{"path":"/v1/payment_intents","fault":"slow","count":1,"ms":1500}'
	demo_place "$DEMO_CANCELLED"
	ctl cancel "$(demo_order_id "$DEMO_CANCELLED")" --request-id "demo-$seed-cancel" --reason "changed my mind" >/dev/null ||
		warn "demo: order $DEMO_CANCELLED had gone too far to be cancelled (a resumed run may be late)"
	for ((i = 2; i <= DEMO_ORDERS; i++)); do
		demo_place "$i"
	done
}

# What people do: a customer confirms a payment, a location picks, packs and hands over.  All of it may be done again.
demo_people() {
	local url line id order state

	url=$(ctl --json payments "$(demo_order_id "$DEMO_CONFIRMED")" | jq -r '.payments[].action_url // empty')
	if [[ -n $url ]]; then
		curl -fsS --noproxy '*' -o /dev/null "$url"
	fi
	while IFS=$'\t' read -r id order state; do
		case $state in
		*OPEN)
			line=
			if [[ $order == "$(demo_order_id "$DEMO_SHORT")" ]]; then
				line=1=2 # of three
			fi
			ctl pick "$id" --site "$DEMO_PEOPLE" --report "pick-$id" ${line:+"$line"} >/dev/null
			;;
		*PICKED) ctl pack "$id" --site "$DEMO_PEOPLE" --report "pack-$id" >/dev/null ;;
		esac
	done < <(ctl --json fulfillment --location "$DEMO_PEOPLE" |
		jq -r '.fulfillment_orders[]? | [.fulfillment_order_id, .order_id, .state] | @tsv')
	# The dock hears which parcels are paid for and labelled.
	while read -r id; do
		ctl handover --site "$DEMO_PEOPLE" --report "dock-$id" "$id" >/dev/null
	done < <(demo_sql "SELECT s.id FROM shipment s JOIN location USING (tenant, location)
		JOIN job j USING (tenant, order_id, group_no)
		WHERE code = '$DEMO_PEOPLE' AND s.state = 'labelled' AND j.kind = 'shipping.handover' AND j.state = 'parked'")
}

# An order whose parcel came back waits for somebody to decide what is to become of it.
DEMO_OPEN="SELECT count(*) FROM orders o WHERE state NOT IN ('completed', 'cancelled', 'rejected', 'expired')
	AND NOT EXISTS (SELECT FROM order_hold d JOIN shipment s USING (tenant, order_id, group_no)
		WHERE (d.tenant, d.order_id) = (o.tenant, o.id) AND d.reason = 'returned' AND s.state = 'returned')"

demo_follow() {
	local until=$((SECONDS + DEMO_END_S)) open mails

	say "the workers carry them to the door"
	while open=$(demo_sql "$DEMO_OPEN") && mails=$(demo_sql "SELECT count(*) FROM notification WHERE state = 'queued'") &&
		[[ $((open + mails)) -gt 0 ]]; do
		((SECONDS < until)) || die "demo: $open orders have not ended in $DEMO_END_S s; ./dev demo --resume goes on"
		[[ -n $(servers_alive worker) && -n $(servers_alive orderd) && -n $(servers_alive sim) && -n $(servers_alive smtp) ]] ||
			die "demo: a process died; ./dev demo --resume starts it again and goes on"
		demo_people || die "demo: what people do was refused; ./dev demo --resume goes on"
		sleep 0.2
	done
	[[ $open == 0 && $mails == 0 ]] || die "demo: the database does not answer; ./dev demo --resume goes on"
}

# Each order's events, its parcels' scans, and the mails its customer has got.
demo_timelines() {
	local i id

	while IFS=$'\t' read -r i id; do
		ctl get --events "$id" || die "demo: order $i cannot be shown"
		while read -r id; do
			ctl shipment "$id" || die "demo: parcel $id cannot be shown"
		done < <(demo_sql "SELECT id FROM shipment WHERE order_id = '$id' ORDER BY group_no")
		jq -r --arg to "customer-$i@mail.example" 'select(.to[0] == $to) | "  mail  \(.subject)"' "$MAILS"
	done <var/demo/orders
}

# --- labels --------------------------------------------------------------------------------------

# Every parcel's label as PDF and ZPL, each printed by a program that is not ours and read by zbar.
demo_labels() {
	local id file
	local -a zpl=()

	say "labels, in var/demo/labels"
	rm -rf var/demo/labels
	mkdir -p var/demo/labels
	: >var/demo/read.pdf
	: >var/demo/read.zpl
	while read -r id; do
		file=var/demo/labels/$id
		ctl label "$id" --out "$file.pdf" >/dev/null && ctl label "$id" --out "$file.zpl" >/dev/null ||
			die "demo: no label of $id"
		pdftoppm -r 300 -png -singlefile "$file.pdf" "$file.pdf"
		zpl+=("$file.zpl" "$file.zpl.png")
		demo_barcodes "$id" "$file.pdf.png" >>var/demo/read.pdf
	done < <(demo_sql "SELECT id FROM shipment WHERE tracking_code IS NOT NULL ORDER BY id")
	node tests/integration/label/render.mjs "${zpl[@]}"
	for file in var/demo/labels/*.zpl; do
		id=${file##*/}
		demo_barcodes "${id%.zpl}" "$file.png" >>var/demo/read.zpl
	done
}

# demo_barcodes ID PICTURE: the id and what the two barcodes say, sorted; in the GS1 one AI 00 stands in front.
demo_barcodes() {
	printf '%s\t%s\n' "$1" "$(zbarimg --nodbus -q --raw "$2" | LC_ALL=C sort | paste -sd '\t' -)"
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
	say "the books"
	demo_books=right
	demo_stock | tee var/demo/stock.after

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

	demo_sql "SELECT id, '00' || sscc, tracking_code FROM shipment WHERE tracking_code IS NOT NULL" |
		awk -F '\t' -v OFS='\t' '{ print $1, ($2"" < $3"" ? $2 OFS $3 : $3 OFS $2) }' | sort >var/demo/a
	sort var/demo/read.pdf >var/demo/b
	demo_same "barcodes of the PDF labels, as zbar reads them = parcels" var/demo/a var/demo/b
	sort var/demo/read.zpl >var/demo/b
	demo_same "barcodes of the ZPL labels, as printed and read = parcels" var/demo/a var/demo/b

	# At least once: a mail that came twice has one Message-ID.
	jq -r '[(.messageId | ltrimstr("<") | split("@")[0]), .to[0], (.subject | sub("[0-9]+"; "N"))] | @tsv' "$MAILS" |
		sort -u >var/demo/b
	demo_sql "SELECT n.id, 'customer-' || split_part(o.reference, '-', 3) || '@mail.example',
			CASE mail_template(e.kind, e.detail) WHEN 'confirmed' THEN 'Your order N is confirmed'
			WHEN 'delayed' THEN 'Your order N takes a little longer' WHEN 'shipped' THEN 'Your order N is on its way'
			WHEN 'out_for_delivery' THEN 'Your order N arrives soon' WHEN 'delivered' THEN 'Your order N was delivered'
			WHEN 'cancelled' THEN 'Your order N was cancelled' WHEN 'returned' THEN 'Your order N is coming back to us'
			WHEN 'payment_problem' THEN CASE e.kind WHEN 'rejected' THEN 'Your order N could not be paid'
				ELSE 'The payment of your order N needs you' END END
		FROM order_event e JOIN orders o ON (o.tenant, o.id) = (e.tenant, e.order_id)
		LEFT JOIN notification n ON (n.tenant, n.order_id, n.seq) = (e.tenant, e.order_id, e.seq)
		WHERE mail_template(e.kind, e.detail) IS NOT NULL AND n.state IS DISTINCT FROM 'suppressed'" | sort >var/demo/a
	demo_same "mails, as mailparser reads them = events to be told" var/demo/a var/demo/b

	demo_sql "SELECT i.sku, p.code, 0, 0, sum(m.qty) FILTER (WHERE m.from_bucket = 'outside')
			- coalesce(sum(m.qty) FILTER (WHERE m.to_bucket = 'shipped'), 0)
		FROM stock_movement m JOIN item i USING (tenant, item) JOIN location p USING (tenant, location)
		GROUP BY 1, 2" | sort >var/demo/a
	awk -v OFS='\t' 'NR > 1 { print $1, $2, $4, $5, $3 }' var/demo/stock.after | sort >var/demo/b
	demo_same "stock now = received - shipped, nothing reserved or allocated" var/demo/a var/demo/b

	awk 'NR > 1 { s[$1] += $3 } END { for (k in s) print k, s[k] }' var/demo/stock.before | sort >var/demo/c
	demo_sql "SELECT i.sku, sum(l.delivered + l.returned) FROM order_line l JOIN item i USING (tenant, item)
		GROUP BY 1 HAVING sum(l.delivered + l.returned) > 0" |
		sort >var/demo/d
	join -a 1 -e 0 -o 0,1.2,2.2 var/demo/c <(tr '\t' ' ' <var/demo/d) | awk '{ print $1, $2 - $3 }' | sort >var/demo/a
	awk 'NR > 1 { s[$1] += $3 } END { for (k in s) print k, s[k] }' var/demo/stock.after | sort >var/demo/b
	[[ -n $resume ]] || demo_same "stock before - delivered - returned = stock after, per item" var/demo/a var/demo/b

	# The shapes this demonstration promises, counted in PostgreSQL.
	demo_sql "SELECT 'two over two locations', count(*) FROM orders WHERE groups = 2 AND state = 'completed'
		UNION ALL SELECT 'one declined', count(*) FROM orders WHERE state = 'rejected'
		UNION ALL SELECT 'one paid with its second card', count(DISTINCT order_id) FROM payment_attempt a
			JOIN payment p USING (tenant, order_id, group_no) WHERE a.state = 'declined' AND p.state = 'captured'
		UNION ALL SELECT 'one confirmed by its customer', count(DISTINCT order_id) FROM order_event
			WHERE kind = 'payment_action_required'
		UNION ALL SELECT 'two picked by people', count(DISTINCT order_id) FROM fulfillment_order
			JOIN location USING (tenant, location) WHERE code = '$DEMO_PEOPLE' AND fulfillment_order.state = 'closed'
		UNION ALL SELECT 'one sourced again after a short pick', count(*) FROM orders WHERE groups > 1 AND state = 'completed'
			AND id IN (SELECT order_id FROM shipment JOIN location USING (tenant, location) WHERE code = '$DEMO_PEOPLE')
		UNION ALL SELECT 'one came back', count(*) FROM shipment WHERE state = 'returned'
		UNION ALL SELECT 'one by the fastest service', count(*) FROM shipment WHERE service = (
			SELECT service FROM shipment_rate WHERE delivery_days IS NOT NULL ORDER BY delivery_days, rate_minor LIMIT 1)" >var/demo/a
	printf '%s\t%s\n' 'two over two locations' 2 'one declined' 1 'one paid with its second card' 1 \
		'one confirmed by its customer' 1 'two picked by people' 2 'one sourced again after a short pick' 1 \
		'one came back' 1 'one by the fastest service' 1 >var/demo/b
	demo_same "shapes: what was to happen to some of them did" var/demo/a var/demo/b
	printf '%s\tOUT_OF_STOCK\n' "$DEMO_NO_STOCK" >var/demo/b
	demo_same "refused: the one nobody has stock for" var/demo/refused var/demo/b

	demo_sql "SELECT state, count(*) FROM orders GROUP BY 1 ORDER BY 1" | sed 's/^/  /'
	sed 's/^/  refused: order /' var/demo/refused
	demo_placed=$(demo_sql "SELECT count(*) FROM orders")
	demo_delivered=$(demo_sql "SELECT count(*) FROM orders WHERE state = 'completed' AND fulfillment_state = 'delivered'")
	servers_stop var/demo || demo_books=wrong
}

demo_session() {
	session_record var/demo/session var/demo/session.txt || demo_books=wrong
}

demo_verdict() {
	echo "orders placed: $demo_placed"
	echo "orders delivered: $demo_delivered"
	if [[ $demo_books == right && $demo_placed -gt 0 && $demo_delivered -gt 0 ]]; then
		echo "demo: OK"
	else
		echo "demo: FAILED"
		exit 1
	fi
}
