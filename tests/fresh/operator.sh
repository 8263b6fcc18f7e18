#!/usr/bin/env bash
# operator.sh: on the fresh machine, does with orderd's packages what an operator does.  See tests/fresh/package.
set -euo pipefail

debs=(/mnt/source/build/package/*.deb)
work=/var/tmp/operator
mkdir -p $work
# shellcheck source=tests/fresh/system_servers.sh
source /mnt/source/tests/fresh/system_servers.sh

ok() {
	printf 'ok      %s\n' "$*"
}

wrong() {
	printf 'FAILED  %s\n' "$*"
	tail -n 5 $work/*.log 2>/dev/null || true
	exit 1
}

# --- the machine -----------------------------------------------------------------------------------

# What is on the machine, but for what apt and dpkg keep for themselves.
files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /mnt -o -path /tmp -o -path /run/postgresql -o -path /run/redis -o -path /run/systemd \
		-o -path '/var/cache/*' ! -path '/var/cache/orderd*' -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log \
		-o -path /var/lib/postgresql -o -path /var/lib/redis -o -path $work \) -prune -o -print | sort
}

# On sockets alone: the network is the one of the machine outside.
servers() {
	quiet_apt install postgresql-15 redis-server
	echo "listen_addresses = ''" >/etc/postgresql/15/main/conf.d/sockets.conf
	pg_ctlcluster 15 main restart 2>/dev/null || pg_ctlcluster 15 main start
	install -d -o redis -g redis /run/redis
	setpriv --reuid=redis --regid=redis --init-groups redis-server --port 0 --unixsocket /run/redis/redis.sock \
		--unixsocketperm 777 --dir /var/lib/redis --daemonize yes >/dev/null
	wait_for Redis redis-cli -s /run/redis/redis.sock ping
}

# Everything but orderd, so that what is compared later is orderd's.
prepare() {
	local others

	apt-get -qq update
	quiet_apt install procps curl jq gcc libc6-dev pkg-config lintian
	others=$(apt-get -s --no-install-recommends install "${debs[@]}" | awk '/^Inst/ && $2 !~ /^(lib)?orderd/ { print $2 }')
	# shellcheck disable=SC2086  # a list of names
	quiet_apt install $others
	servers
	as_postgres createuser orderd
	as_postgres createdb -O orderd orderd
	as_postgres psql -qc 'CREATE ROLE orderd_server; CREATE ROLE orderd_worker; CREATE ROLE orderd_audit;
		GRANT orderd_server, orderd_worker, orderd_audit TO orderd'
	useradd -m shop
	useradd -m nosy
	systemd-tmpfiles --create 2>/dev/null || true # as at boot
	files >$work/before
}

# --- a unit, without systemd -----------------------------------------------------------------------

unit_says() { # UNIT KEY
	sed -n "s/^$2=//p" "/usr/lib/systemd/system/$1"
}

# unit_start NAME UNIT: as the unit says: its user, groups, mask, environment and command.
unit_start() {
	local name=$1 unit=$2 group more

	group=$(unit_says "$unit" Group)
	more=$(unit_says "$unit" SupplementaryGroups)
	if [[ -n $(unit_says "$unit" CacheDirectory) ]]; then
		install -d -o orderd -g orderd -m "$(unit_says "$unit" CacheDirectoryMode)" /var/cache/orderd
	fi
	(
		cd /
		umask "$(unit_says "$unit" UMask)"
		# shellcheck disable=SC2046  # words
		exec env -i PATH="$PATH" $(unit_says "$unit" Environment) setpriv --reuid="$(unit_says "$unit" User)" \
			--regid="$group" --groups="$group${more:+,$more}" --no-new-privs --bounding-set=-all \
			$(unit_says "$unit" ExecStart)
	) >"$work/$name.log" 2>&1 &
	echo $! >"$work/$name.pid"
}

wait_for() { # WHAT COMMAND...
	local what=$1 until=$((SECONDS + 60))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < until)) || wrong "$what did not come about in 60 s"
		sleep 0.1
	done
}

unit_stop() {
	local pid code=0

	pid=$(<"$work/$1.pid")
	kill "$pid"
	wait "$pid" || code=$?
	[[ $code -eq 0 ]] || wrong "$1 ended with $code"
}

# --- what an operator does -------------------------------------------------------------------------

look_at() {
	lintian --fail-on error --allow-root --tag-display-limit 0 "${debs[@]}" >$work/lintian.log 2>&1 || {
		cat $work/lintian.log
		wrong 'lintian'
	}
	cat $work/lintian.log
	ok 'lintian has no error'
}

install_them() {
	quiet_apt install "${debs[@]}"
	[[ -z $(pgrep orderd || true) ]] || wrong 'something was started'
	[[ -z $(find /etc/systemd -name '*orderd*') ]] || wrong 'something was enabled'
	[[ $(stat -c '%U:%G %a' /etc/orderd/orderd.conf) == 'root:orderd 640' ]] || wrong 'orderd.conf can be read by all'
	[[ $(stat -c '%U:%G %a' /run/orderd) == 'orderd:orderd-clients 2750' ]] || wrong "/run/orderd: $(stat -c '%U:%G %a' /run/orderd)"
	[[ $(getent passwd orderd | cut -d: -f7) == */nologin ]] || wrong 'orderd may log in'
	ok 'installed: a user, a directory for sockets, nothing enabled, nothing started'

	systemd-analyze verify --man=no /usr/lib/systemd/system/{orderd{,-migrate,-worker@1}.service,orderd{,-edge}.socket} >$work/verify.log 2>&1 || true
	[[ ! -s $work/verify.log ]] || { cat $work/verify.log; wrong 'systemd-analyze verify'; }
	for unit in orderd orderd-migrate orderd-worker@1; do
		systemd-analyze security --offline=yes --no-pager --threshold=20 "$unit.service" >$work/security.log ||
			wrong "$unit: $(tail -n 1 $work/security.log)"
		tail -n 1 $work/security.log
	done
	ok 'systemd-analyze is content with the units, and with what they may do'
}

