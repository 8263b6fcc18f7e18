# shellcheck shell=bash
# demo [--seed N] [--resume] | thirty orders to the customer's door, then the books compared by psql and jq

# Everything runs privately under var/demo.  A run is a function of its seed: request ids, shapes and
# quantities come from it, so --resume after a crash asks for the same orders again and gets the same ones.
seed=1
resume=
while [[ $# -gt 0 ]]; do
	case $1 in
	--seed=*) seed=${1#*=} ;;
	--seed)
		seed=${2:?--seed wants a number}
		shift
		;;
	--resume) resume=yes ;;
	*) die "demo: '$1' is no option; it takes --seed N and --resume" ;;
	esac
	shift
done
[[ $seed =~ ^[0-9]{1,9}$ ]] || die "demo: a seed is a number of at most 9 digits, not '$seed'"

packages_need build run test
node_need
npm_need tests/support/smtp
npm_need tests/integration/label
build_preset release orderd orderd-worker orderctl orderd-sim
# shellcheck source=tests/support/servers.sh
source tests/support/servers.sh
# shellcheck source=tools/dev/lib/demo.sh
source tools/dev/lib/demo.sh
# shellcheck source=tools/dev/lib/session.sh
source tools/dev/lib/session.sh

if [[ -n $resume ]]; then
	[[ -s var/demo/seed ]] || die "demo: nothing to resume; run ./dev demo first"
	seed=$(<var/demo/seed)
	say "resume the demo of seed $seed"
else
	[[ ! -e var/demo/data ]] || servers_erase var/demo
	mkdir -p var/demo
	echo "$seed" >var/demo/seed
	rm -f var/demo/orders var/demo/refused
fi

demo_servers || die "demo: not everything started; ./dev demo --resume tries again"
demo_catalogue
demo_orders
demo_follow
demo_timelines
demo_labels
demo_compare
demo_session
demo_verdict
