"""A thousand watchers that come and go while orders move: each sees every event exactly once, in order."""
import asyncio
import random
import threading
import time

import grpc
from watching import metric
from world import run

SEED = 20261125
WATCHERS, ORDERS, CHANNELS, RECONNECTS_MAX = 1000, 100, 10, 3
DEADLINE_S = 240  # of the whole; some seconds when nobody else uses the machine


class Watcher:
    def __init__(self, w, chance, channel, order, figures):
        self.order, self.figures, self.seen = order, figures, []
        self.svc = w.pb["order_service"]
        self.call = channel.unary_stream("/orderd.v1.OrderService/WatchOrder", self.svc.WatchOrderRequest.SerializeToString,
                                         self.svc.WatchOrderResponse.FromString)
        # How many events it reads from each stream before it leaves; then one to the end.
        self.leaves = [chance.randrange(0, 6) for _ in range(chance.randrange(RECONNECTS_MAX + 1))]

    async def stream(self, most):
        """One stream from where we are; True: the order has ended."""
        call = self.call(self.svc.WatchOrderRequest(order_id=self.order, after_sequence=len(self.seen)), timeout=DEADLINE_S)
        self.figures["streams"] += 1
        if most == 0:
            call.cancel()
            return False
        async for m in call:
            if m.WhichOneof("what") != "event":
                continue
            self.seen.append(m.event.sequence)
            sent = m.event.event_time
            self.figures["late"].append(time.time() - sent.seconds - sent.nanos / 1e9)
            if most is not None and len(self.seen) - self.begun >= most:
                call.cancel()
                return False
        return True

    async def run(self):
        for most in self.leaves + [None] * 10:
            self.begun = len(self.seen)
            try:
                if await self.stream(most):
                    return
            except asyncio.CancelledError:
                raise
            except grpc.RpcError as e:
                assert e.code().name in ("CANCELLED", "UNAVAILABLE"), e
                self.figures["broken"] += 1
        raise AssertionError("never at the end: %s" % self.seen)


async def watch_all(w, placed, figures):
    chance = random.Random(SEED)
    channels = [grpc.aio.insecure_channel(w.env["GRPC"], options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(CHANNELS)]
    watchers, tasks = [], []
    for n in range(ORDERS):
        order = await asyncio.wait_for(placed.get(), DEADLINE_S)
        for k in range(WATCHERS // ORDERS):
            watcher = Watcher(w, chance, channels[(n + k) % CHANNELS], order, figures)
            watchers.append(watcher)
            tasks.append(asyncio.ensure_future(watcher.run()))
    await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)
    for channel in channels:
        await channel.close()
    return watchers


def thousand_watchers__each_event_once_in_order(w):
    figures = {"streams": 0, "broken": 0, "late": []}
    loop = asyncio.new_event_loop()
    placed = asyncio.Queue()
    failed = []

    def place_them():
        try:
            for n in range(ORDERS):
                order = w.place(lines=[("mug", 1 + n % 3)], customer="many").order_id
                loop.call_soon_threadsafe(placed.put_nowait, order)
        except Exception as e:  # the watchers would wait for ever
            failed.append(e)
            raise

    buyer = threading.Thread(target=place_them)
    reads, started = metric(w, "watch_reads"), time.monotonic()
    buyer.start()
    try:
        watchers = loop.run_until_complete(watch_all(w, placed, figures))
    finally:
        buyer.join()
        loop.close()
    assert not failed and len(watchers) == WATCHERS
    took, reads = time.monotonic() - started, metric(w, "watch_reads") - reads
    versions = {row[0]: int(row[1]) for row in w.sql("SELECT id, version FROM orders WHERE customer = 'many'")}
    assert len(versions) == ORDERS
    for watcher in watchers:
        assert watcher.seen == list(range(1, versions[watcher.order] + 1)), (watcher.order, watcher.leaves, watcher.seen)
    events, late = sum(len(x.seen) for x in watchers), sorted(figures["late"])
    print("seed %d: %d watchers of %d orders saw %d events in %d streams, %.1f s, %d statements (%.0f/s), "
          "from commit to reader p50 %.0f ms p99 %.0f ms" % (
              SEED, WATCHERS, ORDERS, events, figures["streams"], took, reads, reads / took,
              1000 * late[len(late) // 2], 1000 * late[len(late) * 99 // 100]))
    assert reads / took < 60, "not a handful of statements a second"
    w.until(lambda: metric(w, "watch_streams") == 0, "no stream left")


def at_the_end__the_books_are_right(w):
    w.audit()


run(thousand_watchers__each_event_once_in_order, at_the_end__the_books_are_right)