# secret NAME PREFIX: the simulator takes keys that begin as the vendors' do.
secret() {
	printf '%s%s\n' "$2" "$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')" |
		install -o orderd -m 400 /dev/stdin "/etc/orderd/$1.key"
}

configure() {
	secret contact ''
	secret gateway sk_test_
	secret carrier EZTK
	install -d -o nobody $work/sim
	(
		cd /
		exec setpriv --reuid=nobody --regid=nogroup --clear-groups orderd-sim --journal $work/sim --scan-ms 100
	) >$work/sim.log 2>&1 &
	echo $! >$work/sim.pid
	wait_for 'the simulator' grep -q '^listening=' $work/sim.log
	cat >>/etc/orderd/orderd.conf <<-END
		listen = unix:/run/orderd/orderd.sock
		auth = none
		postgres = "host=/var/run/postgresql port=$(pg_lsclusters -h | awk '{ print $3 }') dbname=orderd user=orderd"
		redis = unix:/run/redis/redis.sock
		contact_key_file = /etc/orderd/contact.key
		gateway_url = http://$(sed -n 's/^listening=//p' $work/sim.log)
		gateway_key_file = /etc/orderd/gateway.key
		carrier_url = http://$(sed -n 's/^listening=//p' $work/sim.log)
		carrier_key_file = /etc/orderd/carrier.key
		sweep_ms = 200
		track_poll_ms = 200
	END
}

serve() {
	unit_start migrate orderd-migrate.service
	wait "$(<$work/migrate.pid)" || wrong 'orderd migrate'
	unit_start orderd orderd.service
	unit_start worker orderd-worker@.service
	wait_for orderd grep -q '^ready' $work/orderd.log
	wait_for orderd-worker grep -q '^ready' $work/worker.log
}

