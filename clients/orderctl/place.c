/*
 * place: an order by options, an order from a file, or many of them.
 */
#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "orderctl.h"

enum { BY_OPTIONS, BY_FILE, BY_LINES }; /* the forms of the usage line */

/* "SKU=3" or "SKU=3@1999 EUR" */
static void read_order_line(char *spec, Orderd__V1__NewOrderLine *l, Orderd__V1__Money *price)
{
	char *at = strchr(spec, '@'), *equals, *space;

	orderd__v1__new_order_line__init(l);
	if (at != NULL) {
		*at++ = '\0';
		space = strchr(at, ' ');
		if (space == NULL)
			usage_error(
				"no price, which is SKU=3@\"1999 EUR\", minor units and a "
				"currency: %s",
				at);
		*space++ = '\0';
		orderd__v1__money__init(price);
		price->amount_minor = number(at, "the price");
		price->currency_code = text(space);
		l->unit_price = price;
	}
	equals = strrchr(spec, '=');
	if (equals == NULL)
		usage_error("a line is SKU=QUANTITY: %s", spec);
	*equals++ = '\0';
	l->sku = text(spec);
	l->quantity = number(equals, "the quantity");
}

static int place(struct args *a, Orderd__V1__PlaceOrderRequest *rq)
{
	Orderd__V1__PlaceOrderResponse *rs;
	struct orderd_error e;

	rq->validate_only = rq->validate_only || flag(a, "validate-only");
	a->outcome = !rq->validate_only;
	rs = orderd_place_order(a->client, rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_order(rs->order);
	return done_with(&rs->base);
}

static int place_by_options(struct args *a)
{
	Orderd__V1__PlaceOrderRequest rq = ORDERD__V1__PLACE_ORDER_REQUEST__INIT;
	Orderd__V1__Address to = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__NewOrderLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__Money prices[OPTIONS_MAX];
	ProtobufCBinaryData fallbacks[OPTIONS_MAX];

	rq.request_id = text(request_id(a));
	rq.customer = text(need(a, "customer"));
	rq.channel = text(option(a, "channel"));
	rq.reference = text(option(a, "reference"));
	rq.payment_method = text(need(a, "payment-method"));
	rq.n_fallback_payment_methods = options(a, "fallback", fallbacks);
	rq.fallback_payment_methods = fallbacks;
	rq.wait_for_payment = flag(a, "wait-for-payment");
	rq.ship_service = text(option(a, "ship-service"));
	to.name = text(need(a, "name"));
	to.street = text(need(a, "street"));
	to.city = text(need(a, "city"));
	to.region = text(option(a, "region"));
	to.postal_code = text(need(a, "postal-code"));
	to.country_code = text(need(a, "country"));
	to.email = text(option(a, "email"));
	to.phone = text(option(a, "phone"));
	rq.ship_to = &to;
	for (int i = 0; i < a->n_words; i++) {
		read_order_line(a->words[i], &lines[i], &prices[i]);
		list[i] = &lines[i];
	}
	rq.lines = list;
	rq.n_lines = (size_t)a->n_words;
	return place(a, &rq);
}

/* ---------------------------------------------------------------- from a file */

/* What cannot be read is refused like what cannot be placed. */
static int no_file(const struct args *a, const char *file, const char *why)
{
	struct orderd_error e = {.status = INVALID_ARGUMENT, .reason = "FILE_UNREADABLE"};

	snprintf(e.message, sizeof(e.message), "%s: %s", file, why);
	return print_error(a, &e);
}

static int not_an_order(const struct args *a, const char *file, struct orderd_error *e)
{
	char why[sizeof(e->message)];

	memcpy(why, e->message, sizeof(why));
	snprintf(e->message, sizeof(e->message), "%.*s: %.*s", 200, file, 300, why);
	return print_error(a, e);
}

static FILE *open_file(const char *file)
{
	return strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
}

static void close_file(FILE *f)
{
	if (f != NULL && f != stdin)
		fclose(f);
}

/* The file's own request_id, or --request-id, or a fresh one: it cannot have two. */
static void choose_request_id(struct args *a, Orderd__V1__PlaceOrderRequest *rq)
{
	static char own[256];

	if (rq->request_id.len == 0) {
		const char *id = request_id(a);

		rq->request_id = (ProtobufCBinaryData){strlen(id), (uint8_t *)strdup(id)};
		if (rq->request_id.data == NULL)
			abort(); /* out of memory */
		return;
	}
	if (option(a, "request-id") != NULL)
		usage_error("--request-id does not go with a file that has a request_id");
	snprintf(own, sizeof(own), "%.*s", BYTES(rq->request_id));
	a->request_option = "request-id";
	a->request_id = own;
}

static int place_by_file(struct args *a)
{
	const char *file = need(a, "file");
	FILE *in = open_file(file);
	char *content = malloc(LINE_BYTES_MAX + 1);
	Orderd__V1__PlaceOrderRequest *rq;
	struct orderd_error e;
	size_t n;
	int code;

	if (content == NULL)
		abort(); /* out of memory */
	if (in == NULL) {
		free(content);
		return no_file(a, file, strerror(errno));
	}
	n = fread(content, 1, LINE_BYTES_MAX + 1, in);
	if (ferror(in) || n > LINE_BYTES_MAX) {
		code = no_file(a, file, ferror(in) ? strerror(errno) : "longer than 4 MiB");
		close_file(in);
		free(content);
		return code;
	}
	close_file(in);
	rq = (Orderd__V1__PlaceOrderRequest *)json_read(
		&orderd__v1__place_order_request__descriptor, content, n, &e);
	free(content);
	if (rq == NULL)
		return not_an_order(a, file, &e);
	choose_request_id(a, rq);
	code = place(a, rq);
	done_with(&rq->base);
	return code;
}

static int place_by_lines(struct args *a)
{
	const char *file = need(a, "file"), *name = option(a, "batch");
	FILE *in = open_file(file);
	int code;

	if (name != NULL && (*name == '\0' || strlen(name) > BATCH_NAME_MAX))
		usage_error("--batch has 1 to %d bytes", BATCH_NAME_MAX);
	if (in == NULL)
		return no_file(a, file, strerror(errno));
	code = place_many(a, in, name);
	close_file(in);
	return code;
}

static int run_place(struct args *a)
{
	switch (a->form) {
	case BY_FILE:
		return place_by_file(a);
	case BY_LINES:
		return place_by_lines(a);
	default:
		return place_by_options(a);
	}
}

static const struct meaning place_options[] = {
	{"batch",
	 "the name of this batch for ever: lines without a request_id get one of it and "
	 "of what they say, so that running the batch again places nothing twice"},
	{"file",
	 "an order as JSON, in the contract's names (PlaceOrderRequest); - is standard "
	 "input"},
	{"many", "the file holds an order on each line"},
	{NULL, NULL},
};

const struct command place_commands[] = {
	{NULL, "place",
	 "--customer ID --payment-method TOKEN --name N --street S --city C --postal-code P "
	 "--country CC [--region R] [--email E] [--phone P] [--channel C] [--reference R] "
	 "[--request-id ID] [--fallback TOKEN]... [--wait-for-payment] "
	 "[--ship-service cheapest|fastest|NAME] [--validate-only] SKU=QTY[@\"MINOR CUR\"]... | "
	 "--file FILE [--request-id ID] [--validate-only] | "
	 "--file FILE --many [--batch NAME] [--validate-only]",
	 OPTIONS_MAX, "take an order, or many", run_place, .options = place_options,
	 .about = "Place an order given by options; or one that a file has as JSON; or, with "
		  "--many, one from each line of a file. Many are placed one after the other, and "
		  "each has a line of its own in what is printed. It ends early only when the "
		  "outcome of one is not known; run again, with the same --batch, it begins at "
		  "the first line and places nothing twice.",
	 .examples = "  orderctl place --customer c-1 --payment-method pm_card_visa --name 'Ada "
		     "Example' \\\n"
		     "    --street 'Ring 1' --city Hamburg --postal-code 20095 --country DE mug=2\n"
		     "  orderctl place --file order.json --validate-only\n"
		     "  orderctl place --file orders.jsonl --many --batch monday\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
