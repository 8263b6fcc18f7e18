# shellcheck shell=bash
# bench place|overload [--rounds N] | measure beside PostgreSQL and gRPC by themselves, or at 10 times the peak; private servers, release build

packages_need build run test
build_preset release orderd orderd-worker orderctl orderd-sim bench_echo
python3 tests/bench/bench.py "$@"
