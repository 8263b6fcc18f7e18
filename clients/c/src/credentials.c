#include "credentials.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/slice.h>

enum { FILE_MAX = 1 << 20 /* bytes of a PEM file */ };

static void complain(struct orderd_error *reterr, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct orderd_error *reterr, const char *fmt, ...)
{
	va_list ap;

	if (reterr == NULL)
		return;
	memset(reterr, 0, sizeof(*reterr));
	reterr->status = GRPC_STATUS_INVALID_ARGUMENT;
	va_start(ap, fmt);
	(void)vsnprintf(reterr->message, sizeof(reterr->message), fmt, ap);
	va_end(ap);
}

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* At most FILE_MAX bytes of text; NULL after a complaint, or when there is no path. */
static char *read_file(const char *path, struct orderd_error *reterr)
{
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char *text, reason[100];
	size_t n;

	if (f == NULL) {
		if (path != NULL)
			complain(reterr, "%s: %s", path, strerror_r(errno, reason, sizeof(reason)));
		return NULL;
	}
	text = calloc(1, FILE_MAX + 1);
	if (text == NULL)
		abort();
	setvbuf(f, NULL, _IONBF, 0); /* no copy of a secret in a buffer of libc's */
	n = fread(text, 1, FILE_MAX, f);
	if (ferror(f) || n == FILE_MAX || strlen(text) != n) {
		complain(reterr, "%s: it cannot be read, is no text, or is too large", path);
		wipe(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* Does what is sent there stay on this machine? */
static bool is_local(const char *target)
{
	static const char *const local[] = {"unix:", "unix-abstract:", "127.",
					    "localhost:", "[::1]:"};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (strncmp(target, local[i], strlen(local[i])) == 0)
			return true;
	return false;
}

static bool options_fit(const struct orderd_client_options *opt, struct orderd_error *reterr)
{
	if ((opt->tls_cert == NULL) != (opt->tls_key == NULL)) {
		complain(reterr, "a client certificate needs its key, and a key its certificate");
		return false;
	}
	if (opt->tls_cert != NULL && opt->tls_ca == NULL) {
		complain(reterr,
			 "a client certificate is shown over TLS: the server's CA is needed");
		return false;
	}
	if (opt->token_file != NULL && opt->tls_ca == NULL && !is_local(opt->target)) {
		complain(reterr,
			 "without TLS the token could be read on its way to %s: the "
			 "server's CA is needed",
			 opt->target);
		return false;
	}
	return true;
}

/* NULL after a complaint. */
static grpc_channel_credentials *tls_credentials(const struct orderd_client_options *opt,
						 struct orderd_error *reterr)
{
	grpc_channel_credentials *creds = NULL;
	char *ca = read_file(opt->tls_ca, reterr);
	char *cert = ca != NULL ? read_file(opt->tls_cert, reterr) : NULL;
	char *key = cert != NULL ? read_file(opt->tls_key, reterr) : NULL;
	grpc_ssl_pem_key_cert_pair pair = {key, cert};

	if (ca != NULL && (opt->tls_cert == NULL || key != NULL))
		creds = grpc_ssl_credentials_create(ca, key != NULL ? &pair : NULL, NULL, NULL);
	wipe(key);
	free(cert);
	free(ca);
	return creds;
}

grpc_channel_credentials *credentials_of(const struct orderd_client_options *opt,
					 struct orderd_error *reterr)
{
	char *token = NULL;

	if (!options_fit(opt, reterr))
		return NULL;
	if (opt->token_file != NULL && (token = read_file(opt->token_file, reterr)) == NULL)
		return NULL;
	wipe(token);
	return opt->tls_ca != NULL ? tls_credentials(opt, reterr)
				   : grpc_insecure_credentials_create();
}

/* A file that is gone is no token: the server says so better than we could. */
grpc_metadata credentials_header(const char *token_file)
{
	static const char scheme[] = "Bearer ";
	char *token = read_file(token_file, NULL);
	size_t n = token != NULL ? strcspn(token, " \t\r\n") : 0, head = sizeof(scheme) - 1;
	grpc_slice value = n > 0 ? grpc_slice_malloc(head + n) : grpc_empty_slice();

	if (n > 0) {
		memcpy(GRPC_SLICE_START_PTR(value), scheme, head);
		memcpy(GRPC_SLICE_START_PTR(value) + head, token, n);
	}
	wipe(token);
	return (grpc_metadata){.key = grpc_slice_from_static_string("authorization"),
			       .value = value};
}
