# shellcheck shell=bash
# bench place|edge [--rounds N] | measure beside PostgreSQL and gRPC alone, or what nginx in front costs; private servers

packages_need build run edge test
build_preset release orderd orderd-worker orderctl orderd-sim bench_echo
case ${1:-} in
edge) shift && python3 tests/bench/edge.py "$@" ;;
*) python3 tests/bench/bench.py "$@" ;;
esac
