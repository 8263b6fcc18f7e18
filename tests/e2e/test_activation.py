"""Sockets that systemd holds (listen = fd:NAME): callers who come while orderd is restarted wait and are served, an edge's word is
believed on its own socket alone, who says nothing is hung up on, and a socket that will not do is refused at the start."""
import contextlib
import os
import signal
import socket
import threading
import time

import grpc

from edge import EdgeWorld
from held import Passed, listening
from load import Load, as_documented
from programs import Running, metric, own, start, write
from test_edge import HEADER, SHOP, escaped
from world import details_of, run

RESTARTS = 4
HANDSHAKE_S, SILENT_MAX = 10, 256
NEVER_REPEATS = [("grpc.enable_retries", 0)]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def path(w, name):
    return os.path.join(w.scratch, name + ".sock")


@contextlib.contextmanager
def held(w, *names, **hosts):
    """Sockets: `names` at paths of their own, `hosts` at loopback ports."""
    sockets = [(name, listening(path(w, name))) for name in names] + [(name, listening(host=host)) for name, host in hosts.items()]
    try:
        with Passed(*sockets) as passed:
            yield passed
    finally:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path(w, name))


def orderd(w, passed, listen, *args):
    # The world's own orderd has a tls: listener, this one does not.
    return Running(w, "orderd", "--listen=" + listen, "--http-listen=127.0.0.1:0", "--tls-client-ca-file=", "--tls-cert-file=", "--tls-key-file=",
                   *args, passed=passed)


def connect(address, options=()):
    return grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1), *options])


class Caller:
    """One call on a connection of its own, never repeated, under way from here on."""

    def __init__(self, w, address, channel=None):
        svc = w.pb["order_service"]
        self.channel = channel or connect(address, NEVER_REPEATS)
        self.call = self.channel.unary_unary("/orderd.v1.OrderService/PlaceOrder", svc.PlaceOrderRequest.SerializeToString,
                                             svc.PlaceOrderResponse.FromString).future(w.order_request(), metadata=w.metadata, timeout=60)

    def outcome(self):
        """OK, or (status, reason)."""
        with self.channel:
            error = self.call.exception()
            return "OK" if error is None else (error.code().name, details_of(error)[0] or error.details())


# ---- callers wait

def order__is_placed_through_each_kind_of_socket(w):
    with held(w, "local", "edge", v4="127.0.0.1", v6="::1") as passed:
        with orderd(w, passed, "fd:local,edge:fd:edge,fd:v4") as server:
            port = passed.sockets[2].getsockname()[1]
            assert (server.addresses["grpc"], server.addresses["edge"]) == ("127.0.0.1:%d" % port, "unix:" + path(w, "edge"))
            for address in ("unix:" + path(w, "local"), "unix:" + path(w, "edge"), "127.0.0.1:%d" % port):
                assert Caller(w, address).outcome() == "OK", address
            assert "event=socket_not_used name=\"v6\"" in server.log()
            assert server.end() == 0
        assert os.path.exists(path(w, "local")), "its path is systemd's"
        with orderd(w, passed, "fd:v6") as server:
            assert server.addresses["grpc"] == "[::1]:%d" % passed.sockets[3].getsockname()[1]
            assert Caller(w, server.addresses["grpc"]).outcome() == "OK"
            assert server.end() == 0


def callers_who_come_during_a_restart__wait_and_none_fails(w):
    with held(w, "local") as passed:
        address = "unix:" + path(w, "local")
        server = orderd(w, passed, "fd:local")
        try:
            # Connections that stand are told to go, which their clients make good; who connects meanwhile need not even do that.
            with Load(w, lambda n: address, metadata=w.metadata, options=[as_documented()]) as load:
                for _ in range(RESTARTS):
                    load.more(100)
                    assert server.end() == 0
                    server.__exit__()
                    callers = [Caller(w, address) for _ in range(8)]
                    server = orderd(w, passed, "fd:local")
                    heard = [c.outcome() for c in callers]
                    assert heard == ["OK"] * len(callers), heard
                load.more(100)
            load.none_failed()
            assert server.end() == 0
        finally:
            server.__exit__()


