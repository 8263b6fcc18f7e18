#include "server/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/message_walk.h"
#include "server/runtime/rpc.h"

/* Add a violation under the path the caller's last arguments name. */
#define VIOLATION(fl, why, field)                      \
	do {                                           \
		va_list path_;                         \
		va_start(path_, field);                \
		rpc_vviolation(fl, why, field, path_); \
		va_end(path_);                         \
	} while (0)

static const char too_long[] = "it is longer than this field may be";
static const char required[] = "it is required";

struct str may_text(struct flow *fl, ProtobufCBinaryData value, size_t most, const char *field, ...)
{
	struct str s = value.len > 0 ? text_of(value) : STR("");

	if (s.n > most)
		VIOLATION(fl, too_long, field);
	return s;
}

struct str want_text(struct flow *fl, ProtobufCBinaryData value, size_t most, const char *field,
		     ...)
{
	struct str s = value.len > 0 ? text_of(value) : STR("");

	if (s.n == 0)
		VIOLATION(fl, required, field);
	else if (s.n > most)
		VIOLATION(fl, too_long, field);
	return s;
}

struct id want_id(struct flow *fl, ProtobufCBinaryData value, const char *field, ...)
{
	struct id id = {{0}};

	if (value.len == 0)
		VIOLATION(fl, required, field);
	else if (!id_parse(text_of(value), &id))
		VIOLATION(fl, "it is not a UUID", field);
	return id;
}

struct id want_order(struct flow *fl, ProtobufCBinaryData order_id)
{
	struct id id = want_id(fl, order_id, "order_id");

	rpc_order(fl, id);
	return id;
}

struct str want_request_id(struct flow *fl, ProtobufCBinaryData value)
{
	struct str id = want_text(fl, value, REQUEST_ID_MAX, "request_id");
	struct str owner = rpc_identity(fl)->customer;

	if (owner.p == NULL || id.n == 0 || id.n > REQUEST_ID_MAX)
		return id;
	/* no text of a request holds this separator */
	return str_of(
		arena_printf(&fl->arena, STR_FMT "\x1f" STR_FMT, STR_ARG(owner), STR_ARG(id)));
}

struct str may_customer(struct flow *fl, ProtobufCBinaryData value)
{
	struct str named = may_text(fl, value, REQUEST_KEY_MAX, "customer");
	struct str owner = rpc_identity(fl)->customer;

	if (owner.p == NULL)
		return named;
	if (named.n > 0 && !str_eq(named, owner))
		rpc_violation(fl, "it is not the customer this credential is for", "customer");
	return owner;
}

int64_t want_range(struct flow *fl, int64_t value, int64_t least, int64_t most, const char *field,
		   ...)
{
	char why[80];

	if (value < least || value > most) {
		snprintf(why, sizeof(why), "it must lie in %" PRId64 "..%" PRId64, least, most);
		VIOLATION(fl, why, field);
	}
	return value;
}

struct money want_money(struct flow *fl, const Orderd__V1__Money *m, const char *field, ...)
{
	struct money money = {0};
	char code[4];

	if (m == NULL)
		VIOLATION(fl, required, field);
	else if (!money_currency(text_of(m->currency_code), code))
		VIOLATION(fl, "currency_code is not three upper-case letters", field);
	else if (!money_of(text_of(m->currency_code), m->amount_minor, &money))
		VIOLATION(fl, "amount_minor must lie in 0..9007199254740991", field);
	return money;
}

struct address want_address(struct flow *fl, const Orderd__V1__Address *a, const char *field)
{
	struct address to = {0};

	if (a == NULL) {
		rpc_violation(fl, required, "%s", field);
		return to;
	}
	to.name = want_text(fl, a->name, REQUEST_NAME_MAX, "%s.name", field);
	to.street = want_text(fl, a->street, REQUEST_NAME_MAX, "%s.street", field);
	to.city = want_text(fl, a->city, REQUEST_NAME_MAX, "%s.city", field);
	to.region = may_text(fl, a->region, REQUEST_NAME_MAX, "%s.region", field);
	to.postal_code = want_text(fl, a->postal_code, REQUEST_CODE_MAX, "%s.postal_code", field);
	to.country = want_text(fl, a->country_code, 2, "%s.country_code", field);
	to.email = may_text(fl, a->email, REQUEST_NAME_MAX, "%s.email", field);
	to.phone = may_text(fl, a->phone, REQUEST_CODE_MAX, "%s.phone", field);
	if (to.country.n > 0 &&
	    (to.country.n != 2 || to.country.p[0] < 'A' || to.country.p[0] > 'Z' ||
	     to.country.p[1] < 'A' || to.country.p[1] > 'Z'))
		rpc_violation(fl, "it is not two upper-case letters", "%s.country_code", field);
	return to;
}

struct str may_methods(struct flow *fl, const ProtobufCBinaryData *tokens, size_t n,
		       const char *field)
{
	struct str joined = STR("");

	if (n > REQUEST_FALLBACKS_MAX) {
		rpc_violation(fl, "more than may be tried", "%s", field);
		return joined;
	}
	for (unsigned i = 0; i < n; i++) {
		struct str method = want_text(fl, tokens[i], REQUEST_KEY_MAX, "%s[%u]", field, i);

		if (method.n > 0 && memchr(method.p, '\n', method.n) != NULL)
			rpc_violation(fl, "a token is one line", "%s[%u]", field, i);
		joined = str_of(arena_printf(&fl->arena, STR_FMT "%s" STR_FMT, STR_ARG(joined),
					     i > 0 ? "\n" : "", STR_ARG(method)));
	}
	return joined;
}

bool want_position(struct flow *fl, const Orderd__V1__Position *p, const char *field)
{
	if (p == NULL)
		return false;
	if (p->latitude_e6 < -90000000 || p->latitude_e6 > 90000000)
		rpc_violation(fl, "it must lie in -90000000..90000000", "%s.latitude_e6", field);
	if (p->longitude_e6 < -180000000 || p->longitude_e6 > 180000000)
		rpc_violation(fl, "it must lie in -180000000..180000000", "%s.longitude_e6", field);
	return true;
}

/* What we do not understand is not part of what was asked. */
static void forget_unknown(ProtobufCMessage *m)
{
	m->n_unknown_fields = 0;
	m->unknown_fields = NULL;
}

struct str request_fingerprint(struct flow *fl, ProtobufCMessage *body)
{
	uint8_t *digest = arena_alloc(&fl->arena, DIGEST_BYTES), *packed;
	size_t n;

	message_walk(body, forget_unknown);
	n = protobuf_c_message_get_packed_size(body);
	packed = arena_alloc(&fl->arena, n + 1);
	if (digest == NULL || packed == NULL)
		return (struct str){0};
	protobuf_c_message_pack(body, packed);
	digest_sha256((struct str){(const char *)packed, n}, digest);
	return (struct str){(const char *)digest, DIGEST_BYTES};
}
