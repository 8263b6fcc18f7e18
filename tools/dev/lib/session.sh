# shellcheck shell=bash
# One order's way, as somebody at a terminal sees it: the commands of tools/dev/session are given to a world of their own,
# and what was typed and what was answered is written down.  tools/readme-session puts it into README.md.

SESSION_SCAN_MS=1100 # the carrier's scans are told apart by the second

# session_record WORLD TRANSCRIPT: starts the world, runs the commands, erases it.
session_record() {
	local world=$1 transcript=$2 desk=$1.desk

	say "one order at a terminal, in $transcript"
	[[ ! -e $world/data ]] || servers_erase "$world"
	SERVERS_SIM_ARGS="--scan-ms $SESSION_SCAN_MS" servers_start "$world" build/release && servers_webhooks "$world" || return 1
	# A directory to write the label in, where ./dev is as well.
	mkdir -p "$desk" && ln -sf "$ROOT/dev" "$desk/dev"
	(
		# shellcheck source=/dev/null
		source "$world/env"
		export ORDERD_SERVER=$GRPC ORDERD_WORLD=$world PATH=$DATA/bin:$PATH
		cd "$desk" && session_run
	) >"$transcript" || { servers_stop "$world"; cat "$transcript" >&2; return 1; }
	servers_erase "$world" && rm -rf "$world" "$desk"
}

# Reads tools/dev/session; prints each command behind a `$`, and below it what it printed.
session_run() {
	local line command='' shown='' answer

	export ORDER='' SHIPMENT=''
	while IFS= read -r line; do
		command+=$line$'\n' shown+=$line$'\n'
		[[ $line != *\\ ]] || continue
		if [[ $line == *'$SHIPMENT'* && -z $SHIPMENT ]]; then
			SHIPMENT=$(orderctl --json get "$ORDER" | jq -r '[.. | .shipment_id? // empty][0]')
		fi
		shown=${shown//\$ORDER/$ORDER}
		printf '$ %s' "${shown//\$SHIPMENT/$SHIPMENT}"
		answer=$(bash -o pipefail -c "$command" 2>&1) || { printf '%s\n' "$answer"; return 1; }
		printf '%s\n' "$answer"
		if [[ $command == 'orderctl place '* ]]; then
			ORDER=$(grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' <<<"$answer" | head -n 1)
		fi
		command='' shown=''
	done <"$ROOT/tools/dev/session"
}
