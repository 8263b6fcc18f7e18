# shellcheck shell=bash
# The nginx in front of a private orderd: its CA and certificates, made once, its configuration by deploy/nginx/edge-conf,
# itself as the servers' user on a free port of 127.0.0.1.  The system's own nginx and /etc/nginx are not touched.
# Sourced by servers.sh.  What a caller needs is in $DATA/edge:
#
#     ca.pem                      who signed the server's certificate (localhost, 127.0.0.1)
#     clients.pem, clients.key    the CA of client certificates
#     client.pem, client.key      one of those, of a machine that places orders
#     root.key                    an administrator's API key, good for a week
#
# SERVERS_EDGE_ARGS: more words for edge-conf.  SERVERS_EDGE_DIRECT=1: orderd speaks TLS itself too, with the same certificates.

EDGE_CLIENT_URI=orderd://tenant/1/role/service/shop
EDGE_PORT_FIRST=20000 # below those that the kernel gives to whoever asks for any
EDGE_PORTS=10000
EDGE_TRIES=20

servers_edge_auth() {
	if [[ -n ${SERVERS_EDGE:-} ]]; then
		echo required
	else
		echo none
	fi
}

# --- certificates ------------------------------------------------------------------------------------

# edge_ca NAME: a CA, name.pem and name.key.
edge_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=orderd private $1" \
		-keyout "$DATA/edge/$1.key" -out "$DATA/edge/$1.pem" 2>/dev/null
}

# edge_issue CA NAME SANS: name.pem and name.key.
edge_issue() {
	local at=$DATA/edge

	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$at/$2.key" -out "$at/$2.csr" 2>/dev/null &&
		openssl x509 -req -in "$at/$2.csr" -CA "$at/$1.pem" -CAkey "$at/$1.key" -CAcreateserial -days 30 \
			-extfile <(echo "subjectAltName=$3") -out "$at/$2.pem" 2>/dev/null && rm -f "$at/$2.csr"
}

servers_edge_secrets() {
	mkdir -p "$DATA/edge/temp"
	if ! openssl x509 -checkend 172800 -noout -in "$DATA/edge/client.pem" >/dev/null 2>&1; then
		(umask 077 && edge_ca ca && edge_ca clients && edge_issue ca server DNS:localhost,IP:127.0.0.1 &&
			edge_issue clients client "URI:$EDGE_CLIENT_URI") || { servers_fail "openssl made no certificates"; return 1; }
	fi
	servers_secret "$DATA/edge/pepper" servers_hex 32 ''
	servers_own "$DATA/edge"
}

# The first administrator's, anew before it ends.
servers_edge_key() {
	if [[ -z $(find "$DATA/edge/root.key" -size +0 -mtime -5 2>/dev/null) ]]; then
		(umask 077 && servers_as "$DATA/bin/orderd" admin-key --config="$DATA/orderd.conf" root \
			>"$DATA/edge/root.key" 2>"$DATA/log/admin-key.log") || { cat "$DATA/log/admin-key.log" >&2; return 1; }
		servers_own "$DATA/edge/root.key"
	fi
}

# --- nginx -------------------------------------------------------------------------------------------

edge_configure() {
	local here

	here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
	# shellcheck disable=SC2086  # words
	"$here/../../deploy/nginx/edge-conf" listen="127.0.0.1:$EDGE_PORT" socket="$SOCKETS/edge.sock" \
		certificate="$DATA/edge/server.pem" certificate_key="$DATA/edge/server.key" client_ca="$DATA/edge/clients.pem" \
		pid="$RUN/edge.nginx" temp="$DATA/edge/temp" error_log=stderr access_log="$DATA/edge/access.log" \
		workers=2 ${SERVERS_EDGE_ARGS:-} >"$DATA/edge/nginx.conf" && servers_own "$DATA/edge/nginx.conf" "$RUN"
}

# nginx takes no port 0.  One that is somebody's ends it; the next is tried.
servers_edge() {
	local try

	servers_alive edge >/dev/null && return 0
	for ((try = 0; try < EDGE_TRIES; try++)); do
		[[ -n ${EDGE_PORT:-} ]] || EDGE_PORT=$((EDGE_PORT_FIRST + RANDOM % EDGE_PORTS))
		rm -f "$RUN/edge.nginx"
		edge_configure || return 1
		servers_spawn edge /usr/sbin/nginx -e stderr -c "$DATA/edge/nginx.conf" -g 'daemon off;'
		# Written when it has its port.
		if servers_wait edge test -s "$RUN/edge.nginx" 2>/dev/null; then
			return 0
		fi
		grep -q 'Address already in use' "$DATA/log/edge.log" || break
		: >"$DATA/log/edge.log"
		EDGE_PORT=
	done
	servers_fail "nginx did not start; the end of $DATA/log/edge.log:"
	tail -n 20 "$DATA/log/edge.log" >&2
	return 1
}
