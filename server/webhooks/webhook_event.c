#include "server/webhooks/webhook_event.h"

#include "server/json.h"

/* Ids and kinds are printable ASCII and bounded: they are stored and logged. */
static struct str text_at(const json_t *j, const char *name)
{
	struct str s = json_text(json_object_get(j, name));

	if (s.p == NULL || s.n == 0 || s.n > WEBHOOK_ID_MAX)
		return (struct str){0};
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return (struct str){0};
	return s;
}

static bool is_a(const json_t *j, const char *name)
{
	return str_eq(text_at(j, "object"), str_of(name));
}

/* The id of what is either named or embedded. */
static struct str reference_at(const json_t *j, const char *name)
{
	const json_t *value = json_object_get(j, name);

	return json_is_object(value) ? text_at(value, "id") : text_at(j, name);
}

static void read_gateway(const json_t *j, struct webhook_event *ret)
{
	const json_t *about = json_object_get(json_object_get(j, "data"), "object");

	ret->id = text_at(j, "id");
	ret->kind = text_at(j, "type");
	ret->object = is_a(about, "payment_intent") ? text_at(about, "id")
						    : reference_at(about, "payment_intent");
}

static void read_carrier(const json_t *j, struct webhook_event *ret)
{
	const json_t *about = json_object_get(j, "result");

	ret->id = text_at(j, "id");
	ret->kind = text_at(j, "description");
	if (is_a(about, "Tracker"))
		ret->object = text_at(about, "tracking_code");
}

static const char *keep(struct webhook_event *e, struct arena *arena)
{
	if (e->id.n == 0)
		return "it has no id";
	if (e->kind.n == 0)
		return "it has no kind";
	e->id = arena_str(arena, e->id);
	e->kind = arena_str(arena, e->kind);
	e->object = arena_str(arena, e->object.p != NULL ? e->object : STR(""));
	if (e->id.p == NULL || e->kind.p == NULL || e->object.p == NULL)
		return "it is too large";
	return NULL;
}

static const char *read_event(struct str body, struct arena *arena, struct webhook_event *ret,
			      void (*read)(const json_t *j, struct webhook_event *ret))
{
	const char *why;
	json_t *j = json_read(body, WEBHOOK_DEPTH_MAX, &why);

	*ret = (struct webhook_event){0};
	if (j == NULL)
		return why;
	read(j, ret);
	why = keep(ret, arena);
	json_decref(j);
	return why;
}

const char *webhook_read_gateway(struct str body, struct arena *arena, struct webhook_event *ret)
{
	return read_event(body, arena, ret, read_gateway);
}

const char *webhook_read_carrier(struct str body, struct arena *arena, struct webhook_event *ret)
{
	return read_event(body, arena, ret, read_carrier);
}
