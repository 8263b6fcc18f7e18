/*
 * shipment, void, handover.
 */
#include <stdio.h>

#include "orderctl.h"

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

static int run_shipment(struct args *a)
{
	Orderd__V1__GetShipmentRequest rq = ORDERD__V1__GET_SHIPMENT_REQUEST__INIT;
	Orderd__V1__GetShipmentResponse *rs;
	struct orderd_error e;

	rq.shipment_id = text(word(a, 0, "the shipment's id"));
	rs = orderd_get_shipment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_shipment(rs->shipment);
	return finish(&rs->base);
}

static int run_void(struct args *a)
{
	Orderd__V1__VoidLabelRequest rq = ORDERD__V1__VOID_LABEL_REQUEST__INIT;
	Orderd__V1__VoidLabelResponse *rs;
	struct orderd_error e;

	rq.shipment_id = text(word(a, 0, "the shipment's id"));
	rq.request_id = text(request_id(a));
	rq.reason = text(option(a, "reason"));
	rs = orderd_void_label(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_shipment(rs->shipment);
	return finish(&rs->base);
}

static int run_handover(struct args *a)
{
	Orderd__V1__ConfirmHandoverRequest rq = ORDERD__V1__CONFIRM_HANDOVER_REQUEST__INIT;
	ProtobufCBinaryData parcels[OPTIONS_MAX];
	Orderd__V1__ConfirmHandoverResponse *rs;
	struct orderd_error e;

	(void)word(a, 0, "a shipment's id");
	rq.site = text(need(a, "site"));
	rq.report_id = text(report_id(a));
	for (int i = 0; i < a->n_words; i++)
		parcels[i] = text(a->words[i]);
	rq.shipment_ids = parcels;
	rq.n_shipment_ids = (size_t)a->n_words;
	rs = orderd_confirm_handover(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		printf("%d confirmed\n", a->n_words);
	return finish(&rs->base);
}

const struct command shipping_commands[] = {
	{NULL, "shipment", "SHIPMENT", 1,
	 "show a parcel: its labels, what carriers offered, where it was seen", run_shipment},
	{NULL, "void", "[--reason TEXT] [--request-id ID] SHIPMENT", 1,
	 "give a label back that the carrier has not seen, for another one", run_void},
	{NULL, "handover", "--site SITE --report ID SHIPMENT...", OPTIONS_MAX,
	 "say that the carrier has taken these parcels", run_handover},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
