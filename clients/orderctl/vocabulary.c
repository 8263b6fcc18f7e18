#include "vocabulary.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "enums.h"

/* Capital words of usage lines that somebody may leave out or not understand. */
static const struct meaning words[] = {
	{"bash", "the shell"},
	{"COMMAND", "a command, as `orderctl help` lists them"},
	{"FULFILLMENT_ORDER", "a fulfilment order's id; `orderctl fulfillment` finds them"},
	{"JOB", "a job's id; `orderctl jobs` finds them"},
	{"KEY", "a key's id; `orderctl keys list` finds them"},
	{"LINE=QTY", "a line of the order and how many of it were picked"},
	{"NAME", "whose key it is: one word"},
	{"ORDER", "an order's id; `orderctl list` finds them"},
	{"QUEUE", "payment, fulfillment, shipping or notification"},
	{"SHIPMENT", "a shipment's id; `orderctl shipments ORDER` finds them"},
	{"SKU", "an item's SKU"},
	{"SKU=QTY", "an item's SKU and how many of it"},
	{"SKU=QTY[@\"MINOR CUR\"]",
	 "SKU=QUANTITY, with a price of one's own SKU=QUANTITY@\"MINOR CUR\": mug=2@\"1290 EUR\""},
	{"CODE", "a location's code"},
	{"VIEW", "a view of the running server; without one, the list of them"},
	{NULL, NULL},
};

/* Options that mean the same wherever they are; a command's own meaning goes first. */
static const struct meaning options_of_all[] = {
	{"actor", "only of this credential: key:shop"},
	{"after", "begin behind this event's sequence number"},
	{"all", "all there are: every page of a list, every order"},
	{"channel", "where the order was entered: web, phone, store, ..."},
	{"city", "the address's city"},
	{"clients", "calls under way at once"},
	{"color",
	 "colour by meaning: auto is on a terminal, unless NO_COLOR is set or TERM is dumb"},
	{"country", "the address's country, ISO 3166: DE"},
	{"currency", "the price's currency, ISO 4217: EUR"},
	{"customer", "whom the order is for, in your own terms"},
	{"deadline", "how long to wait for an answer, in milliseconds; by default 10000"},
	{"email", "where messages about the order go"},
	{"error", "only those whose last error begins so"},
	{"etag", "only if the order is still at this version"},
	{"events", "also what happened to the order"},
	{"fallback", "another payment method, tried when those before it are declined"},
	{"group", "the shipment group, from 1"},
	{"head", "a head that was kept, SEQ:HASH: it must still be part of the chain"},
	{"help", "say how it is used"},
	{"ids", "the file with acknowledged orders' ids"},
	{"json", "print what was answered as JSON, one line per answer, in the contract's names"},
	{"kind", "only jobs of this kind: payment.capture"},
	{"lines", "lines of each order"},
	{"limit", "at most so many rows, on as many pages as it takes"},
	{"location", "a location's code"},
	{"method", "only of this method: PauseQueue"},
	{"name", "the person or firm on the label"},
	{"object", "only about this order, job, parcel, key or queue"},
	{"order", "an order's id"},
	{"orders", "stop after so many calls"},
	{"page-size", "rows asked for at once, 1 to 200; by default 50"},
	{"page-token", "go on where another list ended"},
	{"outcome", "only what became this of: refused is what was not let in"},
	{"payment-method", "the payment gateway's token of the method, never a card number"},
	{"phone", "for the carrier"},
	{"placed-after", "only orders placed at this time or later: 2026-01-31T12:00:00Z"},
	{"placed-before", "only orders placed before this time"},
	{"postal-code", "the address's postal code"},
	{"queue", "only jobs of this queue: payment, fulfillment, shipping or notification"},
	{"quantity", "how many of each item"},
	{"rate",
	 "calls begun a second, whether earlier ones have been answered or not; by default as fast "
	 "as they are"},
	{"reason", "why, for the history"},
	{"recorded-after", "only what was recorded at this time or later: 2026-01-31T12:00:00Z"},
	{"recorded-before", "only what was recorded before this time"},
	{"reference", "the number on the buyer's or supplier's own paper"},
	{"region", "the address's state or province"},
	{"report", "the report's own id: told again under the same one, it changes nothing"},
	{"request-id",
	 "the call's own id: repeated with the same one, it changes nothing; by default "
	 "a new one"},
	{"resume", "go on where another watch --all ended"},
	{"seconds", "how long to measure"},
	{"seed", "where the choice of items begins"},
	{"server", "host:port or unix:/path; by default $ORDERD_SERVER, or 127.0.0.1:7070"},
	{"ship-service", "which of the carriers' offers to buy; by default the cheapest"},
	{"site", "who reports it: a hall, a dock, a device"},
	{"skus", "how many different items"},
	{"state", "only those in this state"},
	{"street", "the address's street and number"},
	{"tls-ca",
	 "the server's CAs, PEM: speak TLS and believe no other; by default $ORDERD_TLS_CA"},
	{"tls-cert", "a client certificate and those up to its root, PEM; with --tls-key"},
	{"tls-key", "the client certificate's key, PEM"},
	{"token-file",
	 "the file with an API key or a JWT, read for each call; by default $ORDERD_TOKEN_FILE. A "
	 "token is never an argument, where others could read it"},
	{"unmoved", "also orders that nothing has happened to for so many seconds"},
	{"validate-only", "plan and price the order, store nothing"},
	{"version", "print this program's version"},
	{"warmup", "seconds before anything is counted"},
	{"watch", "look again every so many seconds, until it is interrupted"},
	{"wait-for-payment", "after the last decline wait for `orderctl pay` instead of rejecting"},
	{"yes", "do it; without it they are only counted"},
	{NULL, NULL},
};

