# shellcheck shell=bash
# Configures and builds one preset of CMakePresets.json into build/PRESET.

TEST_TIMEOUT_S=300 # of one test; those with a reason to need less or more say so in their CMakeLists

# build_preset PRESET [TARGET...]
build_preset() {
	local preset=$1

	shift
	packages_need build
	case $preset in
	clang | fuzz) packages_need clang ;;
	esac
	say "build $preset"
	build_configure "$preset"
	cmake --build --preset "$preset" -j "$JOBS" ${1+--target "$@"} >&2
}

# A tree configured for another place (a moved clone) is of no use: CMake refuses it, we start afresh.
build_configure() {
	local preset=$1 cache=build/$1/CMakeCache.txt

	if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$cache"; then
		rm -rf "build/$preset"
	fi
	mkdir -p build
	CCACHE_BASEDIR=$ROOT cmake --preset "$preset" >"build/$preset.log" 2>&1 || {
		cat "build/$preset.log" >&2
		die "configuring preset $preset failed"
	}
}

# program NAME [PRESET]: the path of a program that was built.
program() {
	local found

	found=$(find "build/${2:-release}" -type f -executable -name "$1" -not -path '*/CMakeFiles/*' |
		head -n 1)
	[[ -n $found ]] || die "build/${2:-release} has no $1"
	echo "$ROOT/$found"
}

# ctest_preset PRESET [CTEST ARGUMENTS]: one summary at the end.  A test that needs root and is not run
# by root prints SKIPPED-ROOT and returns 77; with CI set, root or not, that is a failure.
ctest_preset() {
	local preset=$1 tree=build/$1 failed=0

	shift
	ctest --test-dir "$tree" --output-on-failure --no-tests=error -j "$JOBS" \
		--timeout "$TEST_TIMEOUT_S" "$@" || failed=1
	if [[ -n ${CI:-} ]] && grep -qs 'SKIPPED-ROOT' "$tree/Testing/Temporary/LastTest.log"; then
		warn "a test was skipped because it needs root, and this run must not skip any"
		failed=1
	fi
	return $failed
}
