"""Three implementations of gRPC that share no code (C core, grpc-js, connect-go in buf), each with every kind of credential,
on both ways to orderd: an order is placed, read, watched to its end, and an error is told by its field.  Then everything that is
no credential, by each of them on both ways."""
import base64
import glob
import json
import os
import subprocess
import sys
import time
import uuid

import grpc

from credentials import Authority, Issuer, read
from edge import EdgeWorld, bearer, hs256
from world import ROOT, details_of, run

NODE = glob.glob(os.path.join(ROOT, "tests/node/node_modules/node-linux-*/bin/node"))
BUF = glob.glob(os.path.join(ROOT, "tests/node/node_modules/@bufbuild/buf-linux-*/bin/buf"))
SCRIPTS = os.path.join(ROOT, "tests", "e2e", "node")
NOTHING = "01890000-0000-7000-8000-000000000000"
HANDSHAKE_MS = 4000  # a call whose connection does not come about ends with its deadline, at some clients


def clean_environment(**more):
    return {**{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}, **more}


class Credential:
    def __init__(self, token=None, client=None):
        self.token, self.client = token, client


class Python:
    def __init__(self, w):
        self.w, self.svc = w, w.pb["order_service"]

    def connect(self, way, credential):
        key, cert = credential.client or (None, None)
        tls = grpc.ssl_channel_credentials(read(self.w.edge_file("ca.pem")), key, cert)
        if credential.token:
            tls = grpc.composite_channel_credentials(tls, grpc.access_token_call_credentials(credential.token))
        return grpc.secure_channel(self.w.ways[way], tls, options=[("grpc.use_local_subchannel_pool", 1)])

    def story(self, way, credential):
        svc = self.svc
        with self.connect(way, credential) as on:
            place = on.unary_unary("/orderd.v1.OrderService/PlaceOrder", svc.PlaceOrderRequest.SerializeToString, svc.PlaceOrderResponse.FromString)
            watch = on.unary_stream("/orderd.v1.OrderService/WatchOrder", svc.WatchOrderRequest.SerializeToString, svc.WatchOrderResponse.FromString)
            placed = place(self.w.order_request(), timeout=30).order.order_id
            found = self.w.ask(on, order_id=placed).order.order_id
            try:
                place(self.w.order_request(lines=()), timeout=30)
                raise AssertionError("an order of nothing was placed")
            except grpc.RpcError as e:
                reason, _, fields = details_of(e)
                code = e.code().name
            kinds = [m.event.kind for m in watch(svc.WatchOrderRequest(order_id=placed), timeout=60) if m.WhichOneof("what") == "event"]
        return {"placed": placed, "found": found, "kinds": kinds, "code": code, "reason": reason, "fields": list(fields)}

    def ask(self, way, credentials):
        codes = []
        for credential in credentials:
            with self.connect(way, credential) as on:
                codes.append(self.w.outcome(on, timeout=HANDSHAKE_MS / 1000))
        return codes


class Node:
    def __init__(self, w):
        self.w = w

    def told(self, way, cases):
        def plain(case):
            client = case.pop("credential").client or (None, None)
            return {**case, "key": client[0] and client[0].decode(), "cert": client[1] and client[1].decode()}
        done = subprocess.run([NODE[0], os.path.join(SCRIPTS, "caller.js")], input=json.dumps([plain(c) for c in cases]), text=True, timeout=240,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(GRPC=self.w.ways[way], CA=self.w.edge_file("ca.pem")))
        assert done.returncode == 0, done.stderr[-3000:]
        got = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(got) == len(cases), (done.stdout, done.stderr[-3000:])
        return got

    def story(self, way, credential):
        return self.told(way, [{"task": "story", "token": credential.token, "credential": credential}])[0]

    def ask(self, way, credentials):
        return self.told(way, [{"task": "ask", "token": c.token, "credential": c, "deadline_ms": HANDSHAKE_MS} for c in credentials])


class Buf:
    """buf curl: each call is a program of its own."""

    def __init__(self, w):
        self.w = w

    def call(self, way, credential, method, request, timeout_s=60):
        args = [BUF[0], "curl", "--protocol", "grpc", "--schema", ".", "--cacert", self.w.edge_file("ca.pem"), "-d", json.dumps(request)]
        if credential.token:
            args += ["-H", "authorization: Bearer " + credential.token]
        if credential.client:
            for name, content in zip(("key", "cert"), credential.client):
                path = os.path.join(self.w.scratch, "buf." + name)
                with open(path, "wb") as f:
                    f.write(content)
                args += ["--" + name, path]
        done = subprocess.run(args + ["https://%s/orderd.v1.OrderService/%s" % (self.w.ways[way], method)], cwd=os.path.join(ROOT, "api"), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s, env=clean_environment(XDG_CACHE_HOME=self.w.scratch))
        if done.returncode == 0:
            return "OK", [json.loads(part) for part in objects(done.stdout)]
        try:
            error = json.loads(done.stderr)
        except ValueError:
            raise AssertionError("buf curl: " + done.stderr[-2000:]) from None
        return error["code"].upper(), error

    def story(self, way, credential):
        address = {"name": "Ada Example", "street": "Ring 1", "city": "Hamburg", "postalCode": "20095", "countryCode": "DE"}
        request = {"requestId": str(uuid.uuid4()), "customer": "buf", "paymentMethod": "pm_card_visa", "shipTo": address,
                   "lines": [{"sku": "mug", "quantity": 1}]}
        code, answer = self.call(way, credential, "PlaceOrder", request)
        assert code == "OK", answer
        placed = answer[0]["order"]["orderId"]
        code, answer = self.call(way, credential, "GetOrder", {"orderId": placed})
        assert code == "OK", answer
        found = answer[0]["order"]["orderId"]
        watched = self.call(way, credential, "WatchOrder", {"orderId": placed})[1]
        code, error = self.call(way, credential, "PlaceOrder", {**request, "requestId": str(uuid.uuid4()), "lines": []})
        details = {d["type"]: d for d in error["details"]}
        return {"placed": placed, "found": found, "kinds": [m["event"]["kind"] for m in watched if "event" in m], "code": code,
                **from_details(details)}

    def ask(self, way, credentials):
        return [self.call(way, c, "GetOrder", {"orderId": NOTHING})[0] for c in credentials]


