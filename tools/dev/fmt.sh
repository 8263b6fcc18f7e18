# shellcheck shell=bash
# fmt [--check] | format all C by .clang-format; --check only says what differs

packages_need lint
case ${1:-} in
'') how=(-i) ;;
--check) how=(--dry-run -Werror) ;;
*) die "fmt: '$1' is no option; it takes --check" ;;
esac
c_files | xargs -0 -r -n 40 -P "$JOBS" clang-format --style=file "${how[@]}"
