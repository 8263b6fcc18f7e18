# shellcheck shell=bash
# ci | what a change must pass: tests, both compilers, lint, TSan, coverage, fuzzing, valgrind

source tools/dev/lib/lint.sh
started=$SECONDS
ci_step() {
	local at=$SECONDS

	say "ci: $1"
	shift
	"$@" || die "ci: failed after $((SECONDS - started)) s: $*"
	say "ci: took $((SECONDS - at)) s"
}

ci_tsan() {
	build_preset tsan
	# Debian's libgrpc and libabsl are not instrumented; their inner locks look like races.
	TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}" \
		ctest_preset tsan -L 'unit|integration'
}

ci_valgrind() {
	tools/valgrind-tests build/release
}

packages_need build run edge test lint clang cover memory
judges_need
build_preset dev
ci_step 'tests, gcc, ASan + UBSan' ctest_preset dev
ci_step 'clang' build_preset clang
ci_step 'lint' lint_all ''
ci_step 'fuzz' ./dev fuzz 60
ci_step 'tsan' ci_tsan
build_preset release
ci_step 'valgrind' ci_valgrind
# The end-to-end stories have run with sanitizers; a second time would show few lines more.
ci_step 'coverage' ./dev cover -L 'unit|integration'
say "ci: everything passed in $((SECONDS - started)) s"