def callers_of_a_plain_socket__are_refused_meanwhile(w):
    """What sockets that systemd holds are for."""
    address = "unix:" + path(w, "plain")
    with orderd(w, None, address) as server:
        assert Caller(w, address).outcome() == "OK"
        assert server.end() == 0
    assert Caller(w, address).outcome() [0] == "UNAVAILABLE"


def callers__are_let_in_when_they_can_be_served_or_told_why_not(w):
    with held(w, "local") as passed:
        made, address = [], "unix:" + path(w, "local")
        w.kill("postgres")
        try:
            starting = threading.Thread(target=lambda: made.append(orderd(w, passed, "fd:local")))
            starting.start()
            assert Caller(w, address).outcome() == ("UNAVAILABLE", "STORE_UNAVAILABLE"), "who waits in vain had better hear of it"
        finally:
            w.again("postgres")
        starting.join(60)
        with made[0] as server:
            assert Caller(w, address).outcome() == "OK"
            assert server.end() == 0


# ---- who says nothing, and what else a connection may not

def mute(w, name="local", says=b""):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(120)
    s.connect(path(w, name))
    if says:
        s.sendall(says)
    return s


def until_it_ends(s):
    with s, contextlib.suppress(ConnectionResetError):
        while s.recv(4096):
            pass


def mute_connection__ends_in_time(w):
    with held(w, "local") as passed, orderd(w, passed, "fd:local") as server:
        began = time.monotonic()
        # This one has spoken, so gRPC has it: its keepalive ends it (30 s and 10 s).  The listener is its own caller meanwhile.
        spoken = mute(w, says=PREFACE)
        until_it_ends(mute(w))
        took = time.monotonic() - began
        assert took > HANDSHAKE_S - 0.5, took
        assert metric(server, 'orderd_held_closed_total{cause="mute"}') == 1
        assert Caller(w, "unix:" + path(w, "local")).outcome() == "OK"
        until_it_ends(spoken)
        assert time.monotonic() - began > 35
        assert "listener_deaf" not in server.log() and "self_probe_failed" not in server.log()
        assert server.end() == 0


def crowd_that_says_nothing__is_bounded(w):
    sample = 'orderd_held_silent{socket="local"}'
    with held(w, "local") as passed, orderd(w, passed, "fd:local") as server:
        crowd = [mute(w) for _ in range(SILENT_MAX)]
        w.until(lambda: metric(server, sample) == SILENT_MAX, "a full house")
        until_it_ends(mute(w))
        assert metric(server, 'orderd_held_closed_total{cause="crowded"}') >= 1
        for s in crowd:
            s.close()
        w.until(lambda: metric(server, sample) == 0, "room again")
        assert Caller(w, "unix:" + path(w, "local")).outcome() == "OK"
        assert server.end() == 0


def silent_at_the_end__is_hung_up_on(w):
    with held(w, "local") as passed, orderd(w, passed, "fd:local") as server:
        silent = mute(w)
        w.until(lambda: metric(server, 'orderd_held_silent{socket="local"}') == 1, "a silent caller")
        server.process.send_signal(signal.SIGTERM)
        until_it_ends(silent)
        assert server.ended() == 0


def connections_beyond_the_quota__are_ended_and_others_served(w):
    with held(w, "local") as passed, orderd(w, passed, "fd:local", "--grpc-quota-mib=16") as server:
        crowd, ended = [], 0
        for _ in range(60):
            crowd += [mute(w, says=PREFACE + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) for _ in range(50)]
            w.until(lambda: metric(server, 'orderd_held_silent{socket="local"}') == 0, "everybody handed over")
        for s in crowd:
            s.setblocking(False)
        def gone(s):
            try:
                while (data := s.recv(4096)):
                    pass
                return True
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
        w.until(lambda: sum(gone(s) for s in crowd if s.fileno() >= 0) > 0, "the first to be ended")
        assert Caller(w, "unix:" + path(w, "local")).outcome() == "OK"
        for s in crowd:
            s.close()
        assert server.end() == 0


