"""The nginx in front of orderd: who calls through it, what it lets through, and that what it says itself is gRPC."""
import os
import signal
import socket
import subprocess
import urllib.parse

import grpc

from credentials import Authority
from edge import EdgeWorld, bearer
from programs import own, program, start, write
from world import details_of, run

HEADER = "x-orderd-client-cert"
SHOP = "service/shop"


def escaped(client):
    return urllib.parse.quote(client[1].decode(), safe="")


def refused(w):
    import re
    import urllib.request
    text = urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s/metrics" % w.env["HTTP"], timeout=10).read().decode()
    return {c: int(n) for c, n in re.findall(r'orderd_auth_refused_total\{cause="(\w+)"\} (\d+)', text)}


def certificate__is_its_uri_on_both_ways(w):
    for way in w.ways:
        with w.connect(way, client=w.client(SHOP)) as on:
            assert w.outcome(on) == "NOT_FOUND", way
        with w.connect(way, client=w.client("mes/packer-3")) as on:
            assert w.outcome(on) == "PERMISSION_DENIED", "it is a mes's, and they do not look at orders: " + way
        with w.connect(way, client=w.clients.issue("x", "DNS:shop.example")) as on:
            assert w.outcome(on) == "UNAUTHENTICATED", way
        two = "URI:orderd://tenant/1/role/service/a,URI:orderd://tenant/2/role/service/a"
        with w.connect(way, client=w.clients.issue("x", two)) as on:
            assert w.outcome(on) == "UNAUTHENTICATED", way
        with w.connect(way) as on:
            assert w.outcome(on) == "UNAUTHENTICATED", way


def header_of_a_callers_own__is_not_passed_on(w):
    forged = escaped(w.client("ops_admin/root"))
    before = refused(w).get("missing", 0)
    for n, name in enumerate((HEADER, "X-Orderd-Client-Cert".lower(), "x_orderd_client_cert")):
        with w.connect("edge") as on:
            assert w.outcome(on, [(name, forged)]) == "UNAUTHENTICATED", name
            assert w.outcome(on, [(name, forged), (name, forged)]) == "UNAUTHENTICATED", name
        assert refused(w)["missing"] == before + 2 * (n + 1), "nothing of it was passed on: %s" % refused(w)
    # Beside a certificate of one's own it changes nothing either.
    with w.connect("edge", client=w.client("mes/packer-3")) as on:
        assert w.outcome(on, [(HEADER, forged)]) == "PERMISSION_DENIED"


def header_on_another_listener__is_believed_by_nobody(w):
    forged = escaped(w.client("service/shop"))
    before = refused(w).get("not_taken", 0)
    with grpc.insecure_channel(w.env["GRPC"]) as on:
        assert w.outcome(on, [(HEADER, forged)]) == "UNAUTHENTICATED"
    with w.connect("direct") as on:
        assert w.outcome(on, [(HEADER, forged)]) == "UNAUTHENTICATED"
    with w.connect("direct", client=w.client(SHOP)) as on:
        assert w.outcome(on, [(HEADER, forged)]) == "UNAUTHENTICATED", "who tells lies is not believed at all"
    assert refused(w)["not_taken"] == before + 3, refused(w)
    # On the edge's own socket it is: that is why only the edge may get there.
    path = os.path.join(w.env["SOCKETS"], "edge.sock")
    assert os.stat(path).st_mode & 0o777 == 0o660
    with grpc.insecure_channel("unix:" + path) as on:
        assert w.outcome(on, [(HEADER, forged)]) == "NOT_FOUND"
        assert w.outcome(on, [(HEADER, forged), (HEADER, forged)]) == "UNAUTHENTICATED", "which of them?"
        for bad in ("", "%", "%2", "%zz", "nonsense", forged[:-200], forged.replace("MII", "MIJ"), "x" * 20000):
            assert w.outcome(on, [(HEADER, bad)]) == "UNAUTHENTICATED", bad[:40]
        expired = escaped(w.client(SHOP, days=-1))
        assert w.outcome(on, [(HEADER, expired)]) == "UNAUTHENTICATED", "it was good when the connection began"


