# shellcheck shell=bash
# build [PRESET] | compile; presets: dev (default) release clang tsan fuzz cover

build_preset "${1:-dev}"
