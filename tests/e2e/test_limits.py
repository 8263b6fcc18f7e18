"""What one connection may take, reached: by clients that keep to the rules, which lose nothing, and by some that do not.  All of it
holds for a listener of orderd's own and for one on a socket that systemd holds.

Limits on what a call says (its size, its compression, its text) are tested where the runtime is, tests/integration/rpc."""
import contextlib
import socket
import struct
import threading

import grpc

from held import Passed, listening
from programs import LISTEN, Running
from world import run

HEADERS, SETTINGS, PING, GOAWAY, CONTINUATION = 1, 4, 6, 7, 9
ACK = 1
END_HEADERS = 4
MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE = 3, 6
ENHANCE_YOUR_CALM = 11
FRAME_MOST = 16384
PATIENCE_S = 60


def literal(name, value):
    """HPACK: a header that is not indexed, its name spelt out."""
    def string(s):
        n = len(s)
        if n < 127:
            return bytes([n]) + s
        out, n = [127], n - 127
        while n >= 128:
            out.append(n % 128 + 128)
            n //= 128
        return bytes(out + [n]) + s
    return b"\0" + string(name) + string(value)


def call_headers(*more):
    names = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/orderd.v1.OrderService/GetOrder"), (b":authority", b"here"),
             (b"te", b"trailers"), (b"content-type", b"application/grpc"), *more]
    return b"".join(literal(*pair) for pair in names)


