"""Who calls: certificates and tokens over TLS, and everything that is not good enough."""
import json
import os
import secrets
import signal
import ssl
import socket
import time

import grpc

from credentials import Authority, Issuer, replace
from programs import Running, own, start, write
from world import run, details_of

SENTENCE = "credentials are missing or not valid"
ISSUER, AUDIENCE = "https://id.shop.example", "orderd"


class Setup:
    """What a server with auth=required is given, in files of its own."""

    def __init__(self, w, **settings):
        self.w = w
        self.dir = os.path.join(w.scratch, "auth-%s" % secrets.token_hex(4))
        self.ca = Authority(self.dir, "server-ca")
        self.clients = Authority(self.dir, "client-ca")
        self.issuer = Issuer(self.dir, "key-1")
        self.renew()
        replace(self.path("clients.pem"), self.read(self.clients.cert))
        self.trust(self.issuer)
        self.deny()
        self.settings = dict(auth="required", listen="tls:127.0.0.1:0", http_listen="127.0.0.1:0",
                             tls_cert_file=self.path("server.pem"), tls_key_file=self.path("server.key"),
                             tls_client_ca_file=self.path("clients.pem"), jwt_jwks_file=self.path("jwks.json"),
                             jwt_issuer=ISSUER, jwt_audience=AUDIENCE, auth_deny_file=self.path("deny"))
        self.settings.update(settings)

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def renew(self, authority=None, **more):
        key, cert = (authority or self.ca).issue("orderd", "DNS:localhost,IP:127.0.0.1", **more)
        replace(self.path("server.key"), key)
        replace(self.path("server.pem"), cert)

    def trust(self, *issuers):
        replace(self.path("jwks.json"), json.dumps({"keys": [i.jwk() for i in issuers]}).encode())

    def deny(self, *names):
        replace(self.path("deny"), "".join(n + "\n" for n in names).encode())

    def args(self):
        return ["--%s=%s" % (name.replace("_", "-"), value) for name, value in self.settings.items()]

    def run(self):
        return Running(self.w, "orderd", *self.args())

    def claims(self, **more):
        now = int(time.time())
        claims = dict(iss=ISSUER, aud=AUDIENCE, sub="user-7", exp=now + 600, iat=now, jti=secrets.token_hex(8), tenant=1, role="customer")
        claims.update(more)
        return {k: v for k, v in claims.items() if v is not None}

    def token(self, **more):
        return self.issuer.token(self.claims(**more))


def channel(setup, address, ca=None, client=None):
    """client: (key, certificate) as PEM."""
    key, cert = client or (None, None)
    creds = grpc.ssl_channel_credentials(setup.read(ca or setup.ca.cert), key, cert)
    return grpc.secure_channel(address, creds, options=[("grpc.use_local_subchannel_pool", 1)])


def ask(w, on, token=None, header=None, timeout=20):
    """GetOrder of nothing: its status, or KNOWN when it is what somebody who is known hears, whatever their role may."""
    svc = w.pb["order_service"]
    metadata = [] if token is None and header is None else [("authorization", header or "Bearer " + token)]
    method = on.unary_unary("/orderd.v1.OrderService/GetOrder", svc.GetOrderRequest.SerializeToString, svc.GetOrderResponse.FromString)
    try:
        method(svc.GetOrderRequest(order_id="01890000-0000-7000-8000-000000000000"), metadata=metadata, timeout=timeout)
    except grpc.RpcError as e:
        if e.code() == grpc.StatusCode.UNAUTHENTICATED:
            assert e.details() == SENTENCE and details_of(e) == ("UNAUTHENTICATED", {}, {}), (e.details(), details_of(e))
        return "KNOWN" if e.code().name in ("NOT_FOUND", "PERMISSION_DENIED") else e.code().name
    raise AssertionError("an order that nobody placed was found")


def refused(running):
    """{cause: number} of the metric auth_refused."""
    import re
    import urllib.request
    text = urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s/metrics" % running.addresses["http"], timeout=10).read().decode()
    return {c: int(n) for c, n in re.findall(r'orderd_auth_refused_total\{cause="(\w+)"\} (\d+)', text)}


def log_of(running):
    running.errors.flush()
    with open(running.errors.name, errors="replace") as f:
        return f.read()


