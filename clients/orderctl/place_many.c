#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "orderctl.h"
#include "place.h"
#include "terminal.h"
#include "text.h"

struct many {
	struct args *a;
	struct batch *batch; /* NULL: it has no name */
	long long line, placed, refused;
	enum exit_code code; /* of the line where it ended */
};

static bool is_blank(const char *z, size_t n)
{
	while (n > 0 && isspace((unsigned char)z[n - 1]))
		n--;
	return n == 0;
}

/* ---------------------------------------------------------------- results */

static void show_placed(const struct many *k, Orderd__V1__PlaceOrderResponse *rs,
			const ProtobufCBinaryData *id)
{
	const Orderd__V1__Order *o = rs->order;
	char total[MONEY_ROOM];
	json_t *json;

	if (k->a->json) {
		json = json_of(&rs->base);
		json_object_set_new(json, "line", json_integer(k->line));
		json_object_set_new(json, "request_id",
				    json_stringn((const char *)id->data, id->len));
		print_json_value(json);
		return;
	}
	print_money(total, sizeof(total), o->total);
	printf("%6lld  %splaced%s   %.*s  %lld  %s\n", k->line, color_on(COLOR_GOOD),
	       color_off(COLOR_GOOD), BYTES(o->order_id), (long long)o->order_number, total);
}

/* All that is wrong, on one line. */
static void show_refused(const struct many *k, const struct orderd_error *e, enum exit_code code)
{
	enum color color = code == EXIT_REFUSED ? COLOR_BAD : COLOR_WAITING;
	char why[1024];
	size_t n;

	if (k->a->json) {
		print_json_value(json_pack("{s:I, s:o}", "line", (json_int_t)k->line, "error",
					   json_of_error(k->a, e)));
		return;
	}
	n = (size_t)snprintf(why, sizeof(why), "%s: %s",
			     e->reason[0] != '\0' ? e->reason : "failed", e->message);
	for (size_t i = 0; i < e->n_violations && n < sizeof(why); i++)
		n += (size_t)snprintf(why + n, sizeof(why) - n, "; %s: %s", e->violations[i].field,
				      e->violations[i].why);
	for (size_t i = 0; i < e->n_facts && n < sizeof(why); i++)
		n += (size_t)snprintf(why + n, sizeof(why) - n, "; %s = %s", e->facts[i].key,
				      e->facts[i].value);
	text_clean(why);
	printf("%6lld  %s%s%s  %s\n", k->line, color_on(color),
	       code == EXIT_UNKNOWN ? "unknown" : "refused", color_off(color), why);
}

/* Refused lines are passed over; what any other line would meet as well ends it. */
static bool refuse(struct many *k, const struct orderd_error *e)
{
	enum exit_code code = exit_code_of(e, k->a->outcome);

	show_refused(k, e, code);
	if (code == EXIT_REFUSED || code == EXIT_NOT_FOUND) {
		k->refused++;
		return true;
	}
	k->code = code;
	return false;
}

/* ---------------------------------------------------------------- one line */

static bool choose_id(struct many *k, Orderd__V1__PlaceOrderRequest *rq, struct orderd_error *e)
{
	char id[BATCH_ID_ROOM];

	if (rq->request_id.len > 0)
		return true;
	*e = (struct orderd_error){.status = INVALID_ARGUMENT, .reason = "NO_REQUEST_ID"};
	if (k->batch == NULL) {
		snprintf(e->message, sizeof(e->message),
			 "the line has no request_id; give it one, or the batch a name: --batch");
		return false;
	}
	if (!batch_request_id(k->batch, &rq->base, id)) {
		snprintf(e->message, sizeof(e->message),
			 "a batch has at most %d different lines: part it, under other names",
			 BATCH_LINES_MAX);
		return false;
	}
	rq->request_id = (ProtobufCBinaryData){strlen(id), (uint8_t *)strdup(id)};
	if (rq->request_id.data == NULL)
		abort(); /* out of memory */
	return true;
}

static bool place_one(struct many *k, Orderd__V1__PlaceOrderRequest *rq)
{
	char id[256];
	Orderd__V1__PlaceOrderResponse *rs;
	struct orderd_error e;
	bool go_on;

	if (!choose_id(k, rq, &e))
		return refuse(k, &e);
	snprintf(id, sizeof(id), "%.*s", BYTES(rq->request_id));
	k->a->request_option = "request-id";
	k->a->request_id = id;
	rq->validate_only = rq->validate_only || flag(k->a, "validate-only");
	k->a->outcome = !rq->validate_only;
	rs = orderd_place_order(k->a->client, rq, k->a->deadline_ms, &e);
	if (rs != NULL && rs->order != NULL) {
		k->placed++;
		show_placed(k, rs, &rq->request_id);
		go_on = true;
	} else {
		go_on = refuse(k, &e);
	}
	if (rs != NULL)
		done_with(&rs->base);
	k->a->request_id = NULL;
	return go_on;
}

static bool read_one(struct many *k, const char *line, size_t n, enum line how)
{
	struct orderd_error e = {.status = INVALID_ARGUMENT, .reason = "INVALID_JSON"};
	Orderd__V1__PlaceOrderRequest *rq;
	bool go_on;

	k->line++;
	if (how == LINE_TOO_LONG) {
		snprintf(e.message, sizeof(e.message), "the line is longer than %d bytes",
			 LINE_BYTES_MAX);
		return refuse(k, &e);
	}
	if (is_blank(line, n))
		return true;
	rq = (Orderd__V1__PlaceOrderRequest *)json_read(
		&orderd__v1__place_order_request__descriptor, line, n, &e);
	if (rq == NULL)
		return refuse(k, &e);
	go_on = place_one(k, rq);
	done_with(&rq->base);
	return go_on;
}

/* ---------------------------------------------------------------- all of them */

static int end(const struct many *k, bool unread)
{
	progress_end();
	if (unread)
		fprintf(stderr, "orderctl: the file cannot be read behind line %lld\n", k->line);
	if (k->code != EXIT_DONE)
		fprintf(stderr,
			"orderctl: ended at line %lld: run the same again, what was placed is not "
			"placed twice\n"
			"  tried: %s, from %s\n",
			k->line, k->a->server, k->a->server_from);
	if (k->refused > 0)
		fprintf(stderr,
			"orderctl: %lld placed, %lld refused: correct those and run it again, "
			"what was placed is not placed twice\n",
			k->placed, k->refused);
	if (k->code != EXIT_DONE)
		return (int)k->code;
	return k->refused > 0 || unread ? EXIT_REFUSED : EXIT_DONE;
}

int place_many(struct args *a, FILE *in, const char *batch)
{
	struct many k = {.a = a, .batch = batch != NULL ? batch_new(batch) : NULL};
	char *line = malloc(LINE_BYTES_MAX);
	bool go_on = true;
	enum line how;
	size_t n;
	int code;

	if (line == NULL)
		abort(); /* out of memory */
	while (go_on && (how = read_line(in, line, &n)) != LINE_NONE) {
		progress_pause();
		go_on = read_one(&k, line, n, how);
		go_on = fflush(stdout) == 0 && go_on; /* whoever reads it may wait for it */
		progress("%lld lines: %lld placed, %lld refused", k.line, k.placed, k.refused);
	}
	code = end(&k, ferror(in) != 0);
	free(line);
	batch_free(k.batch);
	return code;
}
