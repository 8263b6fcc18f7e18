# shellcheck shell=bash
# lint [--changed] | format, layers, banned functions, clang-tidy, cppcheck, buf, shellcheck

packages_need build lint clang
source tools/dev/lib/lint.sh
lint_all "${1:-}"
