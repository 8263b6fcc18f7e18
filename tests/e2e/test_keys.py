"""API keys: made, used, changed for others, revoked; and PostgreSQL away."""
import os
import re
import secrets
import subprocess
import uuid

import grpc

from credentials import Authority, replace
from programs import Running, own, program, start, write
from world import details_of, run

ROLES = ("customer", "service", "mes", "ops_read", "ops_write", "ops_admin")


class Keyed:
    """A server that takes API keys, over TLS."""

    def __init__(self, w, *args):
        self.w, self.dir = w, os.path.join(w.scratch, "keys-" + secrets.token_hex(4))
        self.ca = Authority(self.dir, "ca")
        key, cert = self.ca.issue("orderd", "DNS:localhost,IP:127.0.0.1")
        for name, content in (("key", key), ("pem", cert), ("pepper", secrets.token_hex(32).encode())):
            replace(self.path(name), content)
        self.args = ("--auth=required", "--listen=tls:127.0.0.1:0", "--http-listen=127.0.0.1:0", "--tls-cert-file=" + self.path("pem"),
                     "--tls-key-file=" + self.path("key"), "--api-key-pepper-file=" + self.path("pepper"), *args)

    def path(self, name):
        return os.path.join(self.dir, name)

    def first(self, name):
        conf = "--config=" + os.path.join(self.w.env["DATA"], "orderd.conf")
        code, out, err = start(self.w, "orderd", conf, *self.args, "admin-key", name)
        return code, out.strip(), err

    def __enter__(self):
        self.w.sql("DELETE FROM api_key")
        code, self.root, err = self.first("root")
        assert code == 0 and re.fullmatch(r"ord_[0-9a-z]{16}_[A-Za-z0-9_-]{43}", self.root), (code, self.root, err)
        self.server = Running(self.w, "orderd", *self.args)
        with open(self.ca.cert, "rb") as f:
            creds = grpc.ssl_channel_credentials(f.read())
        self.channel = grpc.secure_channel(self.server.addresses["grpcs"], creds)
        self.w.until(lambda: self.outcome(self.root) == "NOT_FOUND", "the first key")
        return self

    def __exit__(self, kind, *_):
        self.channel.close()
        if kind is None:
            assert self.server.end() == 0
        self.server.__exit__()

    def call(self, credential, service, method, request):
        module = self.w.pb[service.replace("Service", "_service").lower()]
        return self.channel.unary_unary("/orderd.v1.%s/%s" % (service, method), type(request).SerializeToString,
                                        getattr(module, method + "Response").FromString)(
            request, metadata=[("authorization", "Bearer " + credential)], timeout=20)

    def refusal(self, *args):
        try:
            self.call(*args)
        except grpc.RpcError as e:
            return (e.code().name,) + details_of(e)
        raise AssertionError("it was not refused")

    def outcome(self, credential):
        return self.refusal(credential, "OrderService", "GetOrder",
                            self.w.pb["order_service"].GetOrderRequest(order_id=str(uuid.uuid4())))[0]

    def request(self, name, role="service", **fields):
        svc = self.w.pb["key_service"]
        fields.setdefault("request_id", str(uuid.uuid4()))
        return svc.CreateKeyRequest(name=name, role=svc.Role.Value("ROLE_" + role.upper()), **fields)

    def create(self, *args, **fields):
        answer = self.call(self.root, "KeyService", "CreateKey", self.request(*args, **fields))
        return answer.key, answer.credential

    def revoke(self, kid):
        return self.call(self.root, "KeyService", "RevokeKey", self.w.pb["key_service"].RevokeKeyRequest(key_id=kid))

    def list(self, **fields):
        return self.call(self.root, "KeyService", "ListKeys", self.w.pb["key_service"].ListKeysRequest(**fields))

    def becomes(self, credential, outcome):
        self.w.until(lambda: self.outcome(credential) == outcome, "%s of a key" % outcome, patience_s=20)


def key__is_told_once_and_kept_nowhere(w):
    with Keyed(w) as k:
        key, credential = k.create("shop", "service", scopes="orders:read orders:write")
        assert (key.name, key.scopes, key.created_by) == ("shop", "orders:read orders:write", "key:root"), key
        assert credential.startswith("ord_%s_" % key.key_id) and key.expire_time.seconds - key.create_time.seconds == 90 * 86400
        k.becomes(credential, "NOT_FOUND")
        order = k.call(credential, "OrderService", "PlaceOrder", w.order_request()).order
        assert w.sql("SELECT DISTINCT actor FROM order_event WHERE order_id = '%s' AND seq = 1" % order.order_id) == [("key:shop",)]
        w.until(lambda: w.number("SELECT count(*) FROM api_key WHERE kid = '%s' AND last_used_at IS NOT NULL" % key.key_id) == 1, "its use")
        listed = k.list().keys
        assert {x.name for x in listed} == {"root", "shop"} and not any(credential[-43:] in str(x) for x in listed)
        secret = credential[-43:]
        w.sql("CHECKPOINT")
        for place in (w.env["DATA"], w.scratch):
            found = subprocess.run(["grep", "-rlaF", secret, place], stdout=subprocess.PIPE, text=True).stdout
            assert found == "", found


