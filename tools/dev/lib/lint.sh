# shellcheck shell=bash
# The checks of `./dev lint`.  Each is a function that fails or not; all of them run, then the failed
# ones are named.  Rules about one file's C are .clang-tidy's; ours are in tools/check-*.

LINT_FAILED=()

# lint_run NAME COMMAND...
lint_run() {
	local name=$1

	shift
	say "lint: $name"
	"$@" || LINT_FAILED+=("$name")
}

lint_all() {
	local changed=$1

	[[ -z $changed || $changed == --changed ]] ||
		die "lint: '$changed' is no option; it takes --changed"
	lint_run format lint_format
	lint_run layers tools/check-layers
	lint_run banned tools/check-banned
	lint_run size tools/check-size
	lint_run shell lint_shell
	if [[ -z $changed ]]; then
		node_need
		lint_run proto lint_proto
		lint_run cppcheck lint_cppcheck
	fi
	lint_run clang-tidy lint_tidy "$changed"
	if [[ ${#LINT_FAILED[@]} -gt 0 ]]; then
		die "lint failed: ${LINT_FAILED[*]}"
	fi
	say "lint: clean"
}

lint_format() {
	c_files | xargs -0 -r -n 40 -P "$JOBS" clang-format --style=file --dry-run -Werror
}

lint_shell() {
	local -a scripts

	mapfile -d '' scripts < <(shell_files)
	shellcheck --severity=warning -x "${scripts[@]}"
}

lint_proto() {
	(cd api && buf lint && buf breaking --against released/orderd.v1.json)
}

# Generated headers are needed by both analysers: build the tree they come from first.
lint_tree() {
	build_preset clang
}

# Our own files that are compiled, as paths from here.
lint_units() {
	jq -r '.[].file' build/clang/compile_commands.json | sed "s|^$ROOT/||" |
		grep -E '^(core|server|workers|clients|sims|tools|tests)/' | sort -u
}

lint_cppcheck() {
	lint_tree || return 1
	lint_units | grep -v '^tests/' >build/cppcheck.files
	# Not --inconclusive: what version 2.10 is not sure of has here never been so.
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--library=posix --library=tools/cppcheck.cfg --inline-suppr -j "$JOBS" -I . -D_GNU_SOURCE \
		--suppressions-list=tools/cppcheck.suppressions --template=gcc --file-list=build/cppcheck.files
}

# Tests are held to the compilers' warnings.  One file per call: with several, version 14 takes the
# va_list of the second for uninitialised.
lint_tidy() {
	lint_tree || return 1
	if [[ $1 == --changed ]]; then
		lint_units | grep -Fxf <(git diff --name-only HEAD -- '*.c') || true
	else
		lint_units
	fi | { grep -v '^tests/' || true; } |
		xargs -r -n 1 -P "$JOBS" clang-tidy --quiet -p build/clang 2>build/clang-tidy.counts
}
