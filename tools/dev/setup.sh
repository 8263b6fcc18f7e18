# shellcheck shell=bash
# setup [GROUP...] | install packages and judges (build run test lint ...); default all

if [[ $# -eq 0 ]]; then
	set -- build run edge test lint clang cover memory
fi
packages_need "$@"
if [[ " $* " == *" test "* ]]; then
	judges_need
elif [[ " $* " == *" lint "* ]]; then
	node_need
fi
if [[ -d .git && " $* " == *" lint "* && ! -e .git/hooks/pre-commit ]]; then
	warn "to check each commit before it is made: ln -s ../../tools/hooks/pre-commit .git/hooks/"
fi
say "set up: $*"
