#!/usr/bin/env bash
# Private servers for `./dev up`, the demo and the end-to-end tests: PostgreSQL, Redis, orderd-sim,
# orderd and a worker, everything on loopback and unix sockets, nothing of the system's.
#
# Sourced, or run as
#     servers.sh start DIR BUILD [CONFIG]   all of it; BUILD is a build tree such as build/dev
#     servers.sh stores DIR                 PostgreSQL and Redis alone
#     servers.sh stop DIR                   what runs, in reverse order; data stay
#     servers.sh erase DIR                  stop, then remove the data too
#     servers.sh kill DIR NAME [SIGNAL]     one process, at once (default KILL)
#     servers.sh again DIR NAME             start that one again (redis, sim, smtp, orderd, edge, worker, postgres)
#
# With SERVERS_EDGE=1 callers are asked who they are, and there is an nginx in front (tests/support/edge.sh).
# With SERVERS_SMTP=1 there is a mail server too (tests/support/smtp), and orders get mails: what it took is in
# the file MAILS.  It needs the node of tests/node, and `npm ci` in tests/support/smtp.
#
# DIR holds what a caller reads: `env` (NAME=value lines: where everything listens) and `data/`, a link
# to the data.  PostgreSQL refuses to run as root, so root's servers all run as user postgres; then the
# data lie in DIR only if that user can get there, else in a fresh directory under /var/tmp.  A socket's
# path must fit in 107 bytes, so sockets have a short directory of their own that only the user may enter.
# A process is stopped by its id, and only while it still has the start time noted with that id.

SERVERS_READY_S=60 # a first start recovers and creates; a loaded CI machine is slow at both
SERVERS_STOP_S=40  # longer than orderd's drain_s, after which it ends by itself
SERVERS_POLL_S=0.05
SERVERS_PG_BIN=${SERVERS_PG_BIN:-/usr/lib/postgresql/15/bin}
SERVERS_ORDER=(postgres redis sim smtp orderd edge worker)

# shellcheck source=tests/support/edge.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/edge.sh"

servers_fail() {
	printf 'servers: %s\n' "$*" >&2
	return 1
}

# --- who and where ---------------------------------------------------------------------------------

# Runs a command as the user the servers run as.
servers_as() {
	if [[ $EUID -eq 0 ]]; then
		# HOME, because root's may not be entered; setpriv becomes the command, so $! is its id
		setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$DATA" "$@"
	else
		"$@"
	fi
}

# Sets DIR, DATA, RUN; makes them on first use.
servers_open() {
	mkdir -p "$1" || return 1
	DIR=$(cd "$1" && pwd)
	if [[ ! -e $DIR/data ]]; then
		servers_make_data || return 1
	fi
	DATA=$(readlink -f "$DIR/data")
	RUN=$DATA/run
	mkdir -p "$RUN" "$DATA/log" "$DATA/bin"
}

servers_make_data() {
	local away

	rm -f "$DIR/data" # a link whose end was cleaned away
	DATA=/ # for servers_as
	if [[ $EUID -ne 0 ]]; then
		mkdir -p "$DIR/data"
	elif servers_as test -x "$DIR"; then
		install -d -o postgres -g postgres -m 700 "$DIR/data"
	else
		away=$(mktemp -d /var/tmp/orderd.XXXXXX) && chown postgres:postgres "$away" || return 1
		ln -s "$away" "$DIR/data"
	fi
}

servers_socket_dir() {
	if [[ -s $RUN/sockets ]] && [[ -d $(<"$RUN/sockets") ]]; then
		SOCKETS=$(<"$RUN/sockets")
		return 0
	fi
	SOCKETS=$(mktemp -d /tmp/orderd.XXXXXX) || return 1
	if [[ $EUID -eq 0 ]]; then
		chown postgres:postgres "$SOCKETS"
	fi
	echo "$SOCKETS" >"$RUN/sockets"
}

# --- processes -------------------------------------------------------------------------------------

