/*
 * The certificate that the proxy in front has verified.  It ends its callers' TLS, so orderd sees
 * the proxy alone; what it was shown it hands on in a header, the PEM as nginx's
 * $ssl_client_escaped_cert writes it, and it takes that header off whatever its callers send.
 *
 * The header is believed on a listener "edge:unix:/path" and nowhere else (peer.h, peer_is_edge());
 * who may connect there is said by the socket's owner and group (mode 0660).
 */
#ifndef ORDERD_SERVER_EDGE_H
#define ORDERD_SERVER_EDGE_H

#include "server/auth/cause.h"
#include "server/auth/jwt.h"

#define EDGE_CERTIFICATE_HEADER "x-orderd-client-cert"

enum { EDGE_CERTIFICATE_MAX = 16 * 1024 }; /* of the header: some five times a usual one */

/*
 * Whom the certificate is for, by its URI as peer.h reads it, and now, for the proxy looked at its
 * dates when the connection began.  Told like a token: `jti` is the URI, texts lie in `arena`.
 */
enum auth_cause edge_check(struct str header, struct str prefix, int64_t now_s, struct arena *arena,
			   struct jwt_claims *ret);

#endif
