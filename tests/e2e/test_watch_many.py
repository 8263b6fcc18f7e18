"""A thousand watchers that come and go while orders move: each sees every event exactly once, in order, also when the
server is killed under all of them."""
import asyncio
import os
import random
import socket
import threading
import time

import grpc
from watching import metric
from world import run

SEED = 20261125
WATCHERS, ORDERS, CHANNELS, LEAVES_MAX, BREAKS_MAX = 1000, 100, 10, 3, 20
DEADLINE_S = 240  # of a story; some seconds when nobody else uses the machine


class Watcher:
    def __init__(self, w, chance, channel, order, crowd):
        self.order, self.crowd, self.seen, self.broken = order, crowd, [], 0
        self.svc = w.pb["order_service"]
        self.call = channel.unary_stream("/orderd.v1.OrderService/WatchOrder", self.svc.WatchOrderRequest.SerializeToString,
                                         self.svc.WatchOrderResponse.FromString)
        # How many events it reads from each stream before it leaves; then one to the end.
        self.leaves = [chance.randrange(0, 6) for _ in range(chance.randrange(LEAVES_MAX + 1))]

    async def stream(self, most):
        """One stream from where we are; True: the order has ended.  most: leave after so many events."""
        begun = len(self.seen)
        call = self.call(self.svc.WatchOrderRequest(order_id=self.order, after_sequence=begun), timeout=DEADLINE_S,
                         wait_for_ready=True)
        self.crowd.streams += 1
        if most == 0:
            call.cancel()
            return False
        async for m in call:
            if m.WhichOneof("what") != "event":
                continue
            self.seen.append(m.event.sequence)
            self.crowd.late.append(time.time() - m.event.event_time.seconds - m.event.event_time.nanos / 1e9)
            if most is not None and len(self.seen) - begun >= most:
                call.cancel()
                return False
        return True

    async def run(self):
        leaves = list(self.leaves)
        while self.broken < BREAKS_MAX:
            try:
                if await self.stream(leaves.pop(0) if leaves else None):
                    return
            except grpc.RpcError as e:
                assert e.code().name in ("CANCELLED", "UNAVAILABLE"), e
                self.broken += 1
        raise AssertionError("broken %d times: %s" % (self.broken, self.seen))


class Crowd:
    def __init__(self, w, customer):
        self.w, self.customer, self.chance = w, customer, random.Random(SEED)
        self.streams, self.late, self.watchers, self.failed = 0, [], [], []
        self.loop, self.placed = asyncio.new_event_loop(), asyncio.Queue()

    def place(self):
        try:
            for n in range(ORDERS):
                order = self.w.place(lines=[("mug", 1 + n % 3)], customer=self.customer).order_id
                self.loop.call_soon_threadsafe(self.placed.put_nowait, order)
        except Exception as e:  # the watchers would wait for ever
            self.failed.append(e)
            raise

    async def watch(self, during):
        channels = [grpc.aio.insecure_channel(self.w.env["GRPC"], options=[
            ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 500)]) for _ in range(CHANNELS)]
        tasks = []
        for n in range(ORDERS):
            order = await asyncio.wait_for(self.placed.get(), DEADLINE_S)
            for k in range(WATCHERS // ORDERS):
                watcher = Watcher(self.w, self.chance, channels[(n + k) % CHANNELS], order, self)
                self.watchers.append(watcher)
                tasks.append(asyncio.ensure_future(watcher.run()))
        if during is not None:
            await self.loop.run_in_executor(None, during)
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)
        for channel in channels:
            await channel.close()

    def run(self, during=None):
        buyer, started = threading.Thread(target=self.place), time.monotonic()
        buyer.start()
        try:
            self.loop.run_until_complete(self.watch(during))
        finally:
            buyer.join()
            self.loop.close()
        self.took = time.monotonic() - started

    def check(self):
        versions = {row[0]: int(row[1]) for row in self.w.sql("SELECT id, version FROM orders WHERE customer = '%s'"
                                                              % self.customer)}
        assert not self.failed and len(self.watchers) == WATCHERS and len(versions) == ORDERS
        for x in self.watchers:
            assert x.seen == list(range(1, versions[x.order] + 1)), (x.order, x.leaves, x.broken, x.seen)
        late = sorted(self.late)
        print("seed %d: %d watchers of %d orders saw %d events in %d streams, %.1f s; from commit to reader p50 %.0f ms, "
              "p99 %.0f ms" % (SEED, WATCHERS, ORDERS, len(late), self.streams, self.took, 1000 * late[len(late) // 2],
                               1000 * late[len(late) * 99 // 100]), flush=True)


def thousand_watchers_come_and_go__each_event_once_in_order(w):
    crowd, reads = Crowd(w, "many"), metric(w, "watch_reads")
    crowd.run()
    crowd.check()
    reads = metric(w, "watch_reads") - reads
    print("%d statements, %.0f a second" % (reads, reads / crowd.took))
    assert reads / crowd.took < 60, "not a handful of statements a second"
    w.until(lambda: metric(w, "watch_streams") == 0, "no stream left")


def server_killed_under_them_all__each_event_once_in_order(w):
    crowd = Crowd(w, "killed")
    w.kill("worker")  # so that the orders have most of their life before them

    def kill():
        w.until(lambda: metric(w, "watch_streams") > WATCHERS // 2, "a crowd")
        w.again("worker")
        w.kill("orderd")
        w.again("orderd")

    crowd.run(during=kill)
    crowd.check()
    assert sum(x.broken for x in crowd.watchers) > WATCHERS // 2
    w.until(lambda: metric(w, "watch_streams") == 0, "no stream left")


def at_the_end__the_books_are_right(w):
    w.audit()


with socket.create_server(("127.0.0.1", 0)) as free:  # a server started again is found where it was
    os.environ["GRPC_PORT"] = str(free.getsockname()[1])
run(thousand_watchers_come_and_go__each_event_once_in_order, server_killed_under_them_all__each_event_once_in_order,
    at_the_end__the_books_are_right)
