# shellcheck shell=bash
# up [--edge] [--config FILE] | start everything on this machine and leave it running; --edge: behind nginx

# The port of a second copy may be chosen: GRPC_PORT=7080 HTTP_PORT=7081 ./dev up
# FILE: settings of your own servers.  --edge: TLS, certificates and keys as docs/edge.md has them, in an nginx of our own.
config=
while [[ $# -gt 0 ]]; do
	case $1 in
	--config=*) config=${1#*=} ;;
	--config)
		config=${2:?--config wants a file}
		shift
		;;
	--edge) export SERVERS_EDGE=1 ;;
	*) die "up: '$1' is no option; it takes --edge and --config FILE" ;;
	esac
	shift
done
[[ -z $config || -r $config ]] || die "up: $config cannot be read"

runs_edge=$(sed -n 's/^EDGE=1.*/1/p' var/env 2>/dev/null || true)
if [[ -e var/env ]] && [[ -n $config || $runs_edge != "${SERVERS_EDGE:-}" ]]; then
	die "up: it runs already, with other settings; ./dev down first"
fi

packages_need build run ${SERVERS_EDGE:+edge}
build_preset release orderd orderd-worker orderctl orderd-sim
# shellcheck source=tests/support/servers.sh
source tests/support/servers.sh
export GRPC_PORT=${GRPC_PORT:-7070} HTTP_PORT=${HTTP_PORT:-7071}
servers_start var build/release "$config" && servers_webhooks var || die "up: not everything started; ./dev down stops the rest"

# shellcheck source=/dev/null
source var/env
cat <<END
orderd listens on $GRPC (gRPC) and http://$HTTP (/healthz, /metrics)
  worker        ${WORKER_HTTP:+http://$WORKER_HTTP (/healthz, /metrics)}
  postgres      $POSTGRES
                (psql sees rows with PGOPTIONS="-c role=orderd_audit -c app.tenants=* -c search_path=orderd")
  redis         $REDIS
  gateway,
  carrier       ${SIM_URL:-as in $config}
  settings      $DATA/orderd.conf
  logs          $DATA/log/
  orders        var/data/bin/orderctl --server=$GRPC --help
  stop          ./dev down          (data stay; ./dev down --erase removes them)
END
if [[ -n ${SERVERS_EDGE:-} ]]; then
	cat <<-END
		nginx listens on $EDGE for callers nobody knows (TLS; docs/edge.md); in $DATA/edge are
		  its CA        ca.pem
		  a key         root.key              an administrator's, for a week
		  a certificate client.pem client.key a shop's
		  orders        var/data/bin/orderctl --server=$EDGE --tls-ca=var/data/edge/ca.pem --token-file=var/data/edge/root.key stuck
	END
fi