def credential_a_little_wrong__is_refused(w):
    with Keyed(w) as k:
        _, good = k.create("shop")
        k.becomes(good, "NOT_FOUND")
        flipped = good[:-1] + ("A" if good[-1] != "A" else "E")
        for bad in (flipped, good[:-1], good + "A", "ord_" + "0" * 16 + good[20:], good.upper(), "ord_", "ord_" + "x" * 10000):
            assert k.outcome(bad) == "UNAUTHENTICATED", bad
        _, other = k.create("till")
        k.becomes(other, "NOT_FOUND")
        assert k.outcome(good[:21] + other[21:]) == "UNAUTHENTICATED", "one key's name, another's secret"


def key_revoked__is_refused_within_five_seconds(w):
    with Keyed(w) as k, Running(w, "orderd", *k.args) as second:
        key, credential = k.create("shop")
        k.becomes(credential, "NOT_FOUND")
        with open(k.ca.cert, "rb") as f:
            there = grpc.secure_channel(second.addresses["grpcs"], grpc.ssl_channel_credentials(f.read()))
        here, k.channel = k.channel, there
        k.becomes(credential, "NOT_FOUND")
        k.channel = here
        first = k.revoke(key.key_id)
        assert k.revoke(key.key_id) == first, "again changes nothing"
        k.channel = there
        w.until(lambda: k.outcome(credential) == "UNAUTHENTICATED", "a refusal by the other server", patience_s=6)
        k.channel = here
        assert k.outcome(credential) == "UNAUTHENTICATED"
        there.close()
        assert second.end() == 0
        assert k.refusal(k.root, "KeyService", "RevokeKey", w.pb["key_service"].RevokeKeyRequest(key_id="0" * 16))[0] == "NOT_FOUND"


def name__has_two_live_keys_and_no_third(w):
    with Keyed(w) as k:
        one, old = k.create("shop")
        two, new = k.create("shop")
        assert k.refusal(k.root, "KeyService", "CreateKey", k.request("shop"))[:2] == ("FAILED_PRECONDITION", "TWO_LIVE_KEYS")
        k.becomes(old, "NOT_FOUND")
        k.becomes(new, "NOT_FOUND")
        k.revoke(one.key_id)
        three, newest = k.create("shop")
        # One that has expired gives its place away, and is refused from that very second.
        k.becomes(newest, "NOT_FOUND")
        w.sql("UPDATE api_key SET created_at = now() - interval '2 h', expires_at = now() - interval '1 h' WHERE kid = '%s'" % two.key_id)
        k.becomes(new, "UNAUTHENTICATED")
        k.create("shop")
        assert k.refusal(k.root, "KeyService", "CreateKey", k.request("shop"))[1] == "TWO_LIVE_KEYS"
        assert {x.key_id for x in k.list(with_revoked=True).keys} >= {one.key_id, two.key_id, three.key_id}
        pages, token = [], ""
        while True:
            page = k.list(page_size=1, page_token=token, with_revoked=True)
            pages += [x.key_id for x in page.keys]
            token = page.next_page_token
            if not token:
                break
        assert pages == sorted(pages) and len(pages) == 5 == len(set(pages)), pages


def request_repeated__makes_no_second_key(w):
    with Keyed(w) as k:
        request = k.request("shop")
        key = k.call(k.root, "KeyService", "CreateKey", request).key
        assert k.refusal(k.root, "KeyService", "CreateKey", request)[:2] == ("ALREADY_EXISTS", "ALREADY_EXISTS")
        assert [x.key_id for x in k.list().keys if x.name == "shop"] == [key.key_id]


def mistakes__are_named(w):
    with Keyed(w) as k:
        for field, request in (("name", k.request("")), ("name", k.request("two words")), ("name", k.request("x" * 129)),
                               ("role", k.w.pb["key_service"].CreateKeyRequest(name="x", request_id="1")), ("customer", k.request("x", "customer")),
                               ("customer", k.request("x", customer="a b")), ("scopes", k.request("x", scopes="a  b")),
                               ("request_id", k.request("x", request_id="")), ("valid_days", k.request("x", valid_days=401))):
            status, reason, _, fields = k.refusal(k.root, "KeyService", "CreateKey", request)
            assert (status, [*fields]) == ("INVALID_ARGUMENT", [field]), (field, status, fields)
        assert k.first("two words")[0] == 2