ctl() {
	runuser -u shop -- orderctl --server unix:/run/orderd/orderd.sock "$@"
}

sell() {
	local order

	usermod -aG orderd-clients shop
	if runuser -u nosy -- orderctl --server unix:/run/orderd/orderd.sock --deadline 1000 list >/dev/null 2>&1; then
		wrong 'somebody outside orderd-clients may connect'
	fi
	ctl location create BER1 --name 'Berlin 1' --street 'Hafenweg 1' --city Berlin --postal-code 10115 --country DE
	ctl item put mug --title 'A mug' --price 1290 --currency EUR --weight 340
	ctl stock receive --location BER1 mug=100
	order=$(ctl --json place --customer c-1 --payment-method pm_card_visa --name 'Ada Example' --street 'Ring 1' \
		--city Hamburg --postal-code 20095 --country DE mug=2 | jq -r .order.order_id)
	ctl --deadline 60000 watch "$order" || wrong 'the order does not end'
	[[ $(ctl get "$order") == *COMPLETED* ]] || wrong 'the order is not completed'
	(cd /home/shop && ctl label "$(ctl --json get "$order" | jq -r '[.. | .shipment_id? // empty][0]')" --out label.pdf)
	[[ $(head -c 5 /home/shop/label.pdf) == %PDF- ]] || wrong 'the label is no PDF'
	ok 'an order of a member of orderd-clients went to the door, and its label is a PDF'

	cd $work
	# shellcheck disable=SC2046  # words
	cc -o place_order /usr/share/doc/orderd-client/examples/place_order.c $(pkg-config --cflags --libs orderd-client)
	chmod 755 $work
	runuser -u shop -- ./place_order unix:/run/orderd/orderd.sock request-1 mug 1 >/dev/null ||
		wrong 'the C client of the -dev package places no order'
	ok 'a C client built of the -dev package places an order'
	cd /
}

upgrade() {
	sha256sum /etc/orderd/* >$work/etc
	quiet_apt install --reinstall "${debs[@]}"
	sha256sum --quiet -c $work/etc || wrong 'an upgrade touched the settings'
	[[ $(stat -c '%U:%G %a' /etc/orderd/orderd.conf) == 'root:orderd 640' ]] || wrong 'an upgrade opened the settings'
	[[ $(ctl list) == *COMPLETED* ]] || wrong 'what ran does not run any more'
	ok 'installed again: settings, keys and what runs are left alone'
}

stop() {
	unit_stop worker
	unit_stop orderd
	unit_stop sim
	as_postgres psql -d orderd -Atqc "SELECT state, count(*) FROM orderd.orders GROUP BY 1"
	ok 'daemons end by SIGTERM with 0'
}

remove() {
	quiet_apt remove orderd orderd-sim liborderd-client0
	[[ ! -e /usr/sbin/orderd && -s /etc/orderd/orderd.conf && -s /etc/orderd/contact.key ]] ||
		wrong 'removing leaves programs, or takes settings'
	ok 'removed: settings and keys stay'
	# shellcheck disable=SC2046  # a list of names: those that left something to purge
	quiet_apt purge $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' '*orderd*' | sed -n 's/^config-files //p')
	[[ ! -e /etc/orderd/orderd.conf && -s /etc/orderd/contact.key ]] ||
		wrong 'purging leaves settings, or takes keys that are the operator'"'"'s'
	rm -r /etc/orderd /home/shop/label.pdf
	files >$work/after
	diff $work/before $work/after || wrong 'purging left something behind, or took too much'
	[[ -z $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' '*orderd*' 2>/dev/null | grep -v '^not-installed ') ]] ||
		wrong 'dpkg still knows orderd'
	ok "purged: the machine has the $(wc -l <$work/after) files it had before, and one locked user more"
}

prepare
look_at
install_them
configure
serve
sell
upgrade
stop
remove
