"""Places an order and follows it to its end, or follows all there are.

    example.py ADDRESS place REQUEST_ID CUSTOMER SKU=QUANTITY...
    example.py ADDRESS watch ORDER_ID [AFTER_SEQUENCE]
    example.py ADDRESS all [TOKEN [CUSTOMER]]

Events go to stdout, everything else to stderr.  Ends with 0: done; 1: refused, and asking again is no use; 3: not known, ask
again with the same arguments; 2: wrong arguments.
"""
import sys

import grpc
from orderd.v1 import order_service_pb2, place_pb2
from orders import Orders, connect, explain, place, watch, watch_all

UNKNOWN = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "CANCELLED", "RESOURCE_EXHAUSTED"}


def again(why):
    print("again", why.code, why.reason, file=sys.stderr, flush=True)


def request(request_id, customer, lines):
    pairs = [line.rpartition("=") for line in lines]
    return order_service_pb2.PlaceOrderRequest(
        request_id=request_id, customer=customer, channel="example", payment_method="pm_card_visa",
        lines=[order_service_pb2.NewOrderLine(sku=sku, quantity=int(quantity)) for sku, _, quantity in pairs],
        ship_to=place_pb2.Address(name="Ada Example", street="Ring 1", city="Hamburg", postal_code="20095", country_code="DE"))


def follow(orders, order_id, after=0):
    for event in watch(orders, order_id, int(after), again):
        print("event", event.sequence, event.kind, flush=True)
    print("ended")


def place_and_follow(orders, request_id, customer, *lines):
    order = place(orders, request(request_id, customer, lines), again)
    print("placed", order.order_id, order.order_number, flush=True)
    follow(orders, order.order_id)


def follow_all(orders, token="", customer=""):
    for events, token in watch_all(orders, token, customer, again):
        for e in events:
            print("order", e.order_id, e.event.sequence, e.event.kind)
        print("token", token, flush=True)  # of what stands above it


COMMANDS = {"place": (place_and_follow, 3), "watch": (follow, 1), "all": (follow_all, 0)}


def main(address="", command="", *args):
    run, least = COMMANDS.get(command, (None, 0))
    if run is None or len(args) < least:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with connect(address) as channel:
            run(Orders(channel), *args)
    except grpc.RpcError as error:
        why = explain(error)
        print(why.code, why.reason, why.message, file=sys.stderr)
        for name, value in why.facts.items():
            print("fact %s: %s" % (name, value), file=sys.stderr)
        for field, description in why.fields.items():
            print("field %s: %s" % (field, description), file=sys.stderr)
        return 3 if why.code in UNKNOWN else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
