# shellcheck shell=bash
# up [--config FILE] | start everything on this machine and leave it running; FILE: your own servers

# The port of a second copy may be chosen: GRPC_PORT=7080 HTTP_PORT=7081 ./dev up
config=
while [[ $# -gt 0 ]]; do
	case $1 in
	--config=*) config=${1#*=} ;;
	--config)
		config=${2:?--config wants a file}
		shift
		;;
	*) die "up: '$1' is no option; it takes --config FILE" ;;
	esac
	shift
done
[[ -z $config || -r $config ]] || die "up: $config cannot be read"

if [[ -n $config && -e var/env ]]; then
	die "up: it runs already, with other settings; ./dev down first"
fi

packages_need build run
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
