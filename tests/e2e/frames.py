"""HTTP/2 made by hand over TLS, for what no client library would send: frames, header blocks without compression, and a
peer that sends from an address of its own."""
import select
import socket
import ssl
import struct
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL, INITIAL_WINDOW_SIZE = 8, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET_ORDER = "/orderd.v1.OrderService/GetOrder"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(s):
    """A string of HPACK: its length in a prefix of 7 bits, not Huffman coded."""
    s = s if isinstance(s, bytes) else s.encode()
    n, head = len(s), b""
    if n < 127:
        return bytes([n]) + s
    n -= 127
    head = b"\x7f"
    while n >= 128:
        head += bytes([n % 128 + 128])
        n //= 128
    return head + bytes([n]) + s


def block(fields):
    return b"".join(b"\x10" + text(name) + text(value) for name, value in fields)


def call(path=GET_ORDER, more=()):
    """The header block of a call."""
    return block([(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost"),
                  ("content-type", "application/grpc"), ("te", "trailers"), *more])


def message(data, compressed=False):
    return struct.pack(">BI", compressed, len(data)) + data


class Peer:
    """One connection.  Whatever the other side does to it, ends it, and gone says so."""

    def __init__(self, address, ca, source, settings=b"", hello=True):
        host, port = address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        self.gone, self.poll = False, select.poll()
        self.tls = self.tcp = socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))
        self.poll.register(self.tcp.fileno(), select.POLLIN)
        if not hello:
            return
        try:
            self.tls = context.wrap_socket(self.tcp, server_hostname="localhost")
        except OSError:
            self.tcp.close()
            raise
        self.tls.settimeout(5)
        self.send(PREFACE + frame(SETTINGS, payload=settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.gone = True
        self.tls.close()

    def send(self, data):
        """False: it is gone, or takes nothing any more."""
        try:
            self.tls.sendall(data)
        except OSError:
            self.gone = True
        return not self.gone

    def drain(self):
        """Reads what is there."""
        try:
            while not self.gone and (self.pending() or self.poll.poll(0)):
                self.gone = self.tls.recv(65536) == b""
        except OSError:
            self.gone = True
        return not self.gone

    def pending(self):
        return isinstance(self.tls, ssl.SSLSocket) and self.tls.pending() > 0

    def frames(self, until, patience_s=20):
        """(kind, flags, stream, payload) as they come, up to the first that until() is true of."""
        got, buffer, end = [], b"", time.monotonic() + patience_s
        while time.monotonic() < end:
            self.tls.settimeout(max(0.1, end - time.monotonic()))
            try:
                data = self.tls.recv(65536)
            except OSError:
                break
            if data == b"":
                break
            buffer += data
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                n = int.from_bytes(buffer[:3], "big")
                got.append((buffer[3], buffer[4], int.from_bytes(buffer[5:9], "big"), buffer[9:9 + n]))
                buffer = buffer[9 + n:]
                if until(got[-1]):
                    return got
        return got
