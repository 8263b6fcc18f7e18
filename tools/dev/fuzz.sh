# shellcheck shell=bash
# fuzz [SECONDS [TARGET]] | libFuzzer over hostile input; default 60 s shared by all targets

seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz: '$seconds' is no number of seconds"
build_preset fuzz fuzz_targets
mapfile -t targets < <(find build/fuzz/tests/fuzz -type f -executable -name "${2:-fz_*}" | sort)
[[ ${#targets[@]} -gt 0 ]] || die "fuzz: no target ${2:-}"
each=$((seconds / ${#targets[@]} + 1))
failed=()
for target in "${targets[@]}"; do
	name=${target##*/}
	say "fuzz $name for $each s"
	mkdir -p "build/fuzz/corpus/$name" "build/fuzz/found/$name"
	seeds=()
	[[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
	# New inputs go to the build tree; what is worth keeping is copied to tests/fuzz/corpus by hand.
	"$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/found/$name/" "build/fuzz/corpus/$name" "${seeds[@]}" \
		>"build/fuzz/$name.log" 2>&1 || failed+=("$name")
	grep -E 'stat::number_of_executed_units|SUMMARY' "build/fuzz/$name.log" >&2 || true
done
[[ ${#failed[@]} -eq 0 ]] || die "fuzz: build/fuzz/found has what broke ${failed[*]}; logs in build/fuzz/"
say "fuzz: ${#targets[@]} targets, nothing found"