def aged_connections__fail_no_call_of_a_client_that_repeats_as_documented(w):
    with held(w, "local") as passed, orderd(w, passed, "fd:local", "--connection-age-ms=500", "--log-level=debug") as server:
        with Load(w, lambda n: "unix:" + path(w, "local"), metadata=w.metadata, options=[as_documented()]) as load:
            w.until(lambda: load.answered >= 1000 and server.log().count("event=connection ") >= 40, "ten lives of each caller's connection")
        load.none_failed()
        assert "uid=%d gid=%d" % (os.getuid(), os.getgid()) in server.log()
        assert server.end() == 0


def socket_without_its_path__is_deaf(w):
    with held(w, "local") as passed, orderd(w, passed, "fd:local") as server:
        os.unlink(path(w, "local"))
        assert server.ended() == 75
        assert "event=listener_deaf" in server.log()


# ---- an edge

def certificate__is_believed_on_the_edges_own_socket_alone(w):
    forged = [(HEADER, escaped(w.client(SHOP)))]
    with held(w, "local", "edge") as passed, orderd(w, passed, "fd:local,edge:fd:edge", "--log-level=debug") as server:
        for _ in range(30):  # numbers of descriptors come again, and each time mean the same
            with connect("unix:" + path(w, "edge")) as edge, connect("unix:" + path(w, "local")) as local:
                assert w.outcome(edge, forged) == "NOT_FOUND"
                assert w.outcome(local, forged) == "UNAUTHENTICATED"
                assert w.outcome(edge) == "UNAUTHENTICATED"
                assert w.outcome(edge, w.metadata) == w.outcome(local, w.metadata) == "NOT_FOUND"
        assert metric(server, 'orderd_auth_refused_total{cause="not_taken"}') == 30
        with connect("unix:" + path(w, "edge")) as edge:
            assert w.outcome(edge, forged * 2) == "UNAUTHENTICATED", "which of them?"
            assert w.outcome(edge, [(HEADER, escaped(w.client(SHOP, days=-1)))]) == "UNAUTHENTICATED", "it was good when the connection began"
        assert server.end() == 0


def callers_of_nginx__wait_as_well(w):
    edge = os.path.join(w.env["SOCKETS"], "edge.sock")
    its_own = os.stat(edge)
    w.kill("orderd")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(edge)
    try:
        with Passed(("edge", listening(edge))) as passed:
            os.chown(edge, its_own.st_uid, its_own.st_gid)
            for _ in range(RESTARTS):
                callers = [Caller(w, None, w.connect("edge")) for _ in range(8)]
                with orderd(w, passed, "edge:fd:edge") as server:
                    heard = [c.outcome() for c in callers]
                    assert heard == ["OK"] * len(callers), heard
                    assert server.end() == 0
        os.unlink(edge)
        assert Caller(w, None, w.connect("edge")).outcome() == ("UNAVAILABLE", "edge: orderd cannot be reached"), "nginx says so at once where nobody holds the socket"
    finally:
        w.again("orderd")


# ---- what is refused

