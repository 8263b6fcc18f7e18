#include "server/auth/tls.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"

enum { LISTENERS_MAX = 8 };

/* What one listener has seen: gRPC asks for each of them apart. */
struct view {
	struct tls *tls;
	uint64_t seen;
};

struct tls {
	pthread_mutex_t lock;
	struct tls_files files; /* under lock */
	uint64_t generation;    /* likewise */
	struct view views[LISTENERS_MAX];
	size_t n_views;
};

/* ---- checking ---- */

static int no_passphrase(char *to, int room, int writing, void *arg)
{
	(void)to;
	(void)room;
	(void)writing;
	(void)arg;
	return -1; /* nobody is there to be asked */
}

static BIO *reader(const char *text)
{
	BIO *b = BIO_new_mem_buf(text, -1);

	if (b == NULL)
		abort(); /* without memory */
	return b;
}

/*
 * The first certificate of a file whose every block can be read: gRPC takes a file whole or not at
 * all.  NULL when there is none, or one is damaged.
 */
static X509 *read_all(const char *pem, bool *ret_damaged)
{
	BIO *b = reader(pem);
	X509 *first = PEM_read_bio_X509(b, NULL, no_passphrase, NULL), *next = first;

	while (next != NULL) {
		next = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
		if (next != NULL)
			X509_free(next);
	}
	*ret_damaged = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(b);
	if (!*ret_damaged)
		return first;
	X509_free(first);
	return NULL;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *b = reader(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);

	BIO_free(b);
	return key;
}

/* What all three files need: some certificate, none damaged. */
static X509 *need_certificate(const char *pem, const char *none, const char *damaged,
			      const char **ret_why)
{
	bool is_damaged;
	X509 *x = read_all(pem, &is_damaged);

	if (x == NULL)
		*ret_why = is_damaged ? damaged : none;
	return x;
}

static const char *check_pair(const X509 *cert, EVP_PKEY *key, int64_t *ret_expires)
{
	struct tm end;

	if (key == NULL)
		return "tls_key_file holds no private key, or one with a passphrase";
	if (X509_check_private_key(cert, key) != 1)
		return "tls_key_file is not the key of tls_cert_file";
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
		return "tls_cert_file has no end";
	*ret_expires = (int64_t)timegm(&end);
	return *ret_expires > clock_wall_us() / 1000000 ? NULL : "tls_cert_file has expired";
}

const char *tls_check(const struct tls_files *f, int64_t *ret_expires)
{
	const char *why = NULL;
	X509 *cert = need_certificate(f->cert, "tls_cert_file holds no certificate",
				      "tls_cert_file holds a damaged certificate", &why);
	X509 *ca =
		f->client_ca == NULL
			? NULL
			: need_certificate(f->client_ca, "tls_client_ca_file holds no certificate",
					   "tls_client_ca_file holds a damaged certificate", &why);
	EVP_PKEY *key = read_key(f->key);

	if (why == NULL)
		why = check_pair(cert, key, ret_expires);
	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return why;
}

static void wipe_text(char **text)
{
	file_wipe(*text, *text != NULL ? strlen(*text) : 0);
	*text = NULL;
}

void tls_files_wipe(struct tls_files *f)
{
	wipe_text(&f->cert);
	wipe_text(&f->key);
	wipe_text(&f->client_ca);
}

/* ---- showing ---- */

struct tls *tls_new(void)
{
	struct tls *t = mem_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	tls_files_wipe(&t->files);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void tls_take(struct tls *t, struct tls_files *take)
{
	struct tls_files old;

	pthread_mutex_lock(&t->lock);
	old = t->files;
	t->files = *take;
	t->generation++;
	pthread_mutex_unlock(&t->lock);
	*take = (struct tls_files){0};
	tls_files_wipe(&old);
}

/*
 * A config from a fetcher must name roots, or core 1.51 aborts, also where no client certificate is
 * asked for; nothing is ever compared with those.
 */
static const char *client_roots(const struct tls_files *f)
{
	return f->client_ca != NULL ? f->client_ca : f->cert;
}

/* One of gRPC's threads, for each new connection: cheap when nothing has changed. */
static grpc_ssl_certificate_config_reload_status
on_connection(void *arg, grpc_ssl_server_certificate_config **ret)
{
	struct view *v = arg;
	struct tls *t = v->tls;
	grpc_ssl_certificate_config_reload_status status =
		GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;

	pthread_mutex_lock(&t->lock);
	if (v->seen != t->generation) {
		grpc_ssl_pem_key_cert_pair pair = {t->files.key, t->files.cert};

		*ret = grpc_ssl_server_certificate_config_create(client_roots(&t->files), &pair, 1);
		v->seen = t->generation;
		status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
	}
	pthread_mutex_unlock(&t->lock);
	return status;
}

grpc_server_credentials *tls_listener(struct tls *t, bool ask_for_client)
{
	struct view *v = &t->views[t->n_views++];

	assert(t->n_views <= LISTENERS_MAX && t->generation > 0);
	v->tls = t;
	return grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(
			ask_for_client ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
				       : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
			on_connection, v));
}