# Field 22 of stat(5): with the id it names one process for ever, also after the id was given again.
servers_start_time() {
	local stat=

	# Not $(<file): where errors end the script, one that is not there ends it also behind an `if`.
	{ read -r -d '' stat <"/proc/$1/stat" || true; } 2>/dev/null
	[[ -n $stat ]] || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086
	set -- $stat
	[[ $1 != Z ]] && echo "${20}"
}

# servers_alive NAME: prints the id of the process noted under NAME if it is still that process.
servers_alive() {
	local pid since

	[[ -s $RUN/$1.pid ]] || return 1
	read -r pid since <"$RUN/$1.pid"
	[[ $(servers_start_time "$pid") == "$since" ]] && echo "$pid"
}

# servers_spawn NAME COMMAND...: in a session of its own, so that ^C at the terminal does not reach it.
servers_spawn() {
	local name=$1 pid

	shift
	(
		cd "$DATA" || exit 1
		printf '%q ' "$@" >"$RUN/$name.command"
		# The mail server reads scripts where only root may be able to go.
		if [[ $EUID -eq 0 && $name != smtp ]]; then
			exec setsid setpriv --reuid=postgres --regid=postgres --init-groups \
				env HOME="$DATA" "$@"
		fi
		exec setsid "$@"
	) >>"$DATA/log/$name.log" 2>&1 </dev/null &
	pid=$!
	echo "$pid $(servers_start_time "$pid")" >"$RUN/$name.pid"
	disown "$pid"
}

# servers_wait NAME CONDITION...: until the condition holds; fails with the log's end if it never does.
servers_wait() {
	local name=$1 until=$((SECONDS + SERVERS_READY_S))

	shift
	until "$@" >/dev/null 2>&1; do
		if ! servers_alive "$name" >/dev/null || ((SECONDS >= until)); then
			servers_fail "$name did not get ready; the end of $DATA/log/$name.log:"
			tail -n 20 "$DATA/log/$name.log" >&2
			return 1
		fi
		sleep "$SERVERS_POLL_S"
	done
}

# servers_end NAME SIGNAL: asks the process to end and waits; kills it when it does not.
servers_end() {
	local pid until=$((SECONDS + SERVERS_STOP_S))

	if pid=$(servers_alive "$1"); then
		kill "-$2" "$pid" 2>/dev/null
		while servers_alive "$1" >/dev/null; do
			if ((SECONDS >= until)); then
				servers_fail "$1 ($pid) did not end in $SERVERS_STOP_S s; killed"
				kill -KILL "$pid" 2>/dev/null
				until=$((SECONDS + SERVERS_STOP_S))
			fi
			sleep "$SERVERS_POLL_S"
		done
		# A postmaster that was killed leaves children for a moment, and the next one waits for nobody.
		until ! pgrep -s "$pid" >/dev/null || ((SECONDS >= until)); do
			sleep "$SERVERS_POLL_S"
		done
	fi
	rm -f "$RUN/$1.pid"
}

# --- each server -----------------------------------------------------------------------------------

servers_postgres() {
	servers_alive postgres >/dev/null && return 0
	if [[ ! -s $DATA/pg/PG_VERSION ]]; then
		servers_as "$SERVERS_PG_BIN/initdb" -D "$DATA/pg" -U postgres --auth=trust \
			--encoding=UTF8 --locale=C.UTF-8 --data-checksums >"$DATA/log/initdb.log" 2>&1 ||
			{ tail -n 20 "$DATA/log/initdb.log" >&2; return 1; }
	fi
	servers_stale_lock
	# shellcheck disable=SC2086
	servers_spawn postgres "$SERVERS_PG_BIN/postgres" -D "$DATA/pg" \
		-c listen_addresses= -c unix_socket_directories="$SOCKETS" -c max_connections=100 \
		-c shared_preload_libraries=pg_stat_statements -c fsync=on -c shared_buffers=256MB ${SERVERS_PG_ARGS:-}
	servers_wait postgres "$SERVERS_PG_BIN/pg_isready" -q -h "$SOCKETS" || return 1
	servers_database
}

