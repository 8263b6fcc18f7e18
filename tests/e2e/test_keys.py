"""API keys: made, used, changed for others, revoked; and PostgreSQL away."""
import os
import re
import subprocess

import grpc

from credentials import replace
from keyed import Keyed
from programs import Running, program
from world import run


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
                               ("customer", k.request("x", customer="a b")), ("scopes", k.request("x", scopes="orders:read  orders:write")),
                               ("scopes", k.request("x", scopes="orders:read orders:king")), ("scopes", k.request("x", scopes="orders")),
                               ("request_id", k.request("x", request_id="")), ("locations[1]", k.request("x", "mes", locations=["HALL", ""])),
                               ("locations[0]", k.request("x", "mes", locations=["x" * 33])), ("locations[0]", k.request("x", "mes", locations=["a\nb"])),
                               ("locations[15]", k.request("x", "mes", locations=["x" * 32] * 16)),
                               ("locations", k.request("x", customer="c-1", locations=["HALL"])), ("valid_days", k.request("x", valid_days=401))):
            status, reason, _, fields = k.refusal(k.root, "KeyService", "CreateKey", request)
            assert (status, [*fields]) == ("INVALID_ARGUMENT", [field]), (field, status, fields)
        assert k.first("two words")[0] == 2


def many_keys_with_many_locations__are_listed(w):
    codes = "\\n".join("ABCDEFGH"[n % 8] for n in range(256))
    with Keyed(w) as k:
        w.sql("INSERT INTO api_key (tenant, kid, name, slot, mac, role, scopes, locations, created_by, expires_at) "
              "SELECT 1, 'zz' || to_char(n, 'FM00000000000000'), 'mes-' || n, 1, sha256(n::text::bytea), 'mes', '', E'%s', 'test', "
              "now() + interval '1 h' FROM generate_series(1, 200) n" % codes)
        page = k.list(page_size=200)
        assert len(page.keys) == 200 and page.next_page_token, len(page.keys)
        assert {len(x.locations) for x in page.keys if x.name != "root"} == {256}


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
        code, out, _ = orderctl(w, k, "keys", "create", "--role", "mes", "--location", "HALL 1", "--location", "DOCK", "packer", token=k.root)
        assert code == 0 and [[*x.locations] for x in k.list().keys if x.key_id == out.split("_")[1]] == [["HALL 1", "DOCK"]], out
        code, out, _ = orderctl(w, k, "keys", "list", token=k.root)
        assert code == 0 and re.search(r" packer +MES +- +HALL 1,DOCK ", out), out
        assert orderctl(w, k, "keys", "create", "--role", "king", "x", token=k.root)[0] == 2
        replace(k.path("token"), b"x")
        for args, why in ((("--server", "10.0.0.1:1", "--tls-ca", "", "--token-file", k.path("token")), "without TLS"),
                          (("--tls-ca", "/nowhere"), "No such file"), (("--tls-cert", k.path("pem")), "needs its key"),
                          (("--token-file", "/nowhere"), "No such file")):
            code, _, err = orderctl(w, k, *args, "keys", "list")
            assert code == 2 and why in err, (args, code, err)


if __name__ == "__main__":
    run(key__is_told_once_and_kept_nowhere, credential_a_little_wrong__is_refused, key_revoked__is_refused_within_five_seconds,
        name__has_two_live_keys_and_no_third, request_repeated__makes_no_second_key, mistakes__are_named, many_keys_with_many_locations__are_listed,
        server_without_pepper__takes_no_keys, database_away__known_callers_stay_known_for_a_while, orderctl_over_tls__makes_lists_and_revokes)
