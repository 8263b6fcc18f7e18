"""Hundreds of followers of several tenants come and go at two servers while thousands of events are written by transactions
that commit as they like: each sees each event of its feed exactly once, every order's in sequence."""
import asyncio
import os
import random
import secrets
import threading

import grpc
from credentials import Authority, replace
from feeding import METHOD, Reader, alone, is_whole, key, open_feed, orders_of_their_own, stored
from programs import Running, start
from world import details_of, run

SEED = 20261125
TENANTS, CUSTOMERS, ORDERS = (1, 2, 3), 4, 10  # of each tenant, of each customer
FOLLOWERS, SLEEPERS, CHANNELS = 300, 30, 4     # in all; of these; to each server
WRITERS, ROUNDS = 4, 600                       # transactions of each, one or two events
DEADLINE_S = 240

CONFIG = """
watch_poll_ms = 200
watch_heartbeat_ms = 500
audit_s = 0
"""

# What every unit that writes events does: the order's lock, the next sequence.  Some stay open a moment, so that
# transactions end in another order than they began in; some begin to write long before they have the lock.
WRITER = """
DO $$ DECLARE o record; v bigint;
BEGIN
	PERFORM setseed(%f);
	FOR i IN 1..%d LOOP
		IF random() < 0.3 THEN PERFORM pg_current_xact_id(); END IF;
		FOR o IN SELECT * FROM (SELECT tenant, id FROM orders WHERE channel = 'feed' ORDER BY random()
		                         LIMIT 1 + (random() * 1.4)::int) some_orders ORDER BY tenant, id LOOP
			SELECT version INTO v FROM orders WHERE (tenant, id) = (o.tenant, o.id) FOR NO KEY UPDATE;
			UPDATE orders SET version = v + 1 WHERE (tenant, id) = (o.tenant, o.id);
			INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, actor)
			VALUES (o.tenant, o.id, v + 1, 'tracking', 'completed', 'completed', 'test');
		END LOOP;
		IF random() < 0.1 THEN PERFORM pg_sleep(random() * 0.02); END IF;
		COMMIT;
	END LOOP;
END $$;
"""


class Servers:
    """Two orderd that know who calls, and an administrator's key of each tenant."""

    def __init__(self, w, *args):
        self.w, self.dir = w, os.path.join(w.scratch, "feed-" + secrets.token_hex(4))
        self.ca = Authority(self.dir, "ca")
        pem, cert = self.ca.issue("orderd", "DNS:localhost,IP:127.0.0.1")
        for name, content in (("key", pem), ("pem", cert), ("pepper", secrets.token_hex(32).encode())):
            replace(os.path.join(self.dir, name), content)
        path = lambda name: os.path.join(self.dir, name)  # noqa: E731
        self.args = ("--auth=required", "--listen=tls:127.0.0.1:0", "--http-listen=127.0.0.1:0", "--tls-cert-file=" + path("pem"),
                     "--tls-key-file=" + path("key"), "--api-key-pepper-file=" + path("pepper"), *args)
        with open(self.ca.cert, "rb") as f:
            self.creds = grpc.ssl_channel_credentials(f.read())

    def __enter__(self):
        populate(self.w)
        conf = "--config=" + os.path.join(self.w.env["DATA"], "orderd.conf")
        self.keys = {}
        for tenant in TENANTS:
            code, out, err = start(self.w, "orderd", conf, *self.args, "admin-key", "feed", str(tenant))
            assert code == 0, err
            self.keys[tenant] = out.strip()
        self.running = [Running(self.w, "orderd", *self.args) for _ in range(2)]
        self.channels = [grpc.secure_channel(r.addresses["grpcs"], self.creds) for r in self.running]
        for channel in self.channels:
            self.w.until(lambda: self.is_known(channel), "the keys")
        return self

    def __exit__(self, *_):
        for channel in self.channels:
            channel.close()
        for r in self.running:
            r.__exit__()
        self.w.sql("DELETE FROM api_key")

    def is_known(self, channel):
        try:
            call = open_feed(self.w, channel=channel, metadata=self.as_of(TENANTS[-1]), timeout=10)
            next(call)
            call.cancel()
            return True
        except grpc.RpcError as e:
            assert e.code().name in ("UNAUTHENTICATED", "UNAVAILABLE"), e
            return False

    def as_of(self, tenant, credential=None):
        return [("authorization", "Bearer " + (credential or self.keys[tenant]))]

    def call(self, tenant, service, method, request):
        module = self.w.pb[service.replace("Service", "_service").lower()]
        return self.channels[0].unary_unary("/orderd.v1.%s/%s" % (service, method), type(request).SerializeToString,
                                            getattr(module, method + "Response").FromString)(
            request, metadata=self.as_of(tenant), timeout=20)

    def new_key(self, tenant, name, **fields):
        svc = self.w.pb["key_service"]
        return self.call(tenant, "KeyService", "CreateKey", svc.CreateKeyRequest(
            request_id=secrets.token_hex(16), name=name, role=svc.ROLE_SERVICE, **fields))


