#include "server/auth/edge.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "server/auth/jwt_cache.h"
#include "server/auth/peer.h"

/* ---- the header ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%2B" is "+"; a percent sign with anything else behind it is a mistake.  -1: that, else bytes. */
static int unescape(struct str text, char *to)
{
	int n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		to[n] = text.p[i];
		if (text.p[i] == '%') {
			if (i + 2 >= text.n)
				return -1;
			high = hex(text.p[i + 1]);
			low = hex(text.p[i + 2]);
			if (high < 0 || low < 0)
				return -1;
			to[n] = (char)(high * 16 + low);
			i += 2;
		}
		n++;
	}
	return n;
}

static X509 *read_pem(const char *pem, int n)
{
	BIO *b = BIO_new_mem_buf(pem, n);
	X509 *x;

	if (b == NULL)
		abort(); /* without memory */
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	ERR_clear_error();
	BIO_free(b);
	return x;
}

/* ---- the certificate ---- */

static bool read_date(const ASN1_TIME *date, int64_t *ret_s)
{
	struct tm at;

	if (ASN1_TIME_to_tm(date, &at) != 1)
		return false;
	*ret_s = (int64_t)timegm(&at);
	return true;
}

static enum auth_cause read_names(const X509 *x, struct str prefix, struct arena *arena,
				  struct jwt_claims *ret)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct peer_uris uris = {.prefix = prefix};
	enum auth_cause e;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_URI)
			continue;
		peer_uris_see(&uris, (struct str){(const char *)ASN1_STRING_get0_data(name->d.ia5),
						  (size_t)ASN1_STRING_length(name->d.ia5)});
	}
	e = peer_uris_read(&uris, arena, &ret->who, &ret->jti);
	GENERAL_NAMES_free(names);
	return e;
}

static enum auth_cause read_certificate(const X509 *x, struct str prefix, int64_t now_s,
					struct arena *arena, struct jwt_claims *ret)
{
	enum auth_cause e = read_names(x, prefix, arena, ret);

	if (e != AUTH_OK)
		return e;
	if (ret->jti.n > JWT_CACHE_ID_MAX)
		return AUTH_NO_IDENTITY;
	if (!read_date(X509_get0_notBefore(x), &ret->not_before_s) ||
	    !read_date(X509_get0_notAfter(x), &ret->expires_s))
		return AUTH_MALFORMED;
	return jwt_check_time(ret, now_s);
}

enum auth_cause edge_check(struct str header, struct str prefix, int64_t now_s, struct arena *arena,
			   struct jwt_claims *ret)
{
	enum auth_cause e;
	char *pem;
	X509 *x;
	int n;

	*ret = (struct jwt_claims){0};
	if (header.n > EDGE_CERTIFICATE_MAX)
		return AUTH_TOO_LARGE;
	pem = arena_alloc(arena, header.n + 1);
	if (pem == NULL)
		return AUTH_NO_ROOM;
	n = unescape(header, pem);
	x = n > 0 ? read_pem(pem, n) : NULL;
	if (x == NULL)
		return AUTH_MALFORMED;
	e = read_certificate(x, prefix, now_s, arena, ret);
	X509_free(x);
	return e;
}
