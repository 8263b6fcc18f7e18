# shellcheck shell=bash
# down [--erase] | stop what `up` started; --erase removes its data too

# shellcheck source=tests/support/servers.sh
source tests/support/servers.sh
case ${1:-} in
'') verb=servers_stop ;;
--erase) verb=servers_erase ;;
*) die "down: '$1' is no option; it takes --erase" ;;
esac
if [[ ! -e var/data ]]; then
	say "nothing to stop"
	exit 0
fi
"$verb" var || die "down: see above"
say "stopped"