def populate(w):
    if w.number("SELECT count(*) FROM orders WHERE channel = 'feed'") > 0:
        return  # another story did
    orders_of_their_own(w, ", ".join(map(str, TENANTS)), 1, CUSTOMERS, ORDERS)
    w.sql("INSERT INTO order_event (tenant, order_id, seq, kind, to_state, actor)"
          " SELECT tenant, id, 1, 'placed', 'completed', 'test' FROM orders WHERE channel = 'feed'")


def write_events(w):
    """Writers side by side."""
    failed = []

    def go(n):
        try:
            alone(w, WRITER % (n / 10 + 0.05, ROUNDS))
        except AssertionError as e:
            failed.append(e)

    threads = [threading.Thread(target=go, args=(n,)) for n in range(WRITERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed


class Follower:
    """One that reads some messages here, some there, until it has seen as many events as there are."""

    def __init__(self, crowd, n, tenant, customer):
        self.crowd, self.tenant, self.customer = crowd, tenant, customer
        self.chance, self.sleeps = random.Random(SEED + n), n < SLEEPERS
        self.seen, self.token, self.streams, self.ends = [], "", 0, {}

    def is_done(self):
        return self.crowd.wanted is not None and len(self.seen) >= len(self.crowd.wanted[self.tenant, self.customer])

    async def stream(self, most):
        svc = self.crowd.w.pb["order_service"]
        channel = self.chance.choice(self.crowd.channels)
        call = channel.unary_stream(METHOD, svc.WatchOrdersRequest.SerializeToString, svc.WatchOrdersResponse.FromString)(
            svc.WatchOrdersRequest(resume_token=self.token, customer=self.customer), timeout=DEADLINE_S,
            metadata=self.crowd.servers.as_of(self.tenant), wait_for_ready=True)
        self.streams += 1
        async for m in call:
            self.seen += [key(e) for e in m.events]
            self.token = m.resume_token
            most -= 1
            if most <= 0 or self.is_done():
                break
        call.cancel()

    async def run(self):
        await self.stream(1)  # from now: a token
        self.crowd.begun()
        if self.sleeps:
            await self.crowd.written.wait()
        while not self.is_done():
            try:
                await self.stream(self.chance.randrange(1, 8))
            except grpc.RpcError as e:
                name = e.code().name
                assert name == "UNAVAILABLE", (name, e.details())
                self.ends[name] = self.ends.get(name, 0) + 1


class Crowd:
    def __init__(self, w, servers):
        self.w, self.servers, self.wanted, self.n_begun = w, servers, None, 0
        feeds = [(t, "") for t in TENANTS] + [(t, "c%d" % c) for t in TENANTS for c in range(1, CUSTOMERS + 1)]
        self.followers = [Follower(self, n, *feeds[n % len(feeds)]) for n in range(FOLLOWERS)]

    def begun(self):
        self.n_begun += 1
        if self.n_begun == FOLLOWERS:
            self.all_begun.set()

    async def watch(self):
        loop = asyncio.get_running_loop()
        self.all_begun, self.written = asyncio.Event(), asyncio.Event()
        self.channels = [grpc.aio.secure_channel(r.addresses["grpcs"], self.servers.creds,
                                                 options=[("grpc.use_local_subchannel_pool", 1)])
                         for r in self.servers.running for _ in range(CHANNELS)]
        tasks = [asyncio.ensure_future(f.run()) for f in self.followers]
        await asyncio.wait_for(self.all_begun.wait(), DEADLINE_S)
        before = {f: await loop.run_in_executor(None, self.of, *f) for f in {(f.tenant, f.customer) for f in self.followers}}
        await loop.run_in_executor(None, write_events, self.w)
        leaving, self.channels = self.channels[CHANNELS:], self.channels[:CHANNELS]
        assert await loop.run_in_executor(None, self.servers.running[1].end) == 0  # under half of them
        wanted = {f: await loop.run_in_executor(None, self.of, *f) - b for f, b in before.items()}
        self.wanted = wanted
        self.written.set()
        done, late = await asyncio.wait(tasks, timeout=DEADLINE_S)
        for t in late:
            t.cancel()
        for t in done:
            t.result()
        assert not late, [(f.tenant, f.customer, len(f.seen), len(wanted[f.tenant, f.customer])) for f in self.followers if not f.is_done()]
        for channel in self.channels + leaving:
            await channel.close()

    def of(self, tenant, customer):
        return stored(self.w, tenant, customer or None)

    def check(self):
        for f in self.followers:
            is_whole(f.seen, self.wanted[f.tenant, f.customer])
        print("seed %d: %d followers of %d feeds saw %d events in %d streams, %d of which broke" % (
            SEED, FOLLOWERS, len(self.wanted), sum(len(f.seen) for f in self.followers), sum(f.streams for f in self.followers),
            sum(sum(f.ends.values()) for f in self.followers)), flush=True)


def hundreds_come_and_go_at_two_servers__each_event_once_in_order(w):
    with Servers(w) as servers:
        crowd = Crowd(w, servers)
        asyncio.run(crowd.watch())
        crowd.check()


def token_of_another_tenant__is_refused_like_garbage(w):
    with Servers(w) as s:
        channel = s.channels[0]
        token = Reader(w, channel=channel, metadata=s.as_of(1)).open().token
        said = set()
        for t in (token, "garbage" + token[7:]):
            try:
                next(open_feed(w, t, channel=channel, metadata=s.as_of(2)))
            except grpc.RpcError as e:
                said.add((e.code().name, e.details(), repr(details_of(e))))
        assert len(said) == 1 and list(said)[0][0] == "INVALID_ARGUMENT", said
        next(open_feed(w, token, channel=channel, metadata=s.as_of(1)))


def caller_bound_to_a_customer__follows_that_one_alone(w):
    with Servers(w) as s:
        bound = s.new_key(2, "bound", customer="c1").credential
        w.until(lambda: known(w, s, bound), "the key")
        own = {"channel": s.channels[0], "metadata": s.as_of(2, bound)}
        try:
            next(open_feed(w, customer="c2", **own))
            raise AssertionError("another's feed")
        except grpc.RpcError as e:
            assert e.code().name == "INVALID_ARGUMENT", e
        reader = Reader(w, **own).open()
        event(w, 2, "c2")
        mine = event(w, 2, "c1")
        assert reader.until(lambda e: True)[0] == "CANCELLED"
        assert reader.seen == [mine], (reader.seen, mine)


def credential_ends__its_streams_end_too(w):
    with Servers(w) as s:
        svc = w.pb["key_service"]
        made = s.new_key(2, "passing")
        w.until(lambda: known(w, s, made.credential), "the key")
        leaves = Reader(w, channel=s.channels[0], metadata=s.as_of(2, made.credential)).open()
        stays = Reader(w, channel=s.channels[0], metadata=s.as_of(2)).open()
        s.call(2, "KeyService", "RevokeKey", svc.RevokeKeyRequest(key_id=made.key.key_id))
        end, error = leaves.until(None)
        assert end == "UNAUTHENTICATED", (end, error)
        mine = event(w, 2, "c1")
        assert stays.until(lambda e: True)[0] == "CANCELLED" and stays.seen == [mine]


def one_caller_takes_all_there_are_for_one__others_have_theirs(w):
    with Servers(w, "--max-watches-each=5") as s:
        calls = [open_feed(w, channel=s.channels[0], metadata=s.as_of(2)) for _ in range(5)]
        for call in calls:
            next(call)
        try:
            next(open_feed(w, channel=s.channels[0], metadata=s.as_of(2)))
            raise AssertionError("one more")
        except grpc.RpcError as e:
            assert (e.code().name, details_of(e)[0]) == ("RESOURCE_EXHAUSTED", "TOO_MANY_WATCHES"), e
        next(open_feed(w, channel=s.channels[0], metadata=s.as_of(3)))
        calls[0].cancel()

        def again():
            try:
                next(open_feed(w, channel=s.channels[0], metadata=s.as_of(2)))
                return True
            except grpc.RpcError:
                return False

        w.until(again, "room for another")


def known(w, s, credential):
    try:
        next(open_feed(w, channel=s.channels[0], metadata=s.as_of(2, credential), timeout=10)).resume_token
        return True
    except grpc.RpcError as e:
        assert e.code().name == "UNAUTHENTICATED", e
        return False


def event(w, tenant, customer):
    """One more for an order of this customer."""
    row = w.sql("WITH o AS (UPDATE orders SET version = version + 1 WHERE (tenant, id) = (SELECT tenant, id FROM orders"
                " WHERE tenant = %d AND customer = '%s' AND channel = 'feed' LIMIT 1) RETURNING tenant, id, version)"
                " INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, actor)"
                " SELECT tenant, id, version, 'tracking', 'completed', 'completed', 'test' FROM o RETURNING order_id, seq"
                % (tenant, customer))[0]
    return row[0], int(row[1])


if __name__ == "__main__":
    run(hundreds_come_and_go_at_two_servers__each_event_once_in_order, token_of_another_tenant__is_refused_like_garbage,
        caller_bound_to_a_customer__follows_that_one_alone, credential_ends__its_streams_end_too,
        one_caller_takes_all_there_are_for_one__others_have_theirs, config=CONFIG)
