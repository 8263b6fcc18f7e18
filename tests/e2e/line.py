"""A line between a client and orderd that a test can cut: it listens at one address for as long as it lives, whatever
port orderd has by now, and it can be deaf: what clients say arrives, what they are answered is lost."""
import socket
import threading

BYTES = 65536


class Line:
    def __init__(self, target, deaf_from=None):
        """target(): host:port of orderd now.  deaf_from: bytes of a client's after which nothing comes back to it."""
        self.target, self.deaf_from, self.deaf = target, deaf_from, threading.Event()
        self.pairs, self.lock = [], threading.Lock()
        self.ear = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.ear.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ear.shutdown(socket.SHUT_RDWR)
        self.ear.close()
        self.cut()

    def accept(self):
        while True:
            try:
                client, _ = self.ear.accept()
            except OSError:
                return
            try:
                host, port = self.target().rsplit(":", 1)
                server = socket.create_connection((host, int(port)), timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            for pump, pair in ((self.there, (client, server)), (self.back, (server, client))):
                threading.Thread(target=self.pump, args=(pump, *pair), daemon=True).start()

    def pump(self, passes, source, sink):
        try:
            while data := source.recv(BYTES):
                passes(data, sink)
        except OSError:
            pass
        hang_up(source, sink)

    def there(self, data, server):
        if self.deaf_from is not None and self.deaf_from in data:
            self.deaf.set()
        server.sendall(data)

    def back(self, data, client):
        if not self.deaf.is_set():
            client.sendall(data)

    def cut(self, hears=True):
        """Ends all connections; from now on answers come through."""
        if hears:
            self.deaf_from = None
            self.deaf.clear()
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            hang_up(*pair)


def hang_up(*ends):
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was first
