/*
 * keys: API keys, for administrators.
 */
#include <stdio.h>

#include "enums.h"
#include "orderctl.h"
#include "table.h"

/* The credential alone on stdout, so that it can go to a file that nobody else may read. */
static int run_create(struct args *a)
{
	Orderd__V1__CreateKeyRequest rq = ORDERD__V1__CREATE_KEY_REQUEST__INIT;
	Orderd__V1__CreateKeyResponse *rs;
	ProtobufCBinaryData locations[OPTIONS_MAX];
	struct orderd_error e;

	rq.name = text(a->words[0]);
	rq.role = (Orderd__V1__Role)enum_option(a, "role", &orderd__v1__role__descriptor);
	rq.scopes = text(option(a, "scopes"));
	rq.customer = text(option(a, "customer"));
	rq.n_locations = options(a, "location", locations);
	rq.locations = locations;
	rq.valid_days = small_number(option_or(a, "days", "0"), "--days");
	rq.request_id = text(request_id(a));
	rs = orderd_create_key(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		printf("%.*s\n", BYTES(rs->credential));
	return done_with(&rs->base);
}

static const char headings[] = "KEY NAME ROLE CUSTOMER LOCATIONS CREATED EXPIRES USED REVOKED";

/* "HAMBURG,LEIPZIG" */
static void add_locations(struct table *t, const Orderd__V1__Key *k)
{
	char text[768] = ""; /* 512 bytes of codes at most */
	size_t n = 0;

	for (size_t i = 0; i < k->n_locations && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i > 0 ? "," : "",
				      BYTES(k->locations[i]));
	table_cell(t, "%s", text);
}

static void add_key(struct table *t, const Orderd__V1__Key *k)
{
	const Google__Protobuf__Timestamp *times[] = {k->create_time, k->expire_time,
						      k->last_use_time, k->revoke_time};
	char time[TIME_ROOM];

	table_cell(t, "%.*s", BYTES(k->key_id));
	table_cell(t, "%.*s", BYTES(k->name));
	table_cell(t, "%s", enum_name(&orderd__v1__role__descriptor, (int)k->role));
	table_cell(t, "%.*s", BYTES(k->customer));
	add_locations(t, k);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		print_time_to(time, sizeof(time), times[i], 0);
		table_cell(t, "%s", time);
	}
}

/* All pages. */
static int run_list(struct args *a)
{
	struct table *t = a->json ? NULL : table_new(headings);
	Orderd__V1__ListKeysRequest rq = ORDERD__V1__LIST_KEYS_REQUEST__INIT;
	Orderd__V1__ListKeysResponse *rs = NULL, *last;
	struct orderd_error e;

	rq.with_revoked = flag(a, "revoked");
	do {
		last = rs;
		rs = orderd_list_keys(a->client, &rq, a->deadline_ms, &e);
		if (last != NULL)
			done_with(&last->base);
		if (rs != NULL && a->json)
			print_json(&rs->base);
		for (size_t i = 0; rs != NULL && t != NULL && i < rs->n_keys; i++)
			add_key(t, rs->keys[i]);
		if (rs != NULL)
			rq.page_token = rs->next_page_token;
	} while (rs != NULL && rq.page_token.len > 0);
	if (t != NULL)
		table_print(t);
	return rs != NULL ? done_with(&rs->base) : print_error(a, &e);
}

static int run_revoke(struct args *a)
{
	Orderd__V1__RevokeKeyRequest rq = ORDERD__V1__REVOKE_KEY_REQUEST__INIT;
	Orderd__V1__RevokeKeyResponse *rs;
	struct orderd_error e;
	char time[TIME_ROOM];

	a->outcome = true; /* a key is revoked once, however often it is said */
	rq.key_id = text(a->words[0]);
	rs = orderd_revoke_key(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	print_time_to(time, sizeof(time), rs->revoke_time, 0);
	if (a->json)
		print_json(&rs->base);
	else
		printf("revoked %s; no server takes it after 5 seconds\n", time);
	return done_with(&rs->base);
}

const struct command key_commands[] = {
	{"keys", "create",
	 "--role ROLE [--days N] [--customer C] [--location CODE]... [--scopes WORDS] "
	 "[--request-id ID] NAME",
	 1, "make an API key and print it, this once", run_create,
	 .options = (const struct meaning[]){{"role", "what its bearer may do"},
					     {"days", "how long it is good; by default 90"},
					     {"customer", "the only customer it may act for"},
					     {"location",
					      "the only location it reaches, or one of them"},
					     {"scopes", "what it is narrowed to, by blanks"},
					     {NULL, NULL}},
	 .about = "Make an API key and print it, this once: the server keeps no copy. Of one name "
		  "there are two at a time, so that one can be changed for the other.",
	 .examples = "  (umask 077; orderctl keys create --role service shop > shop.token)\n"},
	{"keys", "list", "[--revoked]", 0, "show API keys, without their secrets", run_list,
	 .options = (const struct meaning[]){{"revoked", "also those that are not taken any more"},
					     {NULL, NULL}}},
	{"keys", "revoke", "KEY", 1, "take an API key no longer", run_revoke},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
