#!/usr/bin/env bash
# The contract against the image of its last release (api/README.md): as it is it breaks nobody; what would break a client
# is refused and named, what may be added is not.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
if ! command -v buf >/dev/null; then
	echo "buf is not in PATH: ./dev test sees to it"
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# breaking FILE SED-SCRIPT: prints what buf says of the contract with this change to one file of orderd/v1.
breaking() {
	rm -rf "$scratch/api"
	cp -r "$root/api" "$scratch/api"
	sed -i "$2" "$scratch/api/orderd/v1/$1"
	if cmp -s "$root/api/orderd/v1/$1" "$scratch/api/orderd/v1/$1"; then
		echo "nothing was changed in $1 by: $2"
		exit 1
	fi
	(cd "$scratch/api" && buf breaking --against released/orderd.v1.json) 2>&1
}

refuses() {
	local said

	if said=$(breaking "$1" "$2"); then
		echo "not refused: $2"
		failed=1
	elif [[ $said != *"$3"* ]]; then
		echo "refused without \"$3\": $said"
		failed=1
	fi
}

allows() {
	local said

	if ! said=$(breaking "$1" "$2"); then
		echo "refused: $2: $said"
		failed=1
	fi
}

(cd "$root/api" && buf breaking --against released/orderd.v1.json)
refuses money.proto 's/amount_minor = 2/amount_minor = 3/' 'amount_minor'
refuses money.proto 's/amount_minor/amount_cents/' 'amount_minor'
refuses money.proto 's/int64 amount/sint64 amount/' 'type'
refuses order.proto '/string customer = 7/d' 'customer'
refuses order.proto 's/ORDER_STATE_EXPIRED = 7/ORDER_STATE_EXPIRED = 8/' 'enum value "7"'
refuses order_service.proto '/rpc CancelOrder/d' 'CancelOrder'
refuses order_service.proto 's/returns (stream Watch/returns (Watch/' 'WatchOrder'
allows money.proto 's/int64 amount_minor = 2;/& string note = 3;/'
allows order.proto 's/ORDER_STATE_EXPIRED = 7;/& ORDER_STATE_LATER = 8;/'
allows order_service.proto 's/rpc CancelOrder.*/& rpc TouchOrder(CancelOrderRequest) returns (CancelOrderResponse);/'
exit "$failed"
