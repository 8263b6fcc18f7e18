"""What a program that calls orderd needs to know, in one file: deadlines and retries from ../service_config.json, the
same request_id until an answer has come, an order's events without a gap, and errors by field.

Needs grpcio, protobuf, and what ./generate writes in PYTHONPATH.
"""
import os
import random
import time
from collections import namedtuple

import grpc
from google.rpc import error_details_pb2, status_pb2
from orderd.v1 import order_service_pb2

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 60
PAUSE_FIRST_S = 0.2
PAUSE_LONGEST_S = 5

# What is worth another try when it does not come from orderd itself, which says so: a connection lost, our deadline.
# CANCELLED is how a call may end that reaches a server about to leave; nothing in this file cancels one and waits for it.
AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}

Why = namedtuple("Why", "code reason message facts fields retry_after_s")


def connect(address):
    with open(os.path.join(HERE, "..", "service_config.json")) as f:
        service_config = f.read()
    return grpc.insecure_channel(address, options=[
        ("grpc.service_config", service_config),
        # Finds a server that is gone without a word in 40 s.  More often than every 10 s is too often for orderd.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000)])


class Orders:
    """OrderService as methods, made from its descriptor: what grpc_tools would write into a file."""

    def __init__(self, channel):
        service = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
        for method in service.methods:
            request = getattr(order_service_pb2, method.input_type.name)
            answer = getattr(order_service_pb2, method.output_type.name)
            kind = channel.unary_stream if method.name.startswith("Watch") else channel.unary_unary
            setattr(self, method.name, kind("/%s/%s" % (service.full_name, method.name), request.SerializeToString,
                                            answer.FromString))


def explain(error):
    """google.rpc.Status of a failed call; `fields` is {field: what is wrong with it}.  `reason` is empty when orderd did not
    say it; retry_after_s is None when the same call would fail in the same way."""
    reason, facts, fields, retry_after_s = "", {}, {}, None
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    for detail in status_pb2.Status.FromString(packed).details:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, facts = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            fields = {v.field: v.description for v in bad.field_violations}
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return Why(error.code().name, reason, error.details(), facts, fields, retry_after_s)


def is_worth_it(error, why):
    """orderd's own word if it is there.  A reader that was too slow is told in the message alone: no details overtake a
    stream."""
    if why.reason:
        return why.retry_after_s is not None
    return error.code() in AGAIN or why.message.startswith("SLOW_READER")


class Tries:
    """Pauses before another try, longer each time, never shorter than the server asks for; or raises the error, when it
    will be the same next time or patience has ended.  Half a pause and some keeps clients from coming back all at once."""

    def __init__(self, on_again=None, patience_s=PATIENCE_S):
        self.on_again, self.patience_s = on_again, patience_s
        self.restart()

    def restart(self):
        self.end = time.monotonic() + self.patience_s
        self.pause_s = PAUSE_FIRST_S

    def again(self, error):
        why = explain(error)
        pause_s = max(why.retry_after_s or 0, self.pause_s * random.uniform(0.5, 1))
        if not is_worth_it(error, why) or time.monotonic() + pause_s > self.end:
            raise error
        if self.on_again:
            self.on_again(why)
        self.pause_s = min(self.pause_s * 2, PAUSE_LONGEST_S)
        time.sleep(pause_s)


def place(orders, request, on_again=None):
    """The order, once, however often this has to ask.  request.request_id belongs to the purchase, not to the try: store
    it before the first call, and a program that was ended in between asks with the same one."""
    tries = Tries(on_again)
    while True:
        try:
            return orders.PlaceOrder(request).order
        except grpc.RpcError as error:
            tries.again(error)


def watch(orders, order_id, after=0, on_again=None):
    """Every event of an order behind `after`, once and in order, until the order has ended.  Store the sequence of the last
    one that was dealt with: it is all that is needed to go on later, from here or from another device."""
    tries = Tries(on_again)
    while True:
        stream = orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=order_id, after_sequence=after))
        try:
            for message in stream:
                tries.restart()  # it was alive
                if message.WhichOneof("what") == "event":
                    after = message.sequence
                    yield message.event
            return
        except grpc.RpcError as error:
            tries.again(error)
        finally:
            stream.cancel()  # whoever stops reading leaves nothing open


def watch_all(orders, token="", customer="", on_again=None):
    """What happens to all orders, or to one customer's: (events, token) message by message, for as long as it is read.
    Store the token when the events of its message have been dealt with: it goes on there, from here or from another device,
    after an hour or a day.  Without one it begins now."""
    tries = Tries(on_again)
    while True:
        stream = orders.WatchOrders(order_service_pb2.WatchOrdersRequest(resume_token=token, customer=customer))
        try:
            for message in stream:
                tries.restart()  # it was alive
                token = message.resume_token
                yield message.events, token
        except grpc.RpcError as error:
            tries.again(error)
        finally:
            stream.cancel()
