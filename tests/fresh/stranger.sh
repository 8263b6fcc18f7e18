#!/usr/bin/env bash
# stranger.sh root|user servers|none COMMAND...: on the fresh machine, clones the project and gives the commands there.
# See tests/fresh/run.
set -euo pipefail

PATH_LENGTH=120 # of the clone; unix sockets end at 107 bytes, so a careless script fails here
who=$1
system=$2
shift 2
# shellcheck source=tests/fresh/system_servers.sh
source /mnt/source/tests/fresh/system_servers.sh

make_user() {
	quiet_apt install sudo
	useradd -m -s /bin/bash stranger
	echo 'stranger ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/stranger
	echo 'Defaults env_keep += NODE_EXTRA_CA_CERTS' >>/etc/sudoers.d/stranger
	home=/home/stranger
	as_stranger=(setpriv --reuid=stranger --regid=stranger --init-groups env HOME="$home")
}

home=/root
as_stranger=()
apt-get -qq update
if [[ $who == user ]]; then
	make_user
fi
if [[ $system == servers ]]; then
	quiet_apt install procps
	system_servers_start
	system_servers_note
fi

clone=$home/a-clone-in-a-rather-long-path
while ((${#clone} < PATH_LENGTH)); do clone+=/x; done
clone=${clone:0:PATH_LENGTH}
mkdir -p "${clone%/*}"
git clone -q /mnt/source.git "$clone"
if [[ $who == user ]]; then
	chown -R stranger: "$home"
fi
cd "$clone"
for command; do
	printf '== fresh: %s$ %s\n' "$who" "$command" >&2
	"${as_stranger[@]}" bash -c "$command"
done

if [[ $system == servers ]]; then
	system_servers_untouched
else
	system_servers_none
fi
