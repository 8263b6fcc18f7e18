# shellcheck shell=bash
# test [CTEST ARGUMENTS] | build preset dev and run every test: unit, integration, e2e, judges

packages_need build run edge test
judges_need
build_preset dev
ctest_preset dev "$@"
