# shellcheck shell=bash
# mutants [PATTERN] | break one rule of access at a time and see its test fail; a long while

packages_need build run test
tests/mutants/run "$@"
