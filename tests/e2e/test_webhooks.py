"""What providers tell orderd: who is believed, what is kept, and that the job which waits for it goes on at once.

A parcel is looked at once in an hour here, the sweep comes every ten minutes, and the simulator's parcels are fast: only a
webhook can bring the news, and only its ring makes somebody look.
"""
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
import uuid
from base64 import b64encode
from http.client import HTTPConnection

from programs import LISTEN, Running, http, own, start
from world import run

AT_ONCE_S = 30  # on a busy machine; the next look would be in an hour
NOTICES_MAX = 64


def secret(w, provider):
    with open(os.path.join(w.env["DATA"], provider + "_webhook.key")) as f:
        return f.read().strip()


def sign(provider, key, body, age_s=0):
    def mac(text):
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()
    if provider == "carrier":
        return {"X-Hmac-Signature": "hmac-sha256-hex=" + mac(body)}
    t = str(int(time.time()) - age_s)
    return {"Stripe-Signature": "t=%s,v1=%s" % (t, mac(t.encode() + b"." + body))}


def ask(address, method, path, body=None, headers=(), chunked=False):
    """(status, headers, body) of one request on a connection of its own."""
    c = HTTPConnection(address, timeout=20)
    try:
        try:
            c.request(method, path, body, dict(headers), encode_chunked=chunked)
        except BrokenPipeError:
            pass  # refused by its header, before all of the body had left: the answer is there
        answer = c.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        c.close()


def post(w, provider, event, key=None, age_s=0, address=None):
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return ask(address or w.env["WEBHOOKS"], "POST", "/webhooks/" + provider, body,
               sign(provider, key or secret(w, provider), body, age_s))


def scanned(code, event_id=None):
    return {"id": event_id or "evt_" + uuid.uuid4().hex, "object": "Event", "description": "tracker.updated", "mode": "test",
            "result": {"id": "trk_1", "object": "Tracker", "tracking_code": code, "status": "in_transit", "weight": 614.0}}


def charged(intent, kind, event_id=None):
    return {"id": event_id or "evt_" + uuid.uuid4().hex, "object": "event", "type": kind, "livemode": False,
            "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": intent}}}


def inbox(w, event):
    return w.number("SELECT count(*) FROM webhook_event WHERE event_id = '%s'" % event["id"])


def counted(w, provider, outcome):
    found = re.search(r'^orderd_webhooks_received_total\{provider="%s",outcome="%s"\} (\d+)$' % (provider, outcome),
                      http(w, "/metrics")[2], re.M)
    return int(found.group(1)) if found else 0


def kept(w, provider, event, outcome, **how):
    """The event is answered 200, lies in the inbox once and is counted as `outcome`."""
    before = counted(w, provider, outcome)
    status, _, text = post(w, provider, event, **how)
    assert (status, text) == (200, "ok\n"), (status, text)
    assert inbox(w, event) == 1
    assert counted(w, provider, outcome) == before + 1, http(w, "/metrics")[2]


def refused(w, status, provider, event, **how):
    got = post(w, provider, event, **how)
    assert got[0] == status, got
    return got


def tracker(w, code):
    with open(os.path.join(w.env["DATA"], "carrier.key")) as f:
        login = b64encode((f.read().strip() + ":").encode()).decode()
    request = urllib.request.Request(w.env["SIM_URL"] + "/v2/trackers?tracking_code=" + code, headers={"Authorization": "Basic " + login})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["trackers"][0]["status"]


def travelling(w):
    """(order, tracking code) of a parcel that the carrier has delivered and we do not know of yet."""
    order = w.place().order_id
    where = "FROM shipment WHERE order_id = '%s' AND state = 'handed_over'" % order
    w.until(lambda: w.number("SELECT count(*) " + where) == 1, "the hand-over")
    code = w.sql("SELECT tracking_code " + where)[0][0]
    w.until(lambda: tracker(w, code) == "delivered", "the parcel")
    assert w.sql("SELECT state, run_at > now() + interval '30 min' FROM job WHERE order_id = '%s' AND kind = 'shipping.track'"
                 % order) == [("ready", "t")]
    return order, code


# ---- the good way

def tracking_webhook__moves_the_parcel_at_once(w):
    order, code = travelling(w)
    event = scanned(code)
    kept(w, "carrier", event, "woken")
    w.until(lambda: w.state(order) == "completed", "the delivery", AT_ONCE_S)
    assert [e.kind for e in w.get(order, with_events=True).events].count("delivered") == 1
    kept(w, "carrier", event, "seen")
    kept(w, "carrier", scanned(code), "idle")


