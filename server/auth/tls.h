/*
 * What TLS listeners show, and which clients' certificates they believe.  Connections made from
 * now on see what was taken last; those that stand keep what they were made with.
 *
 * gRPC asks from its own threads, so what it reads is guarded by a lock.
 */
#ifndef ORDERD_SERVER_TLS_H
#define ORDERD_SERVER_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc_security.h>

enum { TLS_FILE_MAX = 1 << 20 /* bytes; a bundle of CAs has some 200 KB */ };

/* Texts of PEM files, heap. */
struct tls_files {
	char *cert;      /* the server's, then those between it and the root */
	char *key;       /* of the first of them */
	char *client_ca; /* NULL: no client certificate is asked for */
};

/*
 * NULL when the files fit together and the certificate has not expired, else what is wrong.
 * *ret_expires is when it does, Unix seconds.  Any thread.
 */
const char *tls_check(const struct tls_files *f, int64_t *ret_expires);
void tls_files_wipe(struct tls_files *f);

struct tls;

struct tls *tls_new(void);
/* After the gRPC server has gone. */
void tls_free(struct tls *t);

/* From here on new connections see these; checked before.  Takes the texts. */
void tls_take(struct tls *t, struct tls_files *take);

/*
 * For one listener: a client certificate is asked for and verified when there is a client CA, but
 * a client may have none.  Something must have been taken.  The caller releases it.
 */
grpc_server_credentials *tls_listener(struct tls *t, bool ask_for_client);

#endif
