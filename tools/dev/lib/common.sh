# shellcheck shell=bash
# What every verb uses: how to speak, how to become root, which processors there are.  Loaded by
# ./dev, which has set ROOT and gone there; loads the other parts of this folder.

JOBS=$(nproc)

say() {
	printf '== %s\n' "$*" >&2
}

warn() {
	printf 'dev: %s\n' "$*" >&2
}

die() {
	warn "$*"
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# The words a caller may type to become root: none when root already.
if [[ $EUID -eq 0 ]]; then
	AS_ROOT=()
elif have sudo; then
	AS_ROOT=(sudo)
else
	AS_ROOT=(false)
fi

# Runs its arguments as root.  Callers check can_be_root first when they have something better to say.
as_root() {
	"${AS_ROOT[@]}" "$@"
}

can_be_root() {
	[[ ${AS_ROOT[*]} != false ]]
}

# source=... lines let shellcheck follow; the order is that of use.
# shellcheck source=tools/dev/lib/packages.sh
source "$ROOT/tools/dev/lib/packages.sh"
# shellcheck source=tools/dev/lib/node.sh
source "$ROOT/tools/dev/lib/node.sh"
# shellcheck source=tools/dev/lib/build.sh
source "$ROOT/tools/dev/lib/build.sh"

# Every C file of ours, each ended by a NUL; what is committed or about to be.
c_files() {
	find core server workers clients sims tools tests examples -type d -name node_modules -prune -o \
		-type f \( -name '*.c' -o -name '*.h' \) -print0 | sort -z
}

shell_files() {
	local file

	while IFS= read -r -d '' file; do
		case $file in
		*.sh) printf '%s\0' "$file" ;;
		*) [[ $(head -c 20 "$file" | head -n 1 | tr -d '\0') == '#!'*sh ]] && printf '%s\0' "$file" ;;
		esac
	done < <(find dev .ci tools tests packaging deploy -type d -name node_modules -prune -o -type f -print0)
}