def good_token__is_known_and_nothing_else_is(w):
    s = Setup(w)
    other, edward = Issuer(s.dir, "key-1b"), Issuer(s.dir, "key-2", "EdDSA")
    s.trust(s.issuer, edward)
    now = int(time.time())
    with s.run() as server, channel(s, server.addresses["grpcs"]) as on:
        assert ask(w, on, s.token()) == "KNOWN"
        assert ask(w, on, edward.token(s.claims(aud=["x", AUDIENCE]))) == "KNOWN"
        assert ask(w, on, s.token(exp=now - 30)) == "KNOWN", "within the leeway"
        other.kid = "key-1"
        good = s.token()
        flipped = good[:-3] + ("A" if good[-3] != "A" else "B") + good[-2:]
        cases = [("missing", None, {}), ("malformed", None, {"header": "Basic dXNlcjpwdw=="}), ("malformed", "a.b", {}),
                 ("not_taken", "ord_0000000000000000_" + "A" * 43, {}),
                 ("expired", s.token(exp=now - 120), {}), ("not_yet_valid", s.token(nbf=now + 300), {}),
                 ("too_long_lived", s.token(exp=now + 86400), {}), ("wrong_issuer", s.token(iss="https://evil.example"), {}),
                 ("wrong_audience", s.token(aud="other"), {}), ("wrong_type", s.issuer.token(s.claims(), typ="JWT"), {}),
                 ("unknown_key", s.issuer.token(s.claims(), kid="nobody"), {}), ("forged", other.token(s.claims()), {}),
                 ("forged", s.issuer.token(s.claims(), alg="EdDSA"), {}), ("forged", s.issuer.token(s.claims(), alg="none"), {}),
                 ("forged", flipped, {}), ("wrong_role", s.token(role="ops_admin"), {}), ("wrong_claims", s.token(tenant=None), {}),
                 ("too_large", s.token(more="x" * 4096), {})]
        for cause, token, more in cases:
            before = refused(server).get(cause, 0)
            assert ask(w, on, token, **more) == "UNAUTHENTICATED", cause
            assert refused(server).get(cause, 0) == before + 1, (cause, refused(server))
        log = log_of(server)
        assert "cause=forged" in log and good not in log and flipped not in log and "Bearer" not in log, log
        assert server.end() == 0


def token_of_a_customer__reaches_its_own_orders_within_its_scopes(w):
    s, svc = Setup(w), w.pb["order_service"]
    order = w.place(customer="user-7").order_id
    with s.run() as server, channel(s, server.addresses["grpcs"]) as on:
        def call(method, request, **claims):
            answer = getattr(svc, method + "Response")
            rpc = on.unary_unary("/orderd.v1.OrderService/" + method, type(request).SerializeToString, answer.FromString)
            try:
                return rpc(request, metadata=[("authorization", "Bearer " + s.token(**claims))], timeout=20).order.order_id
            except grpc.RpcError as e:
                return details_of(e)[0]

        get, cancel = svc.GetOrderRequest(order_id=order), svc.CancelOrderRequest(order_id=order, request_id="1")
        assert call("GetOrder", get) == order == call("GetOrder", get, scope="openid orders:read")
        assert call("GetOrder", get, sub="user-8") == "NOT_FOUND" == call("GetOrder", get, tenant=2)
        assert call("CancelOrder", cancel, sub="user-8") == "NOT_FOUND"
        assert call("CancelOrder", cancel, scope="openid orders:read") == "SCOPE_MISSING" == call("GetOrder", get, scope="openid")
        assert call("CancelOrder", svc.CancelOrderRequest(order_id=order), scope="orders:write") == "INVALID_ARGUMENT"
        assert server.end() == 0


def token_that_was_known__expires_all_the_same(w):
    s = Setup(w)
    with s.run() as server, channel(s, server.addresses["grpcs"]) as on:
        for left_s in (3, 10, 30):  # of the leeway; so short that a busy machine may need more
            token = s.token(exp=int(time.time()) - 60 + left_s)
            if ask(w, on, token) == "KNOWN":
                break
        w.until(lambda: ask(w, on, token) == "UNAUTHENTICATED", "its end")
        assert refused(server).get("expired", 0) >= 1
        assert server.end() == 0


def health__is_told_to_everybody_and_reflection_is_not(w):
    from grpc.health.v1 import health_pb2
    s = Setup(w)
    with s.run() as server, channel(s, server.addresses["grpcs"]) as on:
        check = on.unary_unary("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest.SerializeToString,
                               health_pb2.HealthCheckResponse.FromString)
        w.until(lambda: check(health_pb2.HealthCheckRequest(), timeout=10).status == health_pb2.HealthCheckResponse.SERVING, "SERVING")
        for path in ("/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"):
            try:
                list(on.stream_stream(path)(iter([b""]), timeout=10))
                raise AssertionError(path)
            except grpc.RpcError as e:
                assert e.code().name == "UNAUTHENTICATED", (path, e)
        assert server.end() == 0


