/*
 * Prints what the domain holds of states and legal moves, one per line, and numbers of
 * parcels that it made, for sql_edges.py to compare with the database:
 *
 *	state <axis> <name>
 *	edge <axis> <from> <to>
 *	sscc <prefix> <serial> <number>
 *	mail <event kind> <detail or *> <template>
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/domain/order_state.h"
#include "core/domain/sscc.h"
#include "workers/notification/template_table.h"

static void print_states(void)
{
	for (int s = 0; s < ORDER_STATES; s++)
		printf("state order %s\n", order_state_name((enum order_state)s));
	for (int s = 0; s < PAYMENT_STATES; s++)
		printf("state payment %s\n", payment_state_name((enum payment_state)s));
	for (int s = 0; s < FULFILLMENT_STATES; s++)
		printf("state fulfillment %s\n", fulfillment_state_name((enum fulfillment_state)s));
	for (int s = 0; s < BUCKETS; s++)
		printf("state bucket %s\n", bucket_name((enum bucket)s));
}

static void print_order_edges(void)
{
	for (int from = 0; from < ORDER_STATES; from++) {
		for (int to = 0; to < ORDER_STATES; to++) {
			if (order_edge_why((enum order_state)from, (enum order_state)to) != NULL)
				printf("edge order %s %s\n",
				       order_state_name((enum order_state)from),
				       order_state_name((enum order_state)to));
		}
	}
}

static void print_bucket_edges(void)
{
	for (int from = 0; from < BUCKETS; from++) {
		for (int to = 0; to < BUCKETS; to++) {
			if (bucket_edge_why((enum bucket)from, (enum bucket)to) != NULL)
				printf("edge bucket %s %s\n", bucket_name((enum bucket)from),
				       bucket_name((enum bucket)to));
		}
	}
}

/* Every length of prefix, and serials around each place where they begin again. */
static void print_ssccs(void)
{
	static const char digits[] = "09876543210";
	char made[SSCC_SIZE];

	for (size_t n = SSCC_PREFIX_MIN; n <= SSCC_PREFIX_MAX; n++) {
		for (int64_t at = 1; at <= INT64_MAX / 10; at *= 10) {
			for (int64_t serial = at - 1; serial <= at * 7 + 3; serial += at * 3 + 1) {
				if (!sscc_make((struct str){digits, n}, serial, made))
					continue;
				printf("sscc %.*s %" PRId64 " %s\n", (int)n, digits, serial, made);
			}
		}
	}
}

static void print_mails(void)
{
	static const char *const rows[][3] = {
#define X(kind, detail, template) {kind, detail, #template},
		MAIL_EVENT_TABLE(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("mail %s %s %s\n", rows[i][0], rows[i][1][0] != '\0' ? rows[i][1] : "*",
		       rows[i][2]);
}

int main(void)
{
	print_states();
	print_order_edges();
	print_bucket_edges();
	print_ssccs();
	print_mails();
	return 0;
}
