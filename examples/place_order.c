/*
 * Places an order and prints its id, or why there is none.
 *
 *	cc -o place_order place_order.c $(pkg-config --cflags --libs orderd-client)
 *	./place_order 127.0.0.1:7070 "$(uuidgen)" mug 2
 */
#include <orderd/client.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	Orderd__V1__PlaceOrderRequest rq = ORDERD__V1__PLACE_ORDER_REQUEST__INIT;
	Orderd__V1__NewOrderLine line = ORDERD__V1__NEW_ORDER_LINE__INIT, *lines[] = {&line};
	Orderd__V1__Address to = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__PlaceOrderResponse *rs;
	struct orderd_client *orderd;
	struct orderd_error why;

	if (argc != 5) {
		fprintf(stderr, "usage: place_order SERVER REQUEST_ID SKU QUANTITY\n");
		return 2;
	}
	orderd = orderd_client_new(argv[1]);
	rq.request_id = orderd_text(argv[2]); /* asked again with the same: the same order, once */
	rq.customer = orderd_text("customer-1");
	rq.payment_method = orderd_text("pm_card_visa");
	to.name = orderd_text("Ada Example");
	to.street = orderd_text("Ring 1");
	to.city = orderd_text("Hamburg");
	to.postal_code = orderd_text("20095");
	to.country_code = orderd_text("DE");
	rq.ship_to = &to;
	line.sku = orderd_text(argv[3]);
	line.quantity = strtoll(argv[4], NULL, 10);
	rq.lines = lines;
	rq.n_lines = 1;

	rs = orderd_place_order(orderd, &rq, 10000, &why);
	if (rs != NULL)
		printf("%.*s\n", (int)rs->order->order_id.len,
		       (const char *)rs->order->order_id.data);
	else
		fprintf(stderr, "%s: %s\n", why.reason, why.message);
	orderd__v1__place_order_response__free_unpacked(rs, NULL);
	orderd_client_free(orderd);
	return rs != NULL ? 0 : 1;
}