def from_details(details):
    from google.rpc import error_details_pb2 as kinds
    info, bad = kinds.ErrorInfo(), kinds.BadRequest()
    for message, name in ((info, "google.rpc.ErrorInfo"), (bad, "google.rpc.BadRequest")):
        value = details[name]["value"]
        message.ParseFromString(base64.b64decode(value + "=" * (-len(value) % 4)))
    return {"reason": info.reason, "fields": [v.field for v in bad.field_violations]}


def objects(text):
    """The JSON objects of a text that has one behind the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = end + len(text[end:]) - len(text[end:].lstrip())


STACKS = {"python": Python, "node": Node, "buf": Buf}
CREDENTIALS = {
    "key": lambda w: Credential(token=w.key().credential),
    "token": lambda w: Credential(token=w.token()),
    "certificate": lambda w: Credential(client=w.client()),
}


def places_reads_and_watches(stack, kind, way):
    def story(w):
        got = STACKS[stack](w).story(way, CREDENTIALS[kind](w))
        assert got["placed"] == got["found"], got
        assert got["kinds"][0] == "placed" and got["kinds"][-1] == "completed", got
        assert (got["code"], got["reason"], got["fields"]) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", ["lines"]), got
    story.__name__ = "%s__%s__%s__places_reads_watches_and_is_told_the_field" % (stack, kind, way)
    return story


def faults(w):
    """{what is wrong: a credential with it}."""
    now = int(time.time())
    stranger = Issuer(w.issuer_dir, "key-9")
    stranger.kid = "key-1"
    foreign = Authority(os.path.join(w.scratch, "foreign"), "foreign-ca")
    revoked = w.key("lost")
    svc = w.pb["key_service"]
    w.call("KeyService", "RevokeKey", svc.RevokeKeyRequest(key_id=revoked.key.key_id))
    with w.connect("direct") as on:
        w.until(lambda: w.outcome(on, bearer(revoked.credential)) == "UNAUTHENTICATED", "the key's end")
    other_secret = revoked.credential.rsplit("_", 1)[0] + "_" + "A" * 43
    uri = "URI:orderd://tenant/1/role/service/till-9"
    tokens = {
        "none": None, "expired": w.token(exp=now - 300), "not yet valid": w.token(nbf=now + 300), "forged": stranger.token(w.claims()),
        "alg none": w.issuer.token(w.claims(), alg="none"), "HS256 with the public key": hs256(w, w.claims()),
        "wrong audience": w.token(aud="other"), "wrong issuer": w.token(iss="https://evil.example"),
        "unknown kid": w.issuer.token(w.claims(), kid="nobody"), "a revoked key": revoked.credential, "another secret": other_secret,
        "a denied token": w.token(jti="stolen-1"), "a role that is not the issuer's to give": w.token(role="ops_admin"),
    }
    found = {name: Credential(token=token) for name, token in tokens.items()}
    found["a denied certificate"] = Credential(client=w.clients.issue("till", uri))
    found["a certificate of nobody"] = Credential(client=w.clients.issue("x", "DNS:shop.example"))
    found["a foreign CA's certificate"] = Credential(client=foreign.issue("evil", "URI:orderd://tenant/1/role/service/shop"))
    found["an expired certificate"] = Credential(client=w.client(days=-1))
    w.deny("stolen-1", uri[len("URI:"):])
    w.servers("kill", w.dir, "orderd", "HUP")
    with w.connect("direct") as on:
        w.until(lambda: w.outcome(on, bearer(tokens["a denied token"])) == "UNAUTHENTICATED", "the new list")
    return found


# Direct, these do not get as far as a call: TLS has no words for it that every client understands.
ENDS_THE_HANDSHAKE = ("a foreign CA's certificate", "an expired certificate")


def is_let_in_with_none_of_them(stack, way):
    def story(w):
        if not hasattr(w, "faults"):
            w.faults = faults(w)
        got = dict(zip(w.faults, STACKS[stack](w).ask(way, w.faults.values())))
        for name, code in got.items():
            if way == "direct" and name in ENDS_THE_HANDSHAKE:
                assert code in ("UNAVAILABLE", "CANCELED", "DEADLINE_EXCEEDED"), (name, got)
            else:
                assert code == "UNAUTHENTICATED", (name, got)
        assert STACKS[stack](w).ask(way, [Credential(token=w.token())]) == ["NOT_FOUND"]
    story.__name__ = "%s__%s__is_let_in_with_none_of_the_faults" % (stack, way)
    return story


if __name__ == "__main__":
    if not NODE or not BUF or not os.path.isdir(os.path.join(SCRIPTS, "node_modules", "@grpc")):
        print("npm ci has not been run in tests/node and tests/e2e/node: ./dev test sees to both")
        sys.exit(77)
    run(*(places_reads_and_watches(stack, kind, way) for stack in STACKS for kind in CREDENTIALS for way in ("direct", "edge")),
        *(is_let_in_with_none_of_them(stack, way) for stack in STACKS for way in ("direct", "edge")), kind=EdgeWorld)