def client_certificate__is_its_uri(w):
    s = Setup(w)
    foreign = Authority(s.dir, "foreign-ca")
    good = "URI:orderd://tenant/1/role/mes/packer-3"
    with s.run() as server:
        def try_with(client, **more):
            with channel(s, server.addresses["grpcs"], client=client) as on:
                return ask(w, on, **more)

        assert try_with(s.clients.issue("a", good)) == "KNOWN"
        assert try_with(s.clients.issue("b", "DNS:packer," + good + ",URI:https://elsewhere.example")) == "KNOWN"
        assert try_with(None) == "UNAUTHENTICATED"
        for n, bad in enumerate(("DNS:packer", "URI:orderd://tenant/0/role/mes/x", "URI:orderd://tenant/1/role/king/x",
                                 "URI:orderd://tenant/1/role/mes/", "URI:orderd://tenant/1/role/mes/a/b",
                                 "URI:spiffe://tenant/1/role/mes/x", good + ",URI:orderd://tenant/2/role/mes/x")):
            assert try_with(s.clients.issue("bad%d" % n, bad)) == "UNAUTHENTICATED", bad
        assert refused(server) == {"no_identity": 7, "missing": 1}, refused(server)
        # Whom no CA of ours has signed does not get as far as a call; nor does one that has expired.
        assert try_with(foreign.issue("evil", good), timeout=5) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
        assert try_with(s.clients.issue("old", good, days=-1), timeout=5) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
        # A header is its bearer's word: a certificate does not mend it, and a good one is what counts.
        client = s.clients.issue("c", good)
        assert try_with(client, token="nonsense") == "UNAUTHENTICATED"
        assert try_with(client, token=s.token()) == "KNOWN"
        assert server.end() == 0


def denied__though_it_is_good(w):
    s = Setup(w)
    uri = "orderd://tenant/1/role/service/till-4"
    client, token = s.clients.issue("till", "URI:" + uri), s.token(jti="stolen-1")
    with s.run() as server, channel(s, server.addresses["grpcs"]) as bare, channel(s, server.addresses["grpcs"], client=client) as till:
        assert (ask(w, bare, token), ask(w, till)) == ("KNOWN", "KNOWN")
        s.deny("# lost on the train", "stolen-1", uri)
        server.process.send_signal(signal.SIGHUP)
        w.until(lambda: "credentials_reloaded setting=auth_deny_file" in log_of(server), "the new list")
        assert (ask(w, bare, token), ask(w, till)) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
        assert refused(server) == {"denied": 2}, refused(server)
        assert server.end() == 0


def serial_shown(address, ca):
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, int(port)), timeout=10) as tcp, context.wrap_socket(tcp, server_hostname="localhost") as tls:
        return tls.getpeercert()["serialNumber"], tls.version()


def new_certificate__is_shown_without_a_restart_and_a_bad_one_is_not(w):
    s = Setup(w, auth_reload_s=86400)  # nothing is read again but when it is told to, and so each complaint comes once
    with s.run() as server, channel(s, server.addresses["grpcs"]) as standing:
        address = server.addresses["grpcs"]
        assert ask(w, standing, s.token()) == "KNOWN"
        first, version = serial_shown(address, s.ca.cert)
        assert version in ("TLSv1.2", "TLSv1.3")
        s.renew()
        server.process.send_signal(signal.SIGHUP)
        w.until(lambda: serial_shown(address, s.ca.cert)[0] != first, "the new certificate")
        second, _ = serial_shown(address, s.ca.cert)
        assert ask(w, standing, s.token()) == "KNOWN", "a connection that stands is left alone"
        spoils = [("no private key", lambda: replace(s.path("server.key"), b"nonsense")),
                  ("not the key of", lambda: replace(s.path("server.key"), s.ca.issue("other", "")[0])),
                  ("has expired", lambda: s.renew(days=-1)),
                  ("a damaged certificate", lambda: (s.renew(), replace(s.path("server.pem"), s.read(s.path("server.pem"))[:-60]))),
                  ("a damaged certificate", lambda: (s.renew(), replace(s.path("server.pem"), s.read(s.path("server.pem")) * 2 + b"-----BEGIN CERTIFICATE-----\nAAAA\n"))),
                  ("tls_client_ca_file holds no", lambda: (s.renew(), replace(s.path("clients.pem"), b"\n"))),
                  ("No such file", lambda: os.unlink(s.path("server.pem")))]
        for n, (why, spoil) in enumerate(spoils):
            spoil()
            server.process.send_signal(signal.SIGHUP)
            w.until(lambda: log_of(server).count("credentials_kept setting=tls_cert_file") == n + 1, "a complaint that " + why)
            assert why in [line for line in log_of(server).splitlines() if "credentials_kept" in line][-1], (why, log_of(server)[-2000:])
            assert serial_shown(address, s.ca.cert)[0] == second
        # Another CA of the server's own: who trusts the old one alone is not fooled.
        replace(s.path("clients.pem"), s.read(s.clients.cert))
        other = Authority(s.dir, "other-ca")
        s.renew(other, algorithm=("rsa:2048",))
        server.process.send_signal(signal.SIGHUP)
        w.until(lambda: log_of(server).count("credentials_reloaded setting=tls_cert_file") == 2, "the new CA's")
        with channel(s, address, ca=other.cert) as on:
            assert ask(w, on, s.token()) == "KNOWN"
        with channel(s, address) as on:
            assert ask(w, on, s.token(), timeout=5) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
        assert server.end() == 0