def certificate_as_a_token__is_none(w):
    # The edge's word for it is remembered; somebody who has the certificate but not its key must not use that.
    shop = w.client(SHOP)
    with w.connect("edge", client=shop) as on:
        assert w.outcome(on) == "NOT_FOUND"
    for way in w.ways:
        with w.connect(way) as on:
            assert w.outcome(on, bearer(escaped(shop))) == "UNAUTHENTICATED", way


def denied_certificate__is_refused_on_both_ways(w):
    till = w.client("service/till-4")
    with w.connect("direct", client=till) as direct, w.connect("edge", client=till) as edge:
        assert (w.outcome(direct), w.outcome(edge)) == ("NOT_FOUND", "NOT_FOUND")
        w.deny("orderd://tenant/1/role/service/till-4")
        w.servers("kill", w.dir, "orderd", "HUP")
        w.until(lambda: w.outcome(edge) == "UNAUTHENTICATED", "the new list")
        assert w.outcome(direct) == "UNAUTHENTICATED"
    w.deny()
    w.servers("kill", w.dir, "orderd", "HUP")


def foreign_or_old_certificate__is_told_so_by_the_edge(w):
    foreign = Authority(os.path.join(w.scratch, "foreign"), "foreign-ca")
    for client in (foreign.issue("evil", "URI:orderd://tenant/1/role/service/shop"), w.client(SHOP, days=-1)):
        with w.connect("edge", client=client) as on:
            try:
                w.ask(on, bearer(w.token()))
                raise AssertionError("it was believed")
            except grpc.RpcError as e:
                assert (e.code().name, e.details()) == ("UNAUTHENTICATED", "edge: the client certificate is not valid here"), e


def methods__of_orderd_and_health_alone_are_let_through(w):
    def status(on, path, message=b""):
        try:
            on.unary_unary(path)(message, metadata=w.metadata, timeout=20)
        except grpc.RpcError as e:
            return e.code().name, e.details()
        return "OK", ""

    with w.connect("edge") as on:
        assert status(on, "/grpc.health.v1.Health/Check")[0] == "OK"
        for path in ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                     "/orderd.v2.OrderService/GetOrder", "/", "/x", "/orderd.v1.OrderService/GetOrder/x", "/orderd.v1.OrderService/",
                     "/grpc.health.v1.Health/../grpc.reflection.v1.ServerReflection/ServerReflectionInfo"):
            assert status(on, path) == ("UNIMPLEMENTED", "edge: no such method"), (path, status(on, path))
        code, why = status(on, "/orderd.v1.OrderService/Nothing")
        assert code == "UNIMPLEMENTED" and "edge" not in why, "that is orderd's to say: " + why
        # A path that leads out of everything is none; and what nginx would take for the method and orderd would not.
        assert status(on, "/grpc.health.v1.Health/../../x") == ("INTERNAL", "edge: not a request of HTTP/2")
        assert status(on, "/x/../orderd.v1.OrderService/GetOrder")[0] == "UNIMPLEMENTED"


def what_nginx_says__is_a_status_of_grpc(w):
    def refusal(metadata, request):
        try:
            on.unary_unary("/orderd.v1.OrderService/PlaceOrder", type(request).SerializeToString,
                           w.pb["order_service"].PlaceOrderResponse.FromString)(request, metadata=metadata, timeout=20)
        except grpc.RpcError as e:
            return e.code().name, e.details()
        raise AssertionError("it was taken")

    with w.connect("edge") as on:
        large = w.order_request(customer="x" * 2_000_000)
        assert refusal(w.metadata, large) == ("RESOURCE_EXHAUSTED", "edge: larger than is taken")
        assert w.outcome(on, w.metadata) == "NOT_FOUND", "its connection serves on"
        with w.connect("edge") as other:
            assert w.outcome(other, w.metadata) == "NOT_FOUND"
            # nginx ends the connection that a header of more than 8 KiB comes on: its caller's, and nobody else's.
            assert refusal(w.metadata + [("x-much", "y" * 9000)], w.order_request())[0] == "UNAVAILABLE"
            assert w.outcome(other, w.metadata) == "NOT_FOUND"
            assert w.outcome(other, w.metadata + [("x-much", "y" * 7000), ("x-more", "z" * 7000)]) == "NOT_FOUND"
        w.kill("orderd")
        try:
            for _ in range(3):
                assert refusal(w.metadata, w.order_request()) == ("UNAVAILABLE", "edge: orderd cannot be reached")
        finally:
            w.again("orderd")
        w.until(lambda: w.outcome(on, w.metadata) == "NOT_FOUND", "orderd behind the same edge")