def same_event_from_many_connections__is_kept_once(w):
    order, code = travelling(w)
    event, answers = scanned(code), []
    threads = [threading.Thread(target=lambda: answers.append(post(w, "carrier", event)[0])) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [200] * 10, answers
    assert inbox(w, event) == 1
    w.until(lambda: w.state(order) == "completed", "the delivery", AT_ONCE_S)


def paid_and_not_shipped(w):
    """(order, its payment intent): no label can be had, so the authorization stays one."""
    w.fault(path="/v2/shipments", fault="500", count=1000000)
    order = w.place().order_id
    w.until(lambda: w.sql("SELECT state FROM job WHERE order_id = '%s' AND kind = 'shipping.label'" % order) != [], "the packing")
    return order, w.sql("SELECT gateway_id FROM payment_attempt WHERE order_id = '%s' AND state = 'authorized'" % order)[0][0]


def lost_authorization__is_renewed_by_one_job(w):
    order, intent = paid_and_not_shipped(w)
    kept(w, "gateway", charged(intent, "charge.succeeded"), "idle")
    kept(w, "gateway", charged(intent, "charge.expired"), "queued")
    assert w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND kind = 'payment.renew'" % order) == 1
    assert w.number("SELECT count(*) FROM webhook_event WHERE object_id = '%s'" % intent) == 2


def event_about_nothing_of_ours__is_kept_and_changes_nothing(w):
    kept(w, "carrier", scanned("TR-nobodys"), "unknown")
    kept(w, "gateway", charged("pi_nobodys", "charge.expired"), "unknown")
    kept(w, "gateway", {"id": "evt_" + uuid.uuid4().hex, "type": "customer.created", "data": {"object": {"object": "customer"}}},
         "unknown")


def connection_is_kept__for_the_next_event(w):
    c = HTTPConnection(w.env["WEBHOOKS"], timeout=20)
    for _ in range(3):
        event = scanned("TR-nobodys")
        body = json.dumps(event).encode()
        c.request("POST", "/webhooks/carrier", body, sign("carrier", secret(w, "carrier"), body))
        answer = c.getresponse()
        assert (answer.status, answer.read(), answer.will_close) == (200, b"ok\n", False)
        assert inbox(w, event) == 1
    c.close()


# ---- who is not believed

def event_with_a_wrong_signature__is_refused(w):
    for provider, event in (("carrier", scanned("TR1")), ("gateway", charged("pi_1", "charge.expired"))):
        before = counted(w, provider, "forged")
        refused(w, 401, provider, event, key="somebody else's secret")
        other = {"carrier": "gateway", "gateway": "carrier"}[provider]
        refused(w, 401, provider, event, key=secret(w, other))
        body = json.dumps(event).encode()
        path, headers = "/webhooks/" + provider, sign(provider, secret(w, provider), body)
        assert ask(w.env["WEBHOOKS"], "POST", path, body + b" ", headers)[0] == 401
        assert ask(w.env["WEBHOOKS"], "POST", path, body)[0] == 401
        assert inbox(w, event) == 0
        assert counted(w, provider, "forged") == before + 4


def event_signed_long_ago__is_refused(w):
    before = counted(w, "gateway", "stale")
    for age_s in (400, -400, 10 ** 9):
        event = charged("pi_1", "charge.expired")
        refused(w, 401, "gateway", event, age_s=age_s)
        assert inbox(w, event) == 0
    assert counted(w, "gateway", "stale") == before + 3
    kept(w, "gateway", charged("pi_nobodys", "charge.expired"), "unknown", age_s=200)


def while_a_secret_is_changed__both_are_believed(w):
    path = os.path.join(w.scratch, "two.key")
    keys = ["the-old-secret-0123456789", "the-new-secret-0123456789"]
    with open(path, "w") as f:
        f.write("\n".join(keys) + "\n")
    with Running(w, "orderd", *LISTEN, "--carrier-webhook-secret-file=" + path, "--gateway-webhook-secret-file=") as other:
        for key in keys:
            assert post(w, "carrier", scanned("TR-nobodys"), key=key, address=other.addresses["webhooks"])[0] == 200
        assert post(w, "carrier", scanned("TR-nobodys"), address=other.addresses["webhooks"])[0] == 401
        # a provider without a secret has no route
        assert post(w, "gateway", charged("pi_1", "x"), address=other.addresses["webhooks"])[0] == 404
        assert other.end() == 0


# ---- what is not read

def request_that_is_no_webhook__is_refused_by_its_header(w):
    at = w.env["WEBHOOKS"]
    for method, path, status in (("GET", "/", 404), ("POST", "/webhooks", 404), ("POST", "/webhooks/gateway/", 404),
                                 ("POST", "/metrics", 404), ("GET", "/webhooks/gateway", 405), ("PUT", "/webhooks/carrier", 405)):
        got = ask(at, method, path)
        assert got[0] == status, (method, path, got)
        if status == 405:
            assert got[1]["Allow"] == "POST"
    signed = sign("carrier", secret(w, "carrier"), b"x")
    assert ask(at, "POST", "/webhooks/carrier", iter([b"x"]), {**signed, "Transfer-Encoding": "chunked"}, chunked=True)[0] == 411
    # all of the body that would be too large is never sent: the answer comes before
    with socket.create_connection(at.rsplit(":", 1), timeout=20) as s:
        s.sendall(b"POST /webhooks/carrier HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nX-Hmac-Signature: x\r\n\r\n" % (256 * 1024 + 1))
        assert s.recv(4096).startswith(b"HTTP/1.1 413 "), "no 413"


def body_of_the_largest_size__is_read(w):
    event = scanned("TR-nobodys")
    event["result"]["more"] = ""
    event["result"]["more"] = "x" * (256 * 1024 - len(json.dumps(event)))
    assert len(json.dumps(event)) == 256 * 1024
    kept(w, "carrier", event, "unknown")


def signed_nonsense__is_refused(w):
    rows = [b"", b"nonsense", b"{", b"[]", b"{}", b'{"id":"evt_1"}', b'{"id":"a","id":"b","description":"x"}',
            b'{"id":"a","description":"x","result":%s}' % (b"[" * 100 + b"]" * 100), b'{"id":"\xff","description":"x"}',
            b'{"id":"%s","description":"x"}' % (b"a" * 256), b"[" * 200000]
    before, events = counted(w, "carrier", "invalid"), w.number("SELECT count(*) FROM webhook_event")
    for body in rows:
        refused(w, 400, "carrier", body)
    assert counted(w, "carrier", "invalid") == before + len(rows)
    assert w.number("SELECT count(*) FROM webhook_event") == events


# ---- bounds

def open_body(w, sent=b"{"):
    s = socket.create_connection(w.env["WEBHOOKS"].rsplit(":", 1), timeout=30)
    s.sendall(b"POST /webhooks/carrier HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nX-Hmac-Signature: x\r\n\r\n" + sent)
    return s


def more_bodies_at_once_than_there_is_memory_for__wait(w):
    event = scanned("TR-nobodys")
    open_ones = [open_body(w) for _ in range(NOTICES_MAX)]
    try:
        w.until(lambda: post(w, "carrier", event)[0] == 429, "the bound")
        assert post(w, "carrier", event)[1]["Retry-After"] == "1"
    finally:
        for s in open_ones:
            s.close()
    w.until(lambda: post(w, "carrier", event)[0] == 200, "room")
    assert inbox(w, event) == 1


def body_that_comes_byte_by_byte__is_cut_off(w):
    with open_body(w) as s:
        gone, pause = [], threading.Event()

        def dropped():
            try:
                s.sendall(b" ")
                pause.wait(0.2)
                s.setblocking(False)
                gone.append(s.recv(100) == b"")
            except BlockingIOError:
                return False
            except OSError:
                gone.append(True)
            finally:
                s.setblocking(True)
            return gone == [True]
        w.until(dropped, "the end of a slow body", 60)


# ---- failures around it

def postgres_is_away__the_provider_is_asked_to_try_again(w):
    event = scanned("TR-nobodys")
    w.kill("postgres")
    try:
        w.until(lambda: post(w, "carrier", event)[0] == 503, "503")
        assert post(w, "carrier", event)[1]["Retry-After"] == "5"
    finally:
        w.again("postgres")
    w.until(lambda: post(w, "carrier", event)[0] == 200, "200")
    assert inbox(w, event) == 1


class Held:
    """A session that has locked something."""

    def __init__(self, w, lock):
        self.psql = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1",
                                      "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("SET search_path = orderd; BEGIN; " + lock)

    def say(self, sql):
        self.psql.stdin.write(sql + "; SELECT 'said';\n")
        self.psql.stdin.flush()
        while self.psql.stdout.readline() != "said\n":
            assert self.psql.poll() is None, sql

    def release(self):
        if self.psql.poll() is None:
            self.psql.communicate("COMMIT;\n", timeout=20)


def sent_meanwhile(w, provider, event, address=None):
    """(thread, answers): the event on its way."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post(w, provider, event, address=address)))
    thread.start()
    return thread, answers


def waits_for(w, program, condition):
    """Until `program`, by the name PostgreSQL knows it by, waits for a lock: others may wait for the same one."""
    w.until(lambda: w.number("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
                             " AND application_name = '%s' AND %s" % (program, condition)) > 0, "the event on its way")


def job_that_comes_while_the_event_is_stored__is_found(w):
    order, intent = paid_and_not_shipped(w)
    event, before, job = charged(intent, "charge.expired"), counted(w, "gateway", "woken"), str(uuid.uuid4())
    held = Held(w, "SELECT id FROM orders WHERE id = '%s' FOR UPDATE" % order)
    try:
        thread, answers = sent_meanwhile(w, "gateway", event)
        waits_for(w, "orderd", "locktype = 'transactionid'")
        held.say("INSERT INTO job (id, tenant, order_id, group_no, kind, run_at) "
                 "VALUES ('%s', 1, '%s', 1, 'payment.renew', now() + interval '1 day')" % (job, order))
    finally:
        held.release()
    thread.join(30)
    assert [a[0] for a in answers] == [200] and inbox(w, event) == 1, answers
    assert counted(w, "gateway", "woken") == before + 1
    assert w.sql("SELECT id, run_at < now() + interval '1 hour' FROM job WHERE order_id = '%s' AND kind = 'payment.renew'"
                 % order) == [(job, "t")]


def drain__answers_what_is_being_stored_and_takes_nothing_new(w):
    named = "--postgres=%s application_name=draining" % own(w)["postgres"]
    with Running(w, "orderd", *LISTEN, named) as other:
        at, event = other.addresses["webhooks"], scanned("TR-nobodys")
        host, port = at.rsplit(":", 1)
        waiting, half = (socket.create_connection((host, port), timeout=30) for _ in range(2))
        half.sendall(b"POST /webhooks/carrier HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nX-Hmac-Signature: x\r\n\r\n{")
        held = Held(w, "LOCK TABLE webhook_event")
        try:
            thread, answers = sent_meanwhile(w, "carrier", event, at)
            waits_for(w, "draining", "relation = 'webhook_event'::regclass")
            other.process.terminate()

            def deaf():
                try:
                    socket.create_connection((host, port), timeout=10).close()
                    return False
                except ConnectionError:  # reset: it was in the backlog when the listener closed
                    return True
            w.until(deaf, "the drain")
            body = json.dumps(scanned("TR-nobodys")).encode()
            head = "".join("%s: %s\r\n" % h for h in sign("carrier", secret(w, "carrier"), body).items())
            waiting.sendall(b"POST /webhooks/carrier HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s"
                            % (head.encode(), len(body), body))
            try:
                first = waiting.recv(4096)
            except ConnectionResetError:
                first = b""  # it was hung up on before this arrived
            assert first.startswith(b"HTTP/1.1 503 ") or first == b"", first
        finally:
            held.release()
        thread.join(30)
        assert [a[0] for a in answers] == [200], answers
        assert inbox(w, event) == 1
        assert other.process.wait(60) == 0
        waiting.close()
        half.close()


def setting_that_cannot_work__is_named(w):
    bad = os.path.join(w.scratch, "bad.key")
    with open(bad, "w") as f:
        f.write("grüße-von-der-küste-0123456789\n")
    config = "--config=" + os.path.join(w.env["DATA"], "orderd.conf")
    for args, field, why in (
            (("--webhook-listen=nonsense",), "webhook_listen", "cannot listen"),
            (("--webhook-listen=" + w.env["WEBHOOKS"],), "webhook_listen", "cannot listen"),
            (("--carrier-webhook-secret-file=/nowhere/key",), "carrier_webhook_secret_file", "/nowhere/key"),
            (("--carrier-webhook-secret-file=" + bad,), "carrier_webhook_secret_file", "printable ASCII"),
            (("--carrier-webhook-secret-file=", "--gateway-webhook-secret-file="), "webhook_listen", "it needs")):
        code, out, err = start(w, "orderd", config, *LISTEN, *args)
        mine = [line for line in err.splitlines() if not line.startswith("time=")]
        assert code == 2 and "ready" not in out and len(mine) == 1 and why in mine[0], (args, code, out, err)
        assert field.replace("_", "-") in mine[0] or field in mine[0], err


def books_are_right_in_the_end(w):
    w.audit()


if __name__ == "__main__":
    run(tracking_webhook__moves_the_parcel_at_once,
        same_event_from_many_connections__is_kept_once,
        event_about_nothing_of_ours__is_kept_and_changes_nothing,
        connection_is_kept__for_the_next_event,
        event_with_a_wrong_signature__is_refused,
        event_signed_long_ago__is_refused,
        while_a_secret_is_changed__both_are_believed,
        request_that_is_no_webhook__is_refused_by_its_header,
        body_of_the_largest_size__is_read,
        signed_nonsense__is_refused,
        more_bodies_at_once_than_there_is_memory_for__wait,
        body_that_comes_byte_by_byte__is_cut_off,
        drain__answers_what_is_being_stored_and_takes_nothing_new,
        setting_that_cannot_work__is_named,
        lost_authorization__is_renewed_by_one_job,
        job_that_comes_while_the_event_is_stored__is_found,
        postgres_is_away__the_provider_is_asked_to_try_again,
        books_are_right_in_the_end,
        config="track_poll_ms = 3600000\nsweep_ms = 600000\n", sim_args="--scan-ms 50")