def new_issuer_key__is_believed_and_the_old_one_no_longer(w):
    s = Setup(w, auth_reload_s=1)  # nobody sends a signal
    fresh = Issuer(s.dir, "key-2", "EdDSA")
    with s.run() as server, channel(s, server.addresses["grpcs"]) as on:
        old, new = s.token(), fresh.token(s.claims())
        assert (ask(w, on, old), ask(w, on, new)) == ("KNOWN", "UNAUTHENTICATED")
        s.trust(fresh)
        w.until(lambda: ask(w, on, new) == "KNOWN", "belief in the new key")
        assert ask(w, on, old) == "UNAUTHENTICATED", "it was checked by a key that is gone"
        replace(s.path("jwks.json"), b'{"keys": []}')
        w.until(lambda: "credentials_kept setting=jwt_jwks_file" in log_of(server), "a complaint")
        assert ask(w, on, new) == "KNOWN"
        assert server.end() == 0


def without_tls__callers_still_show_who_they_are(w):
    s = Setup(w, listen="tls:127.0.0.1:0,127.0.0.1:0")
    with s.run() as server, grpc.insecure_channel(server.addresses["grpc"]) as on:
        assert ask(w, on) == "UNAUTHENTICATED"
        assert ask(w, on, s.token()) == "KNOWN"
        with grpc.insecure_channel(server.addresses["grpcs"]) as plain:
            assert ask(w, plain, s.token(), timeout=5) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
        assert server.end() == 0


def silent_peer__is_hung_up_on(w):
    s = Setup(w)
    with s.run() as server:
        host, port = server.addresses["grpcs"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as tcp:
            assert tcp.recv(1) == b"", "a handshake that never begins ends"
        assert server.end() == 0


def settings_that_leave_the_door_open__are_refused(w):
    s = Setup(w)
    for field, value, why in (("auth", "maybe", "it must be"), ("listen", "0.0.0.0:0", "without tls:"), ("listen", "tls:unix:/x", "host:port"),
                              ("http_listen", "0.0.0.0:0", "it asks nobody"), ("tls_key_file", "", "required"), ("tls_cert_file", "", "required"),
                              ("tls_cert_file", "/nowhere", "No such file"), ("jwt_issuer", "", "required"), ("jwt_audience", "", "required"),
                              ("jwt_roles", "customer,king", "it is a list of"), ("jwt_jwks_file", s.path("server.pem"), "not JSON"),
                              ("api_key_pepper_file", s.path("deny"), "empty"), ("auth_deny_file", "/nowhere", "No such file")):
        settings = {**own(w), **s.settings, field: value}
        code, out, err = start(w, "orderd", "--config=" + write(w, settings))
        assert (code, out) == (2, "") and ": %s: " % field in err and why in err, (field, value, code, out, err)
    bare = {k: v for k, v in {**own(w), **s.settings}.items() if k not in ("jwt_jwks_file", "tls_client_ca_file")}
    code, _, err = start(w, "orderd", "--config=" + write(w, bare))
    assert code == 2 and ": auth: " in err and "who is believed" in err, err
    s.renew(days=-1)
    code, _, err = start(w, "orderd", "--config=" + write(w, {**own(w), **s.settings}))
    assert code == 2 and "has expired" in err, err


run(good_token__is_known_and_nothing_else_is, token_of_a_customer__reaches_its_own_orders_within_its_scopes, token_that_was_known__expires_all_the_same,
    health__is_told_to_everybody_and_reflection_is_not, client_certificate__is_its_uri,
    denied__though_it_is_good, new_certificate__is_shown_without_a_restart_and_a_bad_one_is_not,
    new_issuer_key__is_believed_and_the_old_one_no_longer, without_tls__callers_still_show_who_they_are, silent_peer__is_hung_up_on,
    settings_that_leave_the_door_open__are_refused)
