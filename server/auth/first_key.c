#include "server/auth/first_key.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "core/base/id.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/auth/api_key.h"
#include "server/auth/auth.h"
#include "sql.gen.h"

enum {
	LIFE_S = 7 * 86400, /* long enough to make better ones with it */
	WAIT_MS = 15000,
	ARENA_BYTES = 65536,
};

enum { MAKE, DONE };

struct making {
	struct flow flow;
	struct app *app;
	struct api_key_create_head head;
	char kid[API_KEY_KID];
	char credential[API_KEY_TEXT + 1];
	uint8_t mac[DIGEST_BYTES];
	int code;
};

static struct making *making_of(struct flow *fl)
{
	return (struct making *)(void *)fl; /* its first member */
}

static int ask_make(struct flow *fl)
{
	struct making *m = making_of(fl);

	return store_ask(fl, m->app->store, api_key_create_unit(&m->head, NULL, 0));
}

static int got_made(struct flow *fl, const struct answer *a)
{
	struct making *m = making_of(fl);
	struct str outcome = api_key_create_row(a, 0).outcome;

	m->code = str_eq(outcome, STR("created")) ? 0 : 1;
	if (m->code == 0)
		(void)puts(m->credential);
	else
		(void)fprintf(stderr, "no key was made: %s\n",
			      str_eq(outcome, STR("two"))
				      ? "that name has two live keys"
				      : "there are as many keys as servers hold");
	return DONE;
}

/* clang-format off */
static const struct flow_step make_steps[] = {
	/*         name        ask       got       ms       on error  next    */
	[MAKE] = {"admin_key", ask_make, got_made, WAIT_MS, DONE,     TO(DONE)},
	[DONE] = {"done"},
};

/* clang-format on */

static void on_store_closed(void *arg)
{
	loop_stop(((struct app *)arg)->loop);
}

static void on_done(struct flow *fl)
{
	struct making *m = making_of(fl);

	if (fl->cause != ERR_OK)
		(void)fprintf(stderr, "no key was made: %s\n", err_text(fl->cause));
	store_close(m->app->store, on_store_closed, m->app);
}

static void fill(struct making *m, const char *name, int32_t tenant)
{
	char request[ID_TEXT_SIZE];
	struct seal_key pepper;

	if (!auth_read_pepper(&m->app->cfg, &pepper))
		config_refuse("api_key_pepper_file", "it is required to make a key");
	api_key_kid(tenant, str_of(id_format(id_new(), request)), m->kid);
	api_key_make(&pepper, m->kid, m->credential, m->mac);
	seal_key_wipe(&pepper);
	m->head = (struct api_key_create_head){.tenant = tenant,
					       .kid = {m->kid, sizeof(m->kid)},
					       .name = str_of(name),
					       .mac = {(const char *)m->mac, sizeof(m->mac)},
					       .role = role_name(ROLE_OPS_ADMIN),
					       .scopes = STR(""),
					       .life_s = LIFE_S,
					       .most = API_KEYS_MAX,
					       .actor = STR("orderd admin-key")};
}

int first_key_make(struct app *app, const char *name, const char *tenant)
{
	struct making m = {.app = app, .code = 1};
	struct store_options store = {.conninfo = app->cfg.postgres,
				      .program = "orderd admin-key",
				      .role = STORE_SERVER_ROLE,
				      .order_connections = 1,
				      .lane_bound = 1,
				      .statement_timeout_ms = (int)app->cfg.statement_timeout_ms};
	long long number = 1;

	if (!identity_name_ok(str_of(name)))
		config_refuse("admin-key",
			      "a name is 1 to 128 printable ASCII characters without "
			      "blanks, not %s",
			      name);
	if (tenant != NULL && !str_to_i64(str_of(tenant), 1, INT32_MAX, &number))
		config_refuse("admin-key", "a tenant is a number, not %s", tenant);
	fill(&m, name, (int32_t)number);
	app->loop = loop_new();
	app->store = store_new(app->loop, &store);
	m.flow.name = "admin_key";
	m.flow.steps = make_steps;
	m.flow.loop = app->loop;
	m.flow.done = on_done;
	arena_init(&m.flow.arena, ARENA_BYTES);
	flow_start(&m.flow);
	loop_run(app->loop);
	arena_done(&m.flow.arena);
	loop_free(app->loop);
	OPENSSL_cleanse(&m, sizeof(m));
	return m.code;
}
