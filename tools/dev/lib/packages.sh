# shellcheck shell=bash
# Installs Debian packages and leaves the rest of the machine as it was: no service of the system's is
# started, stopped or enabled, no PostgreSQL cluster is made, and the two switches used for that
# (policy-rc.d, createcluster.conf) are put back.  Whether a package is there is asked of dpkg each
# time: that takes some milliseconds and, unlike a stamp file, cannot be out of date.

PACKAGE_FILE=$ROOT/tools/dev/packages
APT_LOCK_WAIT_S=300 # another apt at work on a fresh cloud machine: its first upgrade
CREATECLUSTER=/etc/postgresql-common/createcluster.conf
# Packages that bring a system service of their name, and the program that tells whether they are there.
declare -A SERVICES=([redis-server]=redis-server [prometheus]=prometheus [nginx]=/usr/sbin/nginx)
POLICY_RC=/usr/sbin/policy-rc.d
POLICY_MARK='# written by orderd ./dev setup'

# packages_missing GROUP...: the packages of these groups that this machine still lacks.
packages_missing() {
	local group word
	local -a lacking=() wanted=()

	for group in "$@"; do
		while read -r word; do
			if [[ $word == *=* ]]; then
				have "${word#*=}" && continue
				word=${word%%=*}
			fi
			wanted+=("$word")
		done < <(awk -v want="[$group]" '
			/^\[/ { inside = ($1 == want); next }
			inside { sub(/#.*/, ""); if ($1 != "") print $1 }' "$PACKAGE_FILE")
	done
	for word in $(printf '%s\n' "${wanted[@]}" | sort -u); do
		[[ $(dpkg-query -W -f='${Status}' "$word" 2>/dev/null) == 'install ok installed' ]] ||
			lacking+=("$word")
	done
	echo "${lacking[*]}"
}

# packages_need GROUP...: afterwards every package of these groups is installed, or the script ends.
packages_need() {
	local missing

	missing=$(packages_missing "$@")
	[[ -n $missing ]] || return 0
	[[ -r /etc/debian_version ]] ||
		die "this is no Debian machine; install the counterparts of: $missing"
	can_be_root || die "as root, run: apt-get install --no-install-recommends $missing"
	say "installing $(wc -w <<<"$missing") packages for: $*"
	# shellcheck disable=SC2086  # a list of names
	(packages_install $missing) || die "apt-get could not install: $missing"
	missing=$(packages_missing "$@")
	[[ -z $missing ]] || die "still missing after the installation: $missing"
}

# In a subshell of its own, so that the trap puts the switches back however it ends.
packages_install() {
	local name
	local -a new=()

	for name in "${!SERVICES[@]}"; do
		have "${SERVICES[$name]}" || new+=("$name")
	done
	trap packages_switches_back EXIT
	trap 'exit 130' INT TERM
	packages_switch_off_services
	apt_get update -qq
	if [[ " $* " == *" postgresql-15 "* ]]; then
		apt_get install postgresql-common # its settings come first: see below
		packages_switch_off_cluster
	fi
	apt_get install "$@"
	for name in "${new[@]}"; do
		! have "${SERVICES[$name]}" || packages_keep_off "$name"
	done
}

# Debian lets the next boot start what it installs.  We asked for the program, not for a system service;
# one that was there before is not ours to switch.
packages_keep_off() {
	if have systemctl; then
		as_root systemctl --quiet disable "$1.service" >/dev/null 2>&1 || true
	fi
	as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends \
		-o DPkg::Lock::Timeout=$APT_LOCK_WAIT_S -o Acquire::Retries=3 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		-o Dpkg::Use-Pty=0 "$@" >&2
}

# invoke-rc.d(8): 101 is "do not act".  A policy that is there already stays the machine's own affair.
packages_switch_off_services() {
	if [[ ! -e $POLICY_RC ]]; then
		printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" |
			as_root install -D -m 755 /dev/stdin "$POLICY_RC"
	fi
}

# Read by postgresql-15 when it is configured for the first time.
packages_switch_off_cluster() {
	if [[ -f $CREATECLUSTER && ! -f $CREATECLUSTER.orderd ]]; then
		as_root cp -p "$CREATECLUSTER" "$CREATECLUSTER.orderd"
	fi
	echo 'create_main_cluster = false' | as_root install -D -m 644 /dev/stdin "$CREATECLUSTER"
}

packages_switches_back() {
	if grep -qs "$POLICY_MARK" "$POLICY_RC"; then
		as_root rm -f "$POLICY_RC"
	fi
	if [[ -f $CREATECLUSTER.orderd ]]; then
		as_root mv -f "$CREATECLUSTER.orderd" "$CREATECLUSTER"
	fi
}