def policy():
    """{path: the roles that may call it}, of the table."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "server", "auth", "policy_table.h")) as f:
        rows = re.findall(r'X\("([^"]+)", +"[^"]*", +(?:LOUD|QUIET), +([A-Z]+(?:, +[A-Z]+){5})\)', f.read())
    return {path: {role for role, may in zip(ROLES, re.split(", +", cells)) if may != "NO"} for path, cells in rows}


def status(k, credential, path):
    """Of a call with an empty request; OK as soon as there is an answer, for a watch has no end."""
    call = k.channel.stream_stream(path)(iter([b""]), metadata=[("authorization", "Bearer " + credential)], timeout=20)
    try:
        next(call, None)
        return "OK"
    except grpc.RpcError as e:
        return e.code().name
    finally:
        call.cancel()


def role__calls_what_its_row_says_and_nothing_else(w):
    table = policy()
    assert len(table) > 30
    with Keyed(w) as k:
        keys = {role: k.create(role, role, customer="c-1" if role == "customer" else "")[1] for role in ROLES}
        for role, credential in keys.items():
            w.until(lambda: k.outcome(credential) != "UNAUTHENTICATED", "a key of role " + role, patience_s=20)
            for path, roles in table.items():
                denied = status(k, credential, path) == "PERMISSION_DENIED"
                assert denied == (role not in roles), (role, path)
            assert status(k, credential, "/orderd.v1.OrderService/Nothing") == "UNIMPLEMENTED"
        wrong = k.refusal(keys["ops_write"], "KeyService", "CreateKey", k.request("mine", "ops_admin"))
        assert wrong[:2] == ("PERMISSION_DENIED", "PERMISSION_DENIED"), wrong
        assert {x.name for x in k.list().keys} == {"root", *ROLES}


def server_without_pepper__takes_no_keys(w):
    assert w.refusal("KeyService", "CreateKey", w.pb["key_service"].CreateKeyRequest(name="x", request_id="1", role=2))[:2] == (
        "FAILED_PRECONDITION", "KEYS_NOT_TAKEN")


def reflect(k, credential):
    """A call that asks no database: its status."""
    path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    try:
        list(k.channel.stream_stream(path)(iter([b"\x3a\x00"]), metadata=[("authorization", "Bearer " + credential)], timeout=10))
        return "OK"
    except grpc.RpcError as e:
        return e.code().name


def database_away__known_callers_stay_known_for_a_while(w):
    with Keyed(w, "--api-key-stale-s=5") as k:
        assert reflect(k, k.root) == "OK"
        w.kill("postgres")
        try:
            assert reflect(k, k.root) == "OK", "it is known from before"
            assert reflect(k, "ord_" + "0" * 16 + "_" + "A" * 43) == "UNAUTHENTICATED"
            w.until(lambda: reflect(k, k.root) == "UNAVAILABLE", "doubt", patience_s=20)
        finally:
            w.again("postgres")
        w.until(lambda: reflect(k, k.root) == "OK", "knowledge again")


def orderctl(w, k, *args, token=None):
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": k.server.addresses["grpcs"], "ORDERD_TLS_CA": k.ca.cert}
    if token is not None:
        replace(k.path("token"), (token + "\n").encode())
        env["ORDERD_TOKEN_FILE"] = k.path("token")
    done = subprocess.run([program(w, "orderctl"), *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def orderctl_over_tls__makes_lists_and_revokes(w):
    with Keyed(w) as k:
        code, out, err = orderctl(w, k, "keys", "create", "--role", "ops_read", "--days", "7", "till-4", token=k.root)
        assert code == 0 and err == "", (out, err)
        kid = out.split("_")[1]
        k.becomes(out.strip(), "NOT_FOUND")
        code, out, _ = orderctl(w, k, "keys", "list", token=k.root)
        assert code == 0 and re.search(r"^%s +till-4 +OPS_READ " % kid, out, re.M), out
        assert orderctl(w, k, "--json", "keys", "list", token=k.root)[0] == 0
        assert orderctl(w, k, "keys", "revoke", kid, token=k.root)[0] == 0
        code, out, _ = orderctl(w, k, "keys", "list", token=k.root)
        assert kid not in out and kid in orderctl(w, k, "keys", "list", "--revoked", token=k.root)[1], out
        code, _, err = orderctl(w, k, "keys", "list")
        assert code == 6 and "credentials are missing or not valid" in err, err
        assert orderctl(w, k, "keys", "create", "--role", "king", "x", token=k.root)[0] == 2
        replace(k.path("token"), b"x")
        for args, why in ((("--server", "10.0.0.1:1", "--tls-ca", "", "--token-file", k.path("token")), "without TLS"),
                          (("--tls-ca", "/nowhere"), "No such file"), (("--tls-cert", k.path("pem")), "needs its key"),
                          (("--token-file", "/nowhere"), "No such file")):
            code, _, err = orderctl(w, k, *args, "keys", "list")
            assert code == 2 and why in err, (args, code, err)


if __name__ == "__main__":
    run(key__is_told_once_and_kept_nowhere, credential_a_little_wrong__is_refused, key_revoked__is_refused_within_five_seconds,
        name__has_two_live_keys_and_no_third, request_repeated__makes_no_second_key, mistakes__are_named, role__calls_what_its_row_says_and_nothing_else,
        server_without_pepper__takes_no_keys, database_away__known_callers_stay_known_for_a_while, orderctl_over_tls__makes_lists_and_revokes)