# A killed postmaster that nobody has waited for yet is still a process to kill(2), and PostgreSQL takes that
# for a rival.  Its children are gone by now (servers_orphans_gone), so its lock is worth nothing.
servers_stale_lock() {
	local lock=$DATA/pg/postmaster.pid

	if [[ -s $lock ]] && ! servers_start_time "$(head -n 1 "$lock")" >/dev/null; then
		rm -f "$lock" "$SOCKETS"/.s.PGSQL.5432*
	fi
}

# Trust is enough: nobody but this user and root can enter the socket's directory.  The programs connect as one
# who owns nothing and may do nothing but act as their roles.
servers_database() {
	local psql=("$SERVERS_PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCKETS" -U postgres)

	if [[ -n $("${psql[@]}" -At -c "SELECT 1 FROM pg_database WHERE datname = 'orderd'" postgres) ]]; then
		[[ -n $("${psql[@]}" -At -c "SELECT 1 FROM pg_roles WHERE rolname = 'orderd_owner'" postgres) ]] ||
			servers_fail "the programs own the database in $DATA, as they once did: ./dev down --erase"
		return
	fi
	"${psql[@]}" -c 'CREATE ROLE orderd_owner LOGIN' -c 'CREATE ROLE orderd LOGIN' \
		-c 'CREATE ROLE orderd_server' -c 'CREATE ROLE orderd_worker' -c 'CREATE ROLE orderd_audit' \
		-c 'GRANT orderd_server, orderd_worker, orderd_audit TO orderd' \
		-c 'CREATE DATABASE orderd OWNER orderd_owner' postgres &&
		"${psql[@]}" -c 'CREATE EXTENSION pg_stat_statements' orderd
}

servers_redis() {
	servers_alive redis >/dev/null && return 0
	mkdir -p "$DATA/redis" && servers_own "$DATA/redis"
	rm -f "$SOCKETS/redis.sock"
	servers_spawn redis redis-server --port 0 --unixsocket "$SOCKETS/redis.sock" \
		--unixsocketperm 700 --dir "$DATA/redis" --appendonly yes --appendfsync everysec \
		--save '' --maxmemory 512mb --maxmemory-policy noeviction --daemonize no
	servers_wait redis servers_redis_answers
}

servers_redis_answers() {
	[[ $(redis-cli -s "$SOCKETS/redis.sock" ping 2>/dev/null) == PONG ]]
}

servers_own() {
	if [[ $EUID -eq 0 ]]; then
		chown -R postgres:postgres "$@"
	fi
}

servers_sim() {
	if ! servers_alive sim >/dev/null; then
		mkdir -p "$DATA/sim" && servers_own "$DATA/sim"
		: >"$DATA/log/sim.log"
		# shellcheck disable=SC2086
		servers_spawn sim "$DATA/bin/orderd-sim" --listen "127.0.0.1:${SIM_PORT:-0}" \
			--journal "$DATA/sim" ${SERVERS_SIM_ARGS:-}
		servers_wait sim grep -q '^listening=' "$DATA/log/sim.log" || return 1
	fi
	SIM_URL=http://$(sed -n 's/^listening=//p' "$DATA/log/sim.log" | tail -n 1)
	# Whoever starts it again gets the same port: its address stands in the others' configuration.
	SIM_PORT=${SIM_URL##*:}
}

servers_smtp() {
	local here

	here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
	if ! servers_alive smtp >/dev/null; then
		: >"$DATA/log/smtp.log"
		# shellcheck disable=SC2086
		servers_spawn smtp "$(servers_node "$here")" "$here/smtp/sink.js" "$DATA/mails.jsonl" \
			--port "${SMTP_PORT:-0}" ${SERVERS_SMTP_ARGS:-}
		servers_wait smtp grep -q '^listening=' "$DATA/log/smtp.log" || return 1
	fi
	SMTP_PORT=$(sed -n 's/^listening=.*://p' "$DATA/log/smtp.log" | tail -n 1)
	MAILS=$DATA/mails.jsonl
}

# The pinned one; what else is called node here is too old.
servers_node() {
	local node

	for node in "$1"/../node/node_modules/node-linux-*/bin/node; do
		if "$node" --version >/dev/null 2>&1; then
			echo "$node"
			return 0
		fi
	done
	echo node
}

servers_orderd() {
	if ! servers_alive orderd >/dev/null; then
		: >"$DATA/log/orderd.log"
		servers_spawn orderd "$DATA/bin/orderd" --config="$DATA/orderd.conf"
		servers_wait orderd grep -q '^ready' "$DATA/log/orderd.log" || return 1
	fi
	ORDERD_GRPC=$(sed -n 's/^listening grpc=//p' "$DATA/log/orderd.log" | head -n 1)
	ORDERD_GRPCS=$(sed -n 's/^listening grpcs=//p' "$DATA/log/orderd.log" | head -n 1)
	ORDERD_HTTP=$(sed -n 's/^listening http=//p' "$DATA/log/orderd.log" | head -n 1)
	ORDERD_WEBHOOKS=$(sed -n 's/^listening webhooks=//p' "$DATA/log/orderd.log" | head -n 1)
	servers_wait orderd curl -fsS --max-time 2 --noproxy '*' "http://$ORDERD_HTTP/healthz"
}

# servers_webhooks DIR: from now on the simulator tells orderd what happens; without it the workers find out by asking.
servers_webhooks() {
	servers_open "$1" || return 1
	# shellcheck source=/dev/null
	source "$DIR/env"
	[[ -n $SIM_URL && -n $WEBHOOKS ]] || return 0
	jq -n --arg at "http://$WEBHOOKS/webhooks" --rawfile g "$DATA/gateway_webhook.key" \
		--rawfile c "$DATA/carrier_webhook.key" '{gateway: {url: "\($at)/gateway", secret: ($g | rtrimstr("\n"))},
		carrier: {url: "\($at)/carrier", secret: ($c | rtrimstr("\n"))}}' |
		curl -fsS --noproxy '*' --max-time 10 -o /dev/null --data-binary @- "$SIM_URL/_sim/webhooks"
}

