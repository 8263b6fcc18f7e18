#!/usr/bin/env bash
# client_test.sh BUILD SANITIZERS: what is installed is enough.  BUILD is installed below a scratch prefix; a client is
# compiled of installed files alone, once against the shared and once against the static library; it places orders
# with the installed programs.  SANITIZERS: what BUILD was compiled with, or empty.
set -euo pipefail

build=$(cd "$1" && pwd)
sanitizers=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
servers=$here/../support/servers.sh
scratch=$(mktemp -d /var/tmp/orderd-install.XXXXXX)
chmod 755 "$scratch"
prefix=$scratch/a\ prefix
trap 'exit 129' HUP INT TERM # so that the next line's is run
trap 'bash "$servers" erase "$scratch/w" >&2; rm -rf "$scratch"' EXIT
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY grpc_proxy CPATH LIBRARY_PATH

wrong() {
	printf 'FAILED  %s\n' "$*"
	exit 1
}

ok() {
	printf 'ok      %s\n' "$*"
}

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
cd "$prefix"
for file in sbin/orderd sbin/orderd-worker bin/orderctl lib/systemd/system/orderd.service etc/orderd/orderd.conf \
	share/man/man8/orderd.8 share/man/man5/orderd.conf.5 share/bash-completion/completions/orderd \
	include/orderd-client/orderd/client.h; do
	[[ -s $file ]] || wrong "$file is not installed"
done
ok 'installed below a prefix'

echo '# mine' >>etc/orderd/orderd.conf
cmake --install "$build" --prefix "$prefix" >/dev/null
[[ $(tail -n 1 etc/orderd/orderd.conf) == '# mine' ]] || wrong 'settings were written over'
ok 'settings_of_an_operator_are_not_written_over'

# The sample's settings are the defaults, and readable.
sed -n 's/^#\([a-z_]* = \)/\1/p' etc/orderd/orderd.conf >"$scratch/all.conf"
diff <(sbin/orderd --print-config) <(sbin/orderd --config="$scratch/all.conf" --print-config) ||
	wrong 'the sample does not hold the defaults'
[[ $(wc -l <"$scratch/all.conf") -eq $(sbin/orderd --print-config | wc -l) ]] || wrong 'the sample lacks settings'
ok 'sample_holds_every_setting_with_its_default'

for page in share/man/man*/*; do
	said=$(groff -man -Tutf8 -ww -z "$page" 2>&1) || true
	[[ -z $said ]] || wrong "$page: $said"
done
ok 'pages_of_man_are_without_warnings'

# completion WORDS...: what bash offers for the last of them.
completion() {
	bash -c 'source "share/bash-completion/completions/$1"; compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "_$1"; echo "${COMPREPLY[*]}"' bash "$@"
}
[[ $(completion orderd --drain) == '--drain-s=' ]] || wrong "completion: $(completion orderd --drain)"
[[ $(completion orderd mig) == 'migrate' ]] || wrong "completion: $(completion orderd mig)"
ok 'bash_completes_settings'

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
lib=
eval "lib=$(pkg-config --variable=libdir orderd-client)" # it escapes the blank
nm -D --defined-only "$lib/liborderd-client.so" >"$scratch/names"
grep -q ' orderd_place_order' "$scratch/names" || wrong 'the library does not show orderd_place_order'
foreign=$(awk '$2 ~ /[TDBRV]/ { print $3 }' "$scratch/names" |
	grep -Ev '^(orderd_|google__protobuf__timestamp__)|^ORDERD_CLIENT_0|^(__asan_|__odr_asan)' || true)
[[ -z $foreign ]] || wrong "the library shows what is not its own: $foreign"
ok 'shared_library_shows_its_own_names_only'

# In a directory that knows nothing of the sources.
mkdir "$scratch/client" "$scratch/static"
cp "$prefix/share/doc/orderd-client/examples/place_order.c" "$scratch/client"
cp "$lib/liborderd-client.a" "$scratch/static"
cd "$scratch/client"
sane=(-Wall -Wextra -Werror ${sanitizers:+"-fsanitize=$sanitizers"})
eval "cc ${sane[*]} -o place_order place_order.c $(pkg-config --cflags --libs orderd-client)"
eval "cc ${sane[*]} -o place_order_static place_order.c -L$scratch/static $(pkg-config --static --cflags --libs orderd-client)"
export LD_LIBRARY_PATH=$prefix/lib
[[ $(ldd place_order) == *"liborderd-client.so.0 => $prefix"* ]] || wrong 'not linked with the shared library'
[[ $(ldd place_order_static) != *liborderd* ]] || wrong 'not linked with the static library'
ok 'client_compiles_of_installed_files'

bash "$servers" start "$scratch/w" "$prefix"
# shellcheck source=/dev/null
source "$scratch/w/env"
export ORDERD_SERVER=$GRPC
orderctl=$prefix/bin/orderctl
"$orderctl" location create BER1 --name "Berlin 1" --street "Hafenweg 1" --city Berlin --postal-code 10115 --country DE
"$orderctl" item put mug --title "A mug" --price 1290 --currency EUR --weight 340
"$orderctl" stock receive --location BER1 mug=10

first=$(./place_order "$GRPC" request-1 mug 2) || wrong "no order: $first"
"$orderctl" get "$first"
ok 'client_places_an_order'
[[ $(./place_order_static "$GRPC" request-1 mug 2) == "$first" ]] || wrong 'asked again: another order'
ok 'client_linked_statically_asks_again_and_gets_the_same_order'
if said=$(./place_order "$GRPC" request-2 mug 11 2>&1) || [[ $said != OUT_OF_STOCK:* ]]; then
	wrong "eleven of ten: $said"
fi
ok 'client_is_told_why_not'
