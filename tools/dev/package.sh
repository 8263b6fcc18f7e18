# shellcheck shell=bash
# package | make Debian packages in build/package; tests/fresh/package tries them out

packages_need build package
# As Debian's own tools: who builds is the maintainer, and the last commit is the date.
DEBFULLNAME=${DEBFULLNAME:-$(git config user.name || id -un)}
DEBEMAIL=${DEBEMAIL:-$(git config user.email || echo "$(id -un)@$(hostname)")}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export DEBFULLNAME DEBEMAIL SOURCE_DATE_EPOCH
build_preset package
rm -f build/package/*.deb
(cd build/package && cpack -G DEB) >build/package/cpack.log 2>&1 || {
	cat build/package/cpack.log >&2
	die "package: cpack failed"
}
ls build/package/*.deb