servers_worker() {
	if ! servers_alive worker >/dev/null; then
		: >"$DATA/log/worker.log"
		servers_spawn worker "$DATA/bin/orderd-worker" --config="$DATA/orderd.conf"
		servers_wait worker grep -q '^ready' "$DATA/log/worker.log" || return 1
	fi
	WORKER_HTTP=$(sed -n 's/^listening http=//p' "$DATA/log/worker.log" | head -n 1)
}

# --- configuration ---------------------------------------------------------------------------------

# The programs are copied, because a clone under /root is out of their user's reach and because a
# rebuild must not change a program that runs.
servers_programs() {
	local name found

	for name in orderd orderd-worker orderd-sim orderctl; do
		found=$(find "$1" -type f -executable -name "$name" -not -path '*/CMakeFiles/*' | head -n 1)
		[[ -n $found ]] || { servers_fail "$1 has no $name"; return 1; }
		cmp -s "$found" "$DATA/bin/$name" || install -m 755 "$found" "$DATA/bin/$name" || return 1
	done
}

# servers_secret FILE COMMAND...: what the command prints, once, readable by the servers' user alone.
servers_secret() {
	local file=$1

	shift
	if [[ ! -s $file ]]; then
		(umask 077 && "$@" >"$file") && servers_own "$file"
	fi
}

servers_hex() {
	printf '%s%s\n' "$2" "$(od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n')"
}

# servers_asks FIELD: whether the operator's file leaves this field to us.
servers_asks() {
	! grep -Eqs "^[[:space:]]*$1[[:space:]]*=" "$OPERATOR_CONFIG"
}

# What the programs share with each other; the simulator may need them before orderd is configured.
servers_secrets() {
	servers_secret "$DATA/contact.key" servers_hex 32 ''
	servers_secret "$DATA/gateway.key" servers_hex 12 sk_test_
	servers_secret "$DATA/carrier.key" servers_hex 12 EZTK
	servers_secret "$DATA/gateway_webhook.key" servers_hex 24 whsec_
	servers_secret "$DATA/carrier_webhook.key" servers_hex 24 ''
}

