"""A world whose orderd asks who calls, with two ways to it: its own TLS listener, and the nginx of deploy/nginx in front.

Both show the same certificate and ask for client certificates of the same CA, so what a caller does goes through either:

    with EdgeWorld() as w:
        for way in w.ways:
            with w.connect(way, client=w.client("service/shop")) as channel: ...
"""
import json
import os
import secrets
import time
import uuid

import grpc

from credentials import Authority, Issuer, openssl, read, replace
from world import World

ISSUER, AUDIENCE = "https://id.shop.example", "orderd"
# Freed memory that ASan holds back would be taken for memory in use.
ENVIRONMENT = {"SERVERS_EDGE": "1", "SERVERS_EDGE_DIRECT": "1", "ASAN_OPTIONS": "quarantine_size_mb=8"}


class EdgeWorld(World):
    def __init__(self, edge_args="", config="", env=None):
        """edge_args: words of edge-conf."""
        super().__init__(config=config, env={**ENVIRONMENT, "SERVERS_EDGE_ARGS": edge_args, **(env or {})})
        self.issuer_dir = os.path.join(self.scratch, "issuer")
        os.makedirs(self.issuer_dir)
        self.issuer = Issuer(self.issuer_dir, "key-1")
        replace(self.path("jwks.json"), json.dumps({"keys": [self.issuer.jwk()]}).encode())
        self.deny()
        with open(self.extra, "a") as f:
            f.write("jwt_jwks_file = %s\njwt_issuer = %s\njwt_audience = %s\njwt_roles = service\nauth_deny_file = %s\n" % (
                self.path("jwks.json"), ISSUER, AUDIENCE, self.path("deny")))

    def stock_up(self):
        # The key that the servers were started with is known when the keys were first read.
        self.until(lambda: self.outcome(self.channel, self.metadata) == "NOT_FOUND", "the first key")
        super().stock_up()
        self.clients = Certifier(self)

    @property
    def ways(self):
        return {"direct": self.env["GRPCS"], "edge": self.env["EDGE"]}

    def path(self, name):
        return os.path.join(self.issuer_dir, name)

    def edge_file(self, name):
        return os.path.join(self.env["DATA"], "edge", name)

    # ---- credentials

    def deny(self, *names):
        replace(self.path("deny"), "".join(n + "\n" for n in names).encode())

    def claims(self, **more):
        now = int(time.time())
        claims = dict(iss=ISSUER, aud=AUDIENCE, sub="shop-7", exp=now + 600, iat=now, jti=secrets.token_hex(8), tenant=1, role="service")
        claims.update(more)
        return {k: v for k, v in claims.items() if v is not None}

    def token(self, **more):
        return self.issuer.token(self.claims(**more))

    def key(self, name="shop", role="SERVICE"):
        svc = self.pb["key_service"]
        made = self.call("KeyService", "CreateKey", svc.CreateKeyRequest(request_id=str(uuid.uuid4()), name=name + "-" + secrets.token_hex(3),
                                                                         role=svc.Role.Value("ROLE_" + role)))
        with self.connect("direct") as on:
            self.until(lambda: self.outcome(on, bearer(made.credential)) == "NOT_FOUND", "the new key")
        return made

    def client(self, who="service/shop", **more):
        """(key, certificate) as PEM."""
        return self.clients.issue("client", "URI:orderd://tenant/1/role/" + who, **more)

    # ---- calls

    def connect(self, way, client=None, target=None):
        key, cert = client or (None, None)
        creds = grpc.ssl_channel_credentials(read(self.edge_file("ca.pem")), key, cert)
        return grpc.secure_channel(target or self.ways[way], creds, options=[("grpc.use_local_subchannel_pool", 1)])

    def ask(self, on, metadata=(), timeout=20, order_id=None):
        """GetOrder, of nothing if not told otherwise."""
        svc = self.pb["order_service"]
        return on.unary_unary("/orderd.v1.OrderService/GetOrder", svc.GetOrderRequest.SerializeToString, svc.GetOrderResponse.FromString)(
            svc.GetOrderRequest(order_id=order_id or "01890000-0000-7000-8000-000000000000"), metadata=metadata, timeout=timeout)

    def outcome(self, *args, **kwargs):
        try:
            self.ask(*args, **kwargs)
        except grpc.RpcError as e:
            return e.code().name
        return "OK"


class Certifier(Authority):
    """The CA of client certificates that the servers were started with."""

    def __init__(self, w):
        self.directory, self.n = os.path.join(w.scratch, "clients"), 0
        os.makedirs(self.directory)
        self.key, self.cert = w.edge_file("clients.key"), w.edge_file("clients.pem")


def bearer(credential):
    return [("authorization", "Bearer " + credential)]


def hs256(w, claims):
    """A token whose secret is the issuer's public key, which everybody has."""
    import hashlib
    import hmac

    from credentials import b64
    pem = openssl("pkey", "-in", w.issuer.key, "-pubout")
    text = b64(json.dumps({"alg": "HS256", "kid": w.issuer.kid, "typ": "at+jwt"}).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(hmac.new(pem, text.encode(), hashlib.sha256).digest())
