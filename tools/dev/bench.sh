# shellcheck shell=bash
# bench place|overload|edge [--rounds N] | measure beside PostgreSQL and gRPC by themselves, at 10 times the peak, or behind nginx; private servers

packages_need build run edge test
build_preset release orderd orderd-worker orderctl orderd-sim bench_echo
case ${1:-} in
edge) shift && python3 tests/bench/edge.py "$@" ;;
*) python3 tests/bench/bench.py "$@" ;;
esac
