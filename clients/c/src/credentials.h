/*
 * How a client is known and knows its server: files, and what gRPC is given of them.
 */
#ifndef ORDERD_CLIENT_CREDENTIALS_H
#define ORDERD_CLIENT_CREDENTIALS_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "orderd/client.h"

/* The channel's, the caller's to release; NULL and *reterr (if given) when they cannot be made. */
grpc_channel_credentials *credentials_of(const struct orderd_client_options *opt,
					 struct orderd_error *reterr);

/*
 * A call's `authorization`, read now; its value, the caller's to unref, is empty when there is
 * none.
 */
grpc_metadata credentials_header(const char *token_file);

#endif