# A field the operator's file has is the operator's; the rest points at the private servers.
servers_configure() {
	local field value

	{
		cat "${OPERATOR_CONFIG:-/dev/null}"
		echo # its last line may have no end
		while IFS='|' read -r field value; do
			if [[ -n $field ]] && servers_asks "$field"; then
				echo "$field = $value"
			fi
		done <<-END
			listen|127.0.0.1:${GRPC_PORT:-0}${SERVERS_EDGE:+,edge:unix:$SOCKETS/edge.sock}${SERVERS_EDGE_DIRECT:+,tls:127.0.0.1:0}
			http_listen|127.0.0.1:${HTTP_PORT:-0}
			worker_http_listen|127.0.0.1:${WORKER_HTTP_PORT:-0}
			auth|$(servers_edge_auth)
			${SERVERS_EDGE:+api_key_pepper_file|$DATA/edge/pepper}
			${SERVERS_EDGE_DIRECT:+tls_cert_file|$DATA/edge/server.pem}
			${SERVERS_EDGE_DIRECT:+tls_key_file|$DATA/edge/server.key}
			${SERVERS_EDGE_DIRECT:+tls_client_ca_file|$DATA/edge/clients.pem}
			postgres|$(servers_conninfo)
			redis|unix:$SOCKETS/redis.sock
			contact_key_file|$DATA/contact.key
			gateway_url|$SIM_URL
			gateway_key_file|$DATA/gateway.key
			carrier_url|$SIM_URL
			carrier_key_file|$DATA/carrier.key
			webhook_listen|127.0.0.1:${WEBHOOK_PORT:-0}
			gateway_webhook_secret_file|$DATA/gateway_webhook.key
			carrier_webhook_secret_file|$DATA/carrier_webhook.key
			${MAILS:+mail_from|The Shop <orders@shop.example>}
			${MAILS:+smtp_url|smtp://127.0.0.1:$SMTP_PORT/shop.example}
			${MAILS:+smtp_tls|${SERVERS_SMTP_TLS:-none}}
			${MAILS:+tracking_url|https://track.example/{code\}}
		END
		cat "${SERVERS_EXTRA_CONFIG:-/dev/null}"
	} >"$DATA/orderd.conf"
	servers_own "$DATA/orderd.conf"
}

servers_conninfo() {
	echo "host=$SOCKETS dbname=orderd user=${1:-orderd}"
}

# Where everything is, for scripts (source it) and for people (read it).
servers_write_env() {
	{
		printf 'DATA=%q\n' "$DATA"
		printf 'SOCKETS=%q\n' "$SOCKETS"
		printf 'POSTGRES=%q\n' "$(servers_field postgres)"
		printf 'REDIS=%q\n' "$(servers_field redis)"
		printf 'SIM_URL=%q\n' "${SIM_URL:-}"
		printf 'SIM_PORT=%q\n' "${SIM_PORT:-0}"
		printf 'SMTP_PORT=%q\n' "${SMTP_PORT:-0}"
		printf 'MAILS=%q\n' "${MAILS:-}"
		printf 'GRPC=%q\n' "${ORDERD_GRPC:-}"
		printf 'HTTP=%q\n' "${ORDERD_HTTP:-}"
		printf 'WORKER_HTTP=%q\n' "${WORKER_HTTP:-}"
		printf 'WEBHOOKS=%q\n' "${ORDERD_WEBHOOKS:-}"
		printf 'GRPCS=%q\n' "${ORDERD_GRPCS:-}"
		printf 'EDGE_PORT=%q\n' "${EDGE_PORT:-}"
		printf 'EDGE=%q\n' "${EDGE_PORT:+127.0.0.1:$EDGE_PORT}"
		printf 'ORDERCTL=%q\n' "$DATA/bin/orderctl"
	} >"$DIR/env"
}

servers_field() {
	local value=

	if [[ -s $DATA/orderd.conf ]]; then
		value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$DATA/orderd.conf" | tail -n 1)
		value=${value#\"} value=${value%\"}
	fi
	echo "$value"
}

# --- the verbs -------------------------------------------------------------------------------------

servers_stores() {
	OPERATOR_CONFIG=
	servers_open "$1" && servers_socket_dir && servers_postgres && servers_redis || return 1
	printf 'postgres = %s\nredis = unix:%s/redis.sock\n' "$(servers_conninfo)" "$SOCKETS" \
		>"$DATA/orderd.conf"
	servers_write_env
}

# servers_start DIR BUILD [CONFIG]
servers_start() {
	local migrate=()

	OPERATOR_CONFIG=${3:-}
	SIM_URL=
	servers_open "$1" || return 1
	if [[ -s $DIR/env ]]; then
		# those who still run know them by these
		SIM_PORT=$(source "$DIR/env" && echo "$SIM_PORT")
		SMTP_PORT=$(source "$DIR/env" && echo "${SMTP_PORT:-0}")
		EDGE_PORT=$(source "$DIR/env" && echo "${EDGE_PORT:-}")
	fi
	servers_programs "$2" && servers_socket_dir && servers_secrets || return 1
	if servers_asks postgres; then
		servers_postgres || return 1
		migrate=(--postgres="$(servers_conninfo orderd_owner)")
	fi
	if servers_asks redis; then
		servers_redis || return 1
	fi
	if servers_asks gateway_url || servers_asks carrier_url; then
		servers_sim || return 1
	fi
	MAILS=
	if [[ ${SERVERS_SMTP:-} == 1 ]]; then
		servers_smtp || return 1
	fi
	if [[ -n ${SERVERS_EDGE:-} ]]; then
		servers_edge_secrets || return 1
	fi
	servers_configure || return 1
	servers_as "$DATA/bin/orderd" migrate --config="$DATA/orderd.conf" "${migrate[@]}" >"$DATA/log/migrate.log" 2>&1 ||
		{ cat "$DATA/log/migrate.log" >&2; return 1; }
	if [[ -n ${SERVERS_EDGE:-} ]]; then
		servers_edge_key || return 1
	fi
	servers_orderd && servers_worker || return 1
	if [[ -n ${SERVERS_EDGE:-} ]]; then
		servers_edge || return 1
	fi
	servers_write_env
}

servers_stop() {
	local i name failed=0

	servers_open "$1" || return 1
	for ((i = ${#SERVERS_ORDER[@]} - 1; i >= 0; i--)); do
		name=${SERVERS_ORDER[i]}
		case $name in
		postgres) servers_end "$name" "${2:-INT}" || failed=1 ;; # fast shutdown: open sessions are ended
		*) servers_end "$name" TERM || failed=1 ;;
		esac
	done
	if [[ -s $RUN/sockets ]]; then
		rm -rf "$(<"$RUN/sockets")"
	fi
	rm -f "$RUN/sockets" "$DIR/env"
	return $failed
}

servers_erase() {
	# QUIT: without the checkpoint that nobody will read.
	servers_stop "$1" QUIT && rm -rf "$DATA" "$DIR/data"
}

servers_kill() {
	local pid

	servers_open "$1" || return 1
	if ! pid=$(servers_alive "$2"); then
		servers_fail "$2 does not run"
		return 1
	fi
	kill "-${3:-KILL}" "$pid"
	if [[ ${3:-KILL} == KILL ]]; then
		servers_end "$2" KILL
	fi
	if [[ $2 == postgres && ${3:-KILL} == KILL ]]; then
		servers_orphans_gone
	fi
}

# A killed postmaster's children notice its death one by one; until the last is gone no other may start.
servers_orphans_gone() {
	local until=$((SECONDS + SERVERS_STOP_S))

	while find /proc/[0-9]*/cwd -maxdepth 0 -lname "$DATA/pg" 2>/dev/null | grep -q .; do
		((SECONDS < until)) || servers_fail "processes of a killed PostgreSQL stay" || return 1
		sleep "$SERVERS_POLL_S"
	done
}

servers_again() {
	servers_open "$1" || return 1
	# shellcheck source=/dev/null
	source "$DIR/env"
	OPERATOR_CONFIG=
	ORDERD_GRPC=$GRPC ORDERD_GRPCS=$GRPCS ORDERD_HTTP=$HTTP ORDERD_WEBHOOKS=$WEBHOOKS
	"servers_$2" && servers_write_env
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	set -u
	case ${1:-} in
	start | stores | stop | erase | kill | again)
		verb=$1
		shift
		"servers_$verb" "$@"
		;;
	*)
		sed -n '5,11s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
fi
