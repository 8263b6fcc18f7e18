# shellcheck shell=bash
# bench place [--rounds N] | measure beside PostgreSQL and gRPC by themselves; private servers, release build

packages_need build run edge test
build_preset release orderd orderd-worker orderctl orderd-sim bench_echo
python3 tests/bench/bench.py "$@"