class Rude:
    """HTTP/2 by hand, for what no client library would do."""

    def __init__(self, server):
        host, port = server.addresses["grpc"].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.frame(SETTINGS, 0, 0, b"")
        self.settings = {}
        self.until(lambda kind, flags, stream, body: kind == SETTINGS and flags & ACK)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frame(self, kind, flags, stream, body):
        self.socket.sendall(struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionError("hung up")
            data += more
        return data

    def read(self):
        head = self.exactly(9)
        body = self.exactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == SETTINGS and not flags & ACK:
            self.settings.update(struct.unpack(">HI", body[i:i + 6]) for i in range(0, len(body), 6))
            self.frame(SETTINGS, ACK, 0, b"")
        return kind, flags, stream, body

    def until(self, wanted):
        """The first frame of which wanted(kind, flags, stream, body)."""
        while True:
            frame = self.read()
            if wanted(*frame):
                return frame

    def ping(self, n):
        self.frame(PING, 0, 0, struct.pack(">Q", n))

    def end(self):
        """The error code of its GOAWAY; None: it hung up without a word."""
        try:
            return int.from_bytes(self.until(lambda kind, flags, stream, body: kind == GOAWAY)[3][4:8], "big")
        except ConnectionError:
            return None


class Neighbour:
    """Somebody on a connection of his own: never the worse for what others do."""

    def __init__(self, w, server):
        self.w, svc = w, w.pb["order_service"]
        self.channel = grpc.insecure_channel(server.addresses["grpc"], options=[("grpc.use_local_subchannel_pool", 1)])
        self.method = self.channel.unary_unary("/orderd.v1.OrderService/BatchGetOrders", svc.BatchGetOrdersRequest.SerializeToString,
                                               svc.BatchGetOrdersResponse.FromString)
        self.ask()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def start(self):
        return self.method.future(self.w.pb["order_service"].BatchGetOrdersRequest(order_ids=["01890000-0000-7000-8000-000000000000"]),
                                  timeout=PATIENCE_S)

    def ask(self):
        self.start().result()


@contextlib.contextmanager
def own_listener(w, *args):
    with Running(w, "orderd", *LISTEN, *args) as server:
        yield server


@contextlib.contextmanager
def held_socket(w, *args):
    with Passed(("callers", listening())) as passed, \
            Running(w, "orderd", "--listen=fd:callers", "--http-listen=127.0.0.1:0", *args, passed=passed) as server:
        yield server


def keepalive_at_the_documented_minimum__is_fine(server):
    """Pings ten seconds apart and a little, on a connection without a call; counted from the answer, so never less for them."""
    pause = threading.Event()
    with Rude(server) as patient:
        for n in range(4):
            patient.ping(n)
            patient.until(lambda kind, flags, stream, body: kind == PING and flags & ACK and body == struct.pack(">Q", n))
            pause.wait(10.2)
        patient.ping(9)
        kind, flags, _, body = patient.until(lambda kind, flags, stream, body: kind in (PING, GOAWAY))
        assert (kind, flags, body) == (PING, ACK, struct.pack(">Q", 9)), (kind, flags, body)


def streams_beyond_the_limit__wait_and_none_is_lost(w, listener):
    with listener(w, "--max-streams=5") as server, Neighbour(w, server) as client:
        calls = [client.start() for _ in range(500)]
        assert [c.code().name for c in calls if c.code() != grpc.StatusCode.OK] == []
        with Rude(server) as rude:
            assert rude.settings[MAX_CONCURRENT_STREAMS] == 5, rude.settings
            for n in range(6):
                rude.frame(HEADERS, END_HEADERS, 1 + 2 * n, call_headers())  # each waits for a message that never comes
            said = rude.end()
            assert said != 0, "it was not told to go"
        client.ask()
        assert server.end() == 0


def headers_too_large__end_their_connection_and_no_other(w, listener):
    with listener(w) as server, Neighbour(w, server) as client, Rude(server) as rude:
        assert rude.settings[MAX_HEADER_LIST_SIZE] == 65536, rude.settings
        block = call_headers((b"x-large", b"y" * 70000))
        parts = [block[i:i + FRAME_MOST] for i in range(0, len(block), FRAME_MOST)]
        try:
            for n, part in enumerate(parts):
                rude.frame(HEADERS if n == 0 else CONTINUATION, END_HEADERS if n == len(parts) - 1 else 0, 1, part)
            refusal = rude.until(lambda kind, flags, stream, body: kind == HEADERS)[3]
            assert b"grpc-status\x018" in refusal, refusal
        except ConnectionError:
            pass  # it was quicker to hang up
        rude.end()
        client.ask()
        with Neighbour(w, server) as bold:
            try:
                bold.method(w.pb["order_service"].BatchGetOrdersRequest(), timeout=PATIENCE_S, metadata=[("x-large", "y" * 70000)])
                raise AssertionError("it was taken")
            except grpc.RpcError as e:
                assert e.code().name in ("RESOURCE_EXHAUSTED", "UNAVAILABLE"), e
        client.ask()
        assert server.end() == 0


def flood_of_pings__is_told_to_calm_down(w, listener):
    with listener(w) as server, Neighbour(w, server) as client, Rude(server) as rude:
        try:
            for n in range(20):
                rude.ping(n)
        except ConnectionError:
            pass
        assert rude.end() == ENHANCE_YOUR_CALM
        client.ask()
        assert server.end() == 0


def mute_connection__is_hung_up_on(w, listener):
    with listener(w) as server, Neighbour(w, server) as client:
        host, port = server.addresses["grpc"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=25) as mute:  # keepalive would take 40 s
            while mute.recv(4096):
                pass  # its own settings, and then the end
        client.ask()
        assert server.end() == 0


def patient_clients__were_answered_all_along(w):
    for one in patient:
        one.join()
    assert patience == ["fine"] * len(patient), patience


def be_patient(w, listener):
    with listener(w) as server:
        keepalive_at_the_documented_minimum__is_fine(server)
        assert server.end() == 0
        patience.append("fine")


def patient_clients__begin(w):
    for listener in (own_listener, held_socket):
        patient.append(threading.Thread(target=be_patient, args=(w, listener)))
        patient[-1].start()


def on(listener, story):
    def told(w):
        story(w, listener)
    told.__name__ = "%s__on_its_%s" % (story.__name__, listener.__name__)
    return told


patient, patience = [], []
both = [on(listener, story) for listener in (own_listener, held_socket) for story in (
    streams_beyond_the_limit__wait_and_none_is_lost, headers_too_large__end_their_connection_and_no_other, flood_of_pings__is_told_to_calm_down,
    mute_connection__is_hung_up_on)]
run(patient_clients__begin, *both, patient_clients__were_answered_all_along)