def sockets_that_will_not_do__are_refused_by_name(w):
    def tcp(host):
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        s.bind((host, 0))
        s.listen()
        return s

    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind(path(w, "datagrams"))
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    abstract = "\0orderd-%d" % os.getpid()
    settings = {k: v for k, v in own(w).items() if not k.startswith("tls_")}
    settings.update(http_listen="127.0.0.1:0", webhook_listen="")
    a = lambda **more: Passed(("a", listening(host="127.0.0.1")), **more)  # noqa: E731
    for listen, passed, why in (
            ("tls:fd:a", a(), "gRPC speaks no TLS on sockets that others have made"),
            ("fd:", a(), "the name of a socket"),
            ("edge:fd:", a(), "the name of a socket"),
            ("fd:a,fd:a", a(), "fd:a stands there twice"),
            ("fd:a,edge:fd:a", a(), "fd:a stands there twice"),
            ("fd:b", a(), "systemd passed no socket named b"),
            ("fd:a", None, "systemd passed no socket named a: LISTEN_PID is not set"),
            ("fd:a", a(pid="1"), "no socket named a: LISTEN_PID is another process"),
            ("fd:a", a(LISTEN_FDS="x"), "LISTEN_FDS is no number of sockets"),
            ("fd:a", a(LISTEN_FDS="0"), "LISTEN_FDS is no number of sockets"),
            ("fd:a", a(LISTEN_FDS="33"), "LISTEN_FDS is no number of sockets"),
            ("fd:a", a(LISTEN_FDS="30"), "not open"),
            ("fd:a", a(LISTEN_FDNAMES="a:b"), "more names"),
            ("fd:a", a(LISTEN_FDNAMES=""), "fewer names"),
            ("fd:a", a(names=False), "no socket named a"),
            ("fd:a", Passed(("a", listening(host="127.0.0.1")), ("a", listening(host="127.0.0.1"))), "two sockets named a"),
            ("fd:a", Passed(("a", tcp("0.0.0.0"))), "bound to 0.0.0.0: only loopback"),
            ("fd:a", Passed(("a", tcp("::"))), "bound to ::: only loopback"),
            ("fd:a", Passed(("a", deaf)), "no listening stream socket"),
            ("fd:a", Passed(("a", datagrams)), "no listening stream socket"),
            ("fd:a", Passed(("a", open(os.devnull))), "no listening stream socket"),
            ("fd:a", Passed(("a", listening(abstract))), "without a path"),
            ("edge:fd:a", a(), "an edge's socket is a unix one, not 127.0.0.1:"),
            ("edge:fd:a", Passed(("a", listening(path(w, "open"), mode=0o666))), "SocketMode=0660")):
        code, out, err = start(w, "orderd", "--config=" + write(w, {**settings, "listen": listen}), passed=passed)
        assert (code, out) == (2, "") and ": listen: " in err and why in err, (listen, why, code, err)
        if passed:
            passed.__exit__()
    # Not listened on, whatever else is named so.
    with a() as passed:
        for field in ("http_listen", "webhook_listen"):
            code, out, err = start(w, "orderd", "--config=" + write(w, {**settings, "listen": "127.0.0.1:0", field: "fd:a"}), passed=passed)
            assert (code, out) == (2, "") and ": %s: " % field in err, (field, code, err)
        # An edge believes what it is told, so callers must be asked for.
        code, out, err = start(w, "orderd", "--config=" + write(w, {**settings, "listen": "edge:fd:a", "auth": "none"}), passed=passed)
        assert code == 2 and "nobody is asked" in err, err


if __name__ == "__main__":
    run(order__is_placed_through_each_kind_of_socket, callers_who_come_during_a_restart__wait_and_none_fails,
        callers_of_a_plain_socket__are_refused_meanwhile, callers__are_let_in_when_they_can_be_served_or_told_why_not,
        mute_connection__ends_in_time, crowd_that_says_nothing__is_bounded, silent_at_the_end__is_hung_up_on,
        connections_beyond_the_quota__are_ended_and_others_served, aged_connections__fail_no_call_of_a_client_that_repeats_as_documented, socket_without_its_path__is_deaf,
        certificate__is_believed_on_the_edges_own_socket_alone, sockets_that_will_not_do__are_refused_by_name, callers_of_nginx__wait_as_well, kind=EdgeWorld)
