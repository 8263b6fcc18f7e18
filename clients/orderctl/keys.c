/*
 * keys: API keys, for administrators.
 */
#include <stdio.h>

#include "orderctl.h"
#include "table.h"

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

/* The credential alone on stdout, so that it can go to a file that nobody else may read. */
static int run_create(struct args *a)
{
	Orderd__V1__CreateKeyRequest rq = ORDERD__V1__CREATE_KEY_REQUEST__INIT;
	Orderd__V1__CreateKeyResponse *rs;
	struct orderd_error e;

	rq.name = text(word(a, 0, "a name"));
	rq.role = (Orderd__V1__Role)enum_value(&orderd__v1__role__descriptor, "ROLE_", "role",
					       need(a, "role"));
	rq.scopes = text(option(a, "scopes"));
	rq.customer = text(option(a, "customer"));
	rq.valid_days = small_number(option_or(a, "days", "0"), "--days");
	rq.request_id = text(request_id(a));
	rs = orderd_create_key(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		printf("%.*s\n", (int)rs->credential.len, (const char *)rs->credential.data);
	return finish(&rs->base);
}

static const char headings[] = "KEY NAME ROLE CUSTOMER CREATED EXPIRES USED REVOKED";

static void add_key(struct table *t, const Orderd__V1__Key *k)
{
	const Google__Protobuf__Timestamp *times[] = {k->create_time, k->expire_time,
						      k->last_use_time, k->revoke_time};
	char time[40];

	table_cell(t, "%.*s", (int)k->key_id.len, (const char *)k->key_id.data);
	table_cell(t, "%.*s", (int)k->name.len, (const char *)k->name.data);
	table_cell(t, "%s", enum_name(&orderd__v1__role__descriptor, (int)k->role, "ROLE_"));
	table_cell(t, "%.*s", (int)k->customer.len, (const char *)k->customer.data);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		print_time(time, sizeof(time), times[i]);
		table_cell(t, "%.19s", time);
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
			finish(&last->base);
		if (rs != NULL && a->json)
			print_json(&rs->base);
		for (size_t i = 0; rs != NULL && t != NULL && i < rs->n_keys; i++)
			add_key(t, rs->keys[i]);
		if (rs != NULL)
			rq.page_token = rs->next_page_token;
	} while (rs != NULL && rq.page_token.len > 0);
	if (t != NULL)
		table_print(t);
	return rs != NULL ? finish(&rs->base) : print_error(a, &e);
}

static int run_revoke(struct args *a)
{
	Orderd__V1__RevokeKeyRequest rq = ORDERD__V1__REVOKE_KEY_REQUEST__INIT;
	Orderd__V1__RevokeKeyResponse *rs;
	struct orderd_error e;
	char time[40];

	rq.key_id = text(word(a, 0, "the key's id"));
	rs = orderd_revoke_key(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	print_time(time, sizeof(time), rs->revoke_time);
	if (a->json)
		print_json(&rs->base);
	else
		printf("revoked %.19s; no server takes it after 5 seconds\n", time);
	return finish(&rs->base);
}

const struct command key_commands[] = {
	{"keys", "create",
	 "--role ROLE [--days N] [--customer C] [--scopes WORDS] [--request-id ID] NAME", 1,
	 "make an API key and print it, this once: 90 days; two live ones of a name", run_create},
	{"keys", "list", "[--revoked]", 0, "show API keys, without their secrets", run_list},
	{"keys", "revoke", "KEY", 1, "take an API key no longer", run_revoke},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
