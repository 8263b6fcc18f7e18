# shellcheck shell=bash
# audit [--json] [CONNINFO] | check the books of the database that `up` runs, or of any other

packages_need run
audit_options=()
[[ ${1-} != --json ]] || { audit_options=(--json) && shift; }
if [[ $# -eq 0 ]]; then
	world=${ORDERD_WORLD:-var} # the demo's is another
	[[ -r $world/env ]] || die "audit: nothing runs; ./dev up first, or name a database"
	# shellcheck source=/dev/null
	source "$world/env"
	set -- "$POSTGRES"
fi
tools/audit-books "${audit_options[@]}" "$1"