/* Capital words that stand for the values of an enum, or for a file. */
static const struct {
	const char *name;
	const ProtobufCEnumDescriptor *states;
} kinds[] = {
	{"FILE", NULL},
	{"PAYMENT_STATE", &orderd__v1__payment_state__descriptor},
	{"ORDER_STATE", &orderd__v1__order_state__descriptor},
	{"ADJUSTMENT_KIND", &orderd__v1__adjustment_kind__descriptor},
	{"LABEL_FORMAT", &orderd__v1__label_format__descriptor},
	{"FULFILLMENT_ORDER_STATE", &orderd__v1__fulfillment_order_state__descriptor},
	{"JOB_STATE", &orderd__v1__job_state__descriptor},
	{"CALL_OUTCOME", &orderd__v1__call_outcome__descriptor},
	{"ROLE", &orderd__v1__role__descriptor},
};

static const char *meaning(const struct meaning *list, const char *name)
{
	for (; list != NULL && list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return list->help;
	return NULL;
}

const char *meaning_of_word(const char *name)
{
	return meaning(words, name);
}

const char *meaning_of_option(const struct command *c, const char *name)
{
	const char *own = c != NULL ? meaning(c->options, name) : NULL;

	return own != NULL ? own : meaning(options_of_all, name);
}

static const ProtobufCEnumDescriptor *states_of(const char *value)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, value) == 0)
			return kinds[i].states;
	return NULL;
}

bool is_file(const char *value)
{
	return strcmp(value, "FILE") == 0;
}

/* The part of "a|b|C" at *p, and behind it; false: there is none. */
static bool next_part(const char **p, const char **part, size_t *n)
{
	if (**p == '\0')
		return false;
	*part = *p;
	*n = strcspn(*p, "|");
	*p += *n + ((*p)[*n] == '|');
	return true;
}

bool choice_at(const char *value, unsigned i, char to[CHOICE_MAX])
{
	const ProtobufCEnumDescriptor *states = states_of(value);
	const char *part;
	size_t n;

	if (states != NULL)
		return enum_word(states, i, to, CHOICE_MAX);
	while (next_part(&value, &part, &n)) {
		if (!islower((unsigned char)*part) || n >= CHOICE_MAX || i-- > 0)
			continue;
		memcpy(to, part, n);
		to[n] = '\0';
		return true;
	}
	return false;
}

bool is_open(const char *value)
{
	const char *part;
	size_t n;

	if (states_of(value) != NULL)
		return false;
	while (next_part(&value, &part, &n))
		if (!islower((unsigned char)*part))
			return true;
	return false;
}

void list_choices(const char *value, char *to, size_t room)
{
	char choice[CHOICE_MAX], another[CHOICE_MAX];
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 0; choice_at(value, i, choice) && n < room; i++) {
		const char *before = i == 0 ? "" : choice_at(value, i + 1, another) ? ", " : " or ";

		n += (size_t)snprintf(to + n, room - n, "%s%s", before, choice);
	}
}
