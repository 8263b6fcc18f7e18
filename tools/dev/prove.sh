# shellcheck shell=bash
# prove [--user] [COMMAND...] | do it as a stranger: bare Debian 12, fresh clone; default: README's two commands

[[ $EUID -eq 0 ]] || die "prove: needs root"
packages_need prove
exec tests/fresh/run "$@"
