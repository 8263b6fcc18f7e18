"""Calls at full speed while something happens to the servers."""
import collections
import json
import os
import threading

import grpc

from world import ROOT

CALLERS, FLYING = 4, 6


def as_documented(**more):
    """The service config that clients are given, as an option of a channel."""
    with open(os.path.join(ROOT, "clients", "service_config.json")) as f:
        return "grpc.service_config", json.dumps({**json.load(f), **more})


class Load:
    """Calls at full speed, each answer counted.  address(n): what caller n connects to."""

    def __init__(self, w, address, credentials=None, options=(), metadata=()):
        self.w, self.address, self.credentials, self.metadata = w, address, credentials, metadata
        self.options = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100),
                        ("grpc.max_reconnect_backoff_ms", 500), *options]
        self.codes, self.lock, self.over = collections.Counter(), threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.call, args=(n,)) for n in range(CALLERS)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()

    def call(self, n):
        target = self.address(n)
        channel = grpc.secure_channel(target, self.credentials, self.options) if self.credentials else \
            grpc.insecure_channel(target, self.options)
        svc = self.w.pb["order_service"]
        with channel:
            method = channel.unary_unary("/orderd.v1.OrderService/BatchGetOrders", svc.BatchGetOrdersRequest.SerializeToString,
                                         svc.BatchGetOrdersResponse.FromString)
            ask = lambda: method.future(svc.BatchGetOrdersRequest(order_ids=["01890000-0000-7000-8000-000000000000"]),  # noqa: E731
                                        timeout=30, metadata=self.metadata)
            flying = [ask() for _ in range(FLYING)]
            while not self.over.is_set():
                for i, one in enumerate(flying):
                    self.count(one)
                    flying[i] = ask()
            for one in flying:
                self.count(one)

    def count(self, one):
        # An order that nobody placed: its absence is what the database says.
        code = one.code().name
        with self.lock:
            self.codes["answered" if code in ("OK", "NOT_FOUND") else (code, one.details())] += 1

    @property
    def answered(self):
        return self.codes["answered"]

    def more(self, n):
        before = self.answered
        self.w.until(lambda: self.answered >= before + n, "%d more answers" % n)

    def none_failed(self):
        assert set(self.codes) == {"answered"}, self.codes

    def few_unavailable(self):
        failed = self.codes.total() - self.answered
        assert {key[0] for key in self.codes if key != "answered"} <= {"UNAVAILABLE"} and failed * 50 < self.answered, self.codes