def watch__goes_through_as_it_comes_and_ends_with_the_order(w):
    svc = w.pb["order_service"]
    for way in w.ways:
        with w.connect(way, client=w.client(SHOP)) as on:
            placed = on.unary_unary("/orderd.v1.OrderService/PlaceOrder", svc.PlaceOrderRequest.SerializeToString,
                                    svc.PlaceOrderResponse.FromString)(w.order_request(), timeout=20).order.order_id
            kinds = [m.event.kind for m in on.unary_stream("/orderd.v1.OrderService/WatchOrder", svc.WatchOrderRequest.SerializeToString,
                                                           svc.WatchOrderResponse.FromString)(
                svc.WatchOrderRequest(order_id=placed), timeout=60) if m.WhichOneof("what") == "event"]
        assert kinds[0] == "placed" and kinds[-1] == "completed", (way, kinds)


def http_1__is_hung_up_on(w):
    import ssl
    context = ssl.create_default_context(cafile=w.edge_file("ca.pem"))
    host, port = w.env["EDGE"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as tcp, context.wrap_socket(tcp, server_hostname="localhost") as tls:
        tls.sendall(b"POST /orderd.v1.OrderService/GetOrder HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert tls.recv(100) == b""


def edge_listener__needs_a_socket_and_callers_who_are_known(w):
    settings = {k: v for k, v in own(w).items() if not k.startswith(("tls_", "jwt_", "api_key", "auth"))}
    for listen, auth, why in (("edge:127.0.0.1:0", "required", "unix:/path"), ("edge:unix:", "required", "unix:/path"),
                              ("edge:unix:/tmp/x", "none", "nobody is asked"), ("edge:tls:127.0.0.1:0", "required", "unix:/path")):
        code, out, err = start(w, "orderd", "--config=" + write(w, {**settings, "listen": listen, "auth": auth}))
        assert (code, out) == (2, "") and ": listen: " in err and why in err, (listen, code, err)
    # Alone it is enough: the certificates it tells of are who is believed.
    path = os.path.join(w.scratch, "alone.sock")
    alone = write(w, {**settings, "listen": "edge:unix:" + path, "auth": "required", "http_listen": "127.0.0.1:0", "webhook_listen": ""})
    with subprocess.Popen([program(w, "orderd"), "--config=" + alone], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout.readline() == "listening edge=unix:%s\n" % path
            with grpc.insecure_channel("unix:" + path) as on:
                metadata = [(HEADER, escaped(w.client(SHOP)))]
                w.until(lambda: w.outcome(on, metadata) == "NOT_FOUND", "its database")
                assert w.outcome(on) == "UNAUTHENTICATED"
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


if __name__ == "__main__":
    run(certificate__is_its_uri_on_both_ways, header_of_a_callers_own__is_not_passed_on, header_on_another_listener__is_believed_by_nobody,
        certificate_as_a_token__is_none, denied_certificate__is_refused_on_both_ways, foreign_or_old_certificate__is_told_so_by_the_edge,
        methods__of_orderd_and_health_alone_are_let_through, what_nginx_says__is_a_status_of_grpc,
        watch__goes_through_as_it_comes_and_ends_with_the_order, http_1__is_hung_up_on,
        edge_listener__needs_a_socket_and_callers_who_are_known, kind=EdgeWorld)
