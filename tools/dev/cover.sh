# shellcheck shell=bash
# cover [CTEST ARGUMENTS] | line and branch coverage of the tests, in build/cover/report.*

packages_need build run edge test cover
judges_need
build_preset cover
find build/cover -name '*.gcda' -delete
ctest_preset cover "$@" || die "cover: tests failed"
gcovr --root . --object-directory build/cover --exclude 'build/' --exclude 'tests/' --exclude 'tools/' \
	--gcov-ignore-parse-errors \
	--branches --exclude-throw-branches --exclude-unreachable-branches \
	--txt build/cover/report.txt --html-details build/cover/report.html \
	--json-summary build/cover/summary.json -j "$JOBS"
tail -n 5 build/cover/report.txt
say "pages: build/cover/report.html"
