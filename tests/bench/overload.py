"""./dev bench overload: what is left of orderd's work when ten times as much is asked of it as it can do.

In each round of one run: first the peak, how many orders a second a closed loop gets out of it, for machines are never
quiet; then an open loop asks at that rate, and at ten times that rate, whatever becomes of the answers.  Told are goodput
(orders acknowledged within the deadline), the latency of those that were taken, what became of the others, and orderd's
memory, sampled all the time.  The run ends with the books, and with every acknowledged order found in the database.  The
last line is JSON.

Refusing costs a processor something, and so does asking.  Whether orders pay for it is a matter of what shares a processor
with what, so each round is run twice: with the database on processors of its own, as if it were elsewhere, which is what
counts; and with all of it, the callers too, on all processors.  An order is made large enough (--lines) for the database to be
what limits the peak.
"""
import json
import os
import statistics
import subprocess
import sys
import threading
import time

from servers import ITEMS, ROOT, Refused, Servers, median, said, spread

TIMES = 10
SAMPLE_S = 0.1
GOOD = 0.9  # of the peak's goodput is what shall be left
TOLD = {"apart": "the database on processors of its own", "together": "all on the same processors"}


class Memory(threading.Thread):
    """The highest VmRSS of a process, in MiB, while it is looked at."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.most, self.over = "/proc/%d/status" % pid, 0.0, threading.Event()
        self.first = self.now()

    def now(self):
        with open(self.path) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024

    def run(self):
        while not self.over.wait(SAMPLE_S):
            self.most = max(self.most, self.now())

    def end(self):
        self.over.set()
        self.join()
        self.last = self.now()
        self.most = max(self.most, self.last)


def placements():
    """[(name, {who: processors})], what counts first; a single processor is everybody's."""
    everything = os.sched_getaffinity(0)
    cpus = sorted(everything)
    database, others = set(cpus[:len(cpus) // 2]), set(cpus[len(cpus) // 2:])
    who = "postgres orderd redis caller".split()
    apart = {w: database if w == "postgres" else others for w in who}
    together = ("together", {w: everything for w in who})
    return [("apart", apart), together] if database else [together]


class Placed:
    """What was measured with everybody in one place."""

    def __init__(self, name, cpus):
        self.name, self.cpus = name, cpus
        self.turns, self.peaks = {"peak": [], "overload": []}, []

    def figures(self, name, *path):
        values = self.turns[name]
        for key in path:
            values = [v[key] for v in values]
        return values

    def kept(self):
        """Beside the better of the two loops at peak."""
        return median([over / max(closed, at_peak) for closed, at_peak, over in
                       zip(self.peaks, self.figures("peak", "per_second"), self.figures("overload", "per_second"))])

    def tell(self):
        print("\n%s: closed loop's peak %s orders/s" % (TOLD[self.name], spread(self.peaks)))
        print("%-30s %-26s %s" % ("", "at peak", "at %d times the peak" % TIMES))
        rows = [("asked a second", ("asked_per_second",), "%.0f"), ("goodput, orders a second", ("per_second",), "%.0f")]
        rows += [("taken: %s, ms" % q, ("latency_ms", q), "%.0f") for q in ("p50", "p99", "max")]
        rows += [("memory %s, MiB" % w, ("rss_mib", w), "%.1f") for w in ("before", "most", "after")]
        rows += [("cores: %s" % w, ("cores", w), "%.2f") for w in ("orderd", "postgres", "redis", "client")]
        for label, path, form in rows:
            print("%-30s %-26s %s" % (label, spread(self.figures("peak", *path), form), spread(self.figures("overload", *path), form)))
        for name, results in self.turns.items():
            total = {}
            for r in results:
                for reason, n in r["errors"].items():
                    total[reason] = total.get(reason, 0) + n
            print("refused at %-8s %s" % (name, " ".join("%s=%d" % e for e in sorted(total.items())) or "nobody"))
        print("goodput at %d times the peak / the best of its round at peak: %.2f" % (TIMES, self.kept()))

    def summary(self):
        return {"peak": round(median(self.peaks)),
                "asked": {n: round(median(self.figures(n, "asked_per_second"))) for n in self.turns},
                "goodput": {n: round(median(self.figures(n, "per_second"))) for n in self.turns},
                "kept": round(self.kept(), 3),
                "p99_ms": {n: round(median(self.figures(n, "latency_ms", "p99"))) for n in self.turns},
                "rss_mib": {n: round(max(self.figures(n, "rss_mib", "most"))) for n in self.turns},
                "cores": {n: {k: round(statistics.median(self.figures(n, "cores", k)), 2) for k in self.turns[n][0]["cores"]}
                          for n in self.turns}}


class Run:
    def __init__(self, options, directory):
        self.options = options
        self.servers = Servers(directory)
        self.placed = [Placed(*p) for p in placements()]

    def orderctl(self, place, clients, seconds, *more):
        """One bench; refusals are what it is about, so they are no failure of the run."""
        s, o = self.servers, self.options
        done = subprocess.run(
            [s.env["ORDERCTL"], "--json", "--server", s.env["GRPC"], "--deadline", str(o.deadline), "bench", "place", "--clients", str(clients),
             "--seconds", str(seconds), "--lines", str(o.lines), "--skus", str(ITEMS), "--ids", s.ids, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, place.cpus["caller"]))
        if done.returncode not in (0, 1) or not done.stdout.startswith("{"):
            raise Refused("orderctl: %s" % done.stderr[-600:])
        return json.loads(done.stdout.splitlines()[-1])

    def prepare(self):
        s = self.servers
        s.start()
        s.orderctl("bench", "load", "--skus", str(ITEMS))
        self.orderctl(self.placed[-1], self.options.clients, 3)
        s.psql("orderd", "VACUUM ANALYZE")
        s.restart("orderd")

    def turn(self, place, name, rate):
        memory, cpu, begun = Memory(self.servers.pid_of("orderd")), self.servers.cpu_s(), time.monotonic()
        memory.start()
        result = self.orderctl(place, 10000, self.options.seconds, "--rate", str(max(1, round(rate))))
        took = time.monotonic() - begun
        memory.end()
        used = self.servers.cpu_s()
        result["rss_mib"] = {"before": memory.first, "most": memory.most, "after": memory.last}
        result["cores"] = {k: (used[k] - cpu[k]) / took for k in used}
        result["cores"]["client"] = result["client_cpu_us"] * result["started"] / 1e6 / took
        result["asked_per_second"] = result["started"] / (self.options.seconds + 1)  # its second of warming up
        place.turns[name].append(result)
        print("  %-8s asked %6.0f/s, good %6.0f/s, p99 %6.0f ms, %s" % (
            name, result["asked_per_second"], result["per_second"], result["latency_ms"]["p99"], result["errors"]),
            file=sys.stderr, flush=True)

    def round(self, n, place):
        self.servers.settle(place.cpus)
        peak = self.orderctl(place, self.options.clients, self.options.seconds)["per_second"]
        print("round %d of %d, %s: %.0f orders/s" % (n + 1, self.options.rounds, place.name, peak), file=sys.stderr, flush=True)
        place.peaks.append(peak)
        turns = [("peak", peak), ("overload", TIMES * peak)]
        for name, rate in turns if n % 2 == 0 else reversed(turns):
            self.turn(place, name, rate)

    def books(self):
        s = self.servers
        with open(s.ids) as f:
            self.acknowledged = sum(1 for _ in f)
        self.missing = s.lost()
        said(os.path.join(ROOT, "tools", "audit-books"), "host=%s dbname=orderd user=orderd" % s.env["SOCKETS"])

    def tell(self):
        print("\n%d lines an order, deadline %d ms, %d rounds of %d s" % (
            self.options.lines, self.options.deadline, self.options.rounds, self.options.seconds))
        for place in self.placed:
            place.tell()
        print("\nacknowledged=%d lost=%d" % (self.acknowledged, self.missing))

    def summary(self):
        return {"bench": "overload", "lines": self.options.lines, "deadline_ms": self.options.deadline,
                "kept": round(self.placed[0].kept(), 3), **{p.name: p.summary() for p in self.placed}, "lost": self.missing}

    def go(self):
        self.prepare()
        for n in range(self.options.rounds):
            for place in self.placed:
                self.round(n, place)
        self.books()
        self.tell()
        print(json.dumps(self.summary()))
        return 0 if self.missing == 0 and self.placed[0].kept() >= GOOD else 1

    def end(self):
        self.servers.erase()
