# shellcheck shell=bash
# A PostgreSQL and a Redis of the machine's own, as Debian sets them up, and the proof that nobody touched them.
# Sourced by what runs on the fresh machine.

SYSTEM_REPORT=/root/system-servers

quiet_apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends "$@" >/dev/null
}

as_postgres() {
	(cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@")
}

system_servers_start() {
	local port

	# The network is the one of the machine outside: servers there, or another such run, would be taken for ours.
	for port in 5432 6379; do
		if (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; then
			echo "FAILED  port $port of 127.0.0.1 is in use already; run with --bare, or when it is free" >&2
			return 1
		fi
	done
	quiet_apt install postgresql-15 redis-server
	# Its own tidying would change files as somebody else's doing does.
	printf '%s\n' 'log_connections = on' 'autovacuum = off' >/etc/postgresql/15/main/conf.d/quiet.conf
	pg_ctlcluster 15 main restart 2>/dev/null || pg_ctlcluster 15 main start
	if ! redis-cli ping >/dev/null 2>&1; then # its init script wants to raise a limit, which not every machine allows
		install -d -o redis -g redis /run/redis
		setpriv --reuid=redis --regid=redis --init-groups redis-server /etc/redis/redis.conf --daemonize yes >/dev/null
	fi
	timeout 60 bash -c 'until redis-cli ping; do sleep 0.1; done' >/dev/null 2>&1 || return 1
	as_postgres psql -q -c 'CREATE TABLE ours AS SELECT generate_series(1, 1000) AS n'
	as_postgres vacuumdb -q --all
	as_postgres pg_dumpall >/dev/null # who reads first may write down what it has found out
	as_postgres psql -q -c CHECKPOINT
	redis-cli set ours 1 >/dev/null
	redis-cli save >/dev/null
}

# How often somebody connected to the one and to the other.
system_connections() {
	grep -c 'connection received' /var/log/postgresql/postgresql-15-main.log
	redis-cli info stats | sed -n 's/^total_connections_received:\([0-9]*\).*/\1/p'
}

# Everything that must not change.
system_state() {
	local pid

	for pid in $(pgrep -o -f 'postgres.*-D /var/lib/postgresql/15/main') $(pgrep -x redis-server -u redis); do
		awk '{ print "process", $1, $22 }' "/proc/$pid/stat"
	done
	find /etc/postgresql /etc/postgresql-common /etc/redis /etc/default/redis-server -printf '%p %M %u %g %l\n' | sort
	find /etc/rc*.d /etc/systemd/system \( -name '*postgresql*' -o -name '*redis*' \) -printf '%p %l\n' | sort
	find /usr/sbin -name policy-rc.d
	find /etc/postgresql /etc/postgresql-common /etc/redis -type f -exec sha256sum {} + | sort
	find /var/lib/postgresql/15/main/base /var/lib/redis -type f ! -name 'pg_internal.init' -exec sha256sum {} + | sort
	as_postgres pg_dumpall | sed '/^\\\(un\)\?restrict /d' | sha256sum # it draws a new word each time
	as_postgres psql -Atc 'SELECT system_identifier FROM pg_control_system()' -c 'SELECT pg_postmaster_start_time()'
	redis-cli info server | grep -E '^(run_id|tcp_port|config_file)'
	redis-cli dbsize
	pg_lsclusters
}

system_servers_note() {
	system_state >"$SYSTEM_REPORT.before"
	# Both counts at the end: the looking itself connects.
	system_connections >"$SYSTEM_REPORT.connections"
}

# Fails, saying why, if something is different from what was noted.
system_servers_untouched() {
	local before_pg before_redis pg redis

	{ read -r pg && read -r redis; } < <(system_connections)
	{ read -r before_pg && read -r before_redis; } <"$SYSTEM_REPORT.connections"
	if [[ $pg -ne $before_pg || $redis -ne $((before_redis + 1)) ]]; then # one to ask Redis
		printf 'FAILED  somebody connected to the system'"'"'s servers: PostgreSQL %d times, Redis %d times\n' \
			"$((pg - before_pg))" "$((redis - before_redis - 1))"
		return 1
	fi
	system_state >"$SYSTEM_REPORT.after"
	if ! diff "$SYSTEM_REPORT.before" "$SYSTEM_REPORT.after"; then
		echo 'FAILED  the system'"'"'s servers are not as they were'
		return 1
	fi
	printf "ok      the system's PostgreSQL and Redis: %d facts as they were, nobody has connected\n" \
		"$(wc -l <"$SYSTEM_REPORT.after")"
}

# Of a machine that had none: the programs are installed, and nothing is set up, started or switched on.
system_servers_none() {
	local found

	found=$({
		pg_lsclusters -h
		pgrep -a -x 'postgres|redis-server'
		ls -d /etc/postgresql/15/* /var/lib/postgresql/15/* /var/lib/redis/* /usr/sbin/policy-rc.d
		grep -l 'create_main_cluster = false' /etc/postgresql-common/createcluster.conf
		find /etc/rc?.d -name 'S*redis-server'
		find /etc/systemd/system -path '*.wants/redis*'
	} 2>/dev/null) || true
	if [[ -n $found ]]; then
		printf "FAILED  the system has servers now, or a switch was left:\n%s\n" "$found"
		return 1
	fi
	echo 'ok      the system has no server and no switch that it did not have before'
}
