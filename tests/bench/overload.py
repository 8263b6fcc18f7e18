"""./dev bench overload: what is left of orderd's work when ten times as much is asked of it as it can do.

In each round of one run: first the peak, how many orders a second a closed loop gets out of it, for machines are never
quiet; then an open loop asks at that rate, and at ten times that rate, whatever becomes of the answers.  Told are goodput (orders acknowledged within the
deadline), the latency of those that were taken, what became of the others, and orderd's memory, sampled all the time.
The run ends with the books, and with every acknowledged order found in the database.  The last line is JSON.

The load comes from the same machine, so an order is made large enough (--lines) that asking ten times too much of it
does not cost more than what is measured; what everybody's CPU went to is told, too.
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


class Run:
    def __init__(self, options, directory):
        self.options = options
        self.servers = Servers(directory)
        self.turns, self.peaks = {"peak": [], "overload": []}, []

    def orderctl(self, clients, seconds, *more):
        """One bench; refusals are what it is about, so they are no failure of the run."""
        s, o = self.servers, self.options
        done = subprocess.run(
            [s.env["ORDERCTL"], "--json", "--server", s.env["GRPC"], "--deadline", str(o.deadline), "bench", "place", "--clients", str(clients),
             "--seconds", str(seconds), "--lines", str(o.lines), "--skus", str(ITEMS), "--ids", s.ids, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (0, 1) or not done.stdout.startswith("{"):
            raise Refused("orderctl: %s" % done.stderr[-600:])
        return json.loads(done.stdout.splitlines()[-1])

    def prepare(self):
        s = self.servers
        s.start()
        s.orderctl("bench", "load", "--skus", str(ITEMS))
        self.orderctl(self.options.clients, 3)
        s.psql("orderd", "VACUUM ANALYZE")
        s.restart("orderd")
        with open(os.path.join(s.env["DATA"], "run", "orderd.pid")) as f:
            self.pid = int(f.read().split()[0])

    def turn(self, name, rate):
        memory, cpu, begun = Memory(self.pid), self.servers.cpu_s(), time.monotonic()
        memory.start()
        result = self.orderctl(10000, self.options.seconds, "--rate", str(max(1, round(rate))))
        took = time.monotonic() - begun
        memory.end()
        used = self.servers.cpu_s()
        result["rss_mib"] = {"before": memory.first, "most": memory.most, "after": memory.last}
        result["cores"] = {k: (used[k] - cpu[k]) / took for k in used}
        result["cores"]["client"] = result["client_cpu_us"] * result["started"] / 1e6 / took
        result["asked_per_second"] = result["started"] / (self.options.seconds + 1)  # its second of warming up
        self.turns[name].append(result)
        print("  %-8s asked %6.0f/s, good %6.0f/s, p99 %6.0f ms, %s" % (
            name, result["asked_per_second"], result["per_second"], result["latency_ms"]["p99"], result["errors"]),
            file=sys.stderr, flush=True)

    def rounds(self):
        for n in range(self.options.rounds):
            peak = self.orderctl(self.options.clients, self.options.seconds)["per_second"]
            print("round %d of %d: %.0f orders/s" % (n + 1, self.options.rounds, peak), file=sys.stderr, flush=True)
            self.peaks.append(peak)
            turns = [("peak", peak), ("overload", TIMES * peak)]
            for name, rate in turns if n % 2 == 0 else reversed(turns):
                self.turn(name, rate)

    def books(self):
        s = self.servers
        with open(s.ids) as f:
            self.acknowledged = sum(1 for _ in f)
        self.missing = s.lost()
        said(os.path.join(ROOT, "tools", "audit-books"), "host=%s dbname=orderd user=orderd" % s.env["SOCKETS"])

    # ---- telling

    def figures(self, name, *path):
        values = self.turns[name]
        for key in path:
            values = [v[key] for v in values]
        return values

    def tell(self):
        print("\n%d lines an order, deadline %d ms, %d rounds of %d s; closed loop's peak %s orders/s" % (
            self.options.lines, self.options.deadline, self.options.rounds, self.options.seconds, spread(self.peaks)))
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
        print("acknowledged=%d lost=%d" % (self.acknowledged, self.missing))

    def kept(self):
        """Beside the better of the two loops at peak."""
        return median([over / max(closed, at_peak) for closed, at_peak, over in
                       zip(self.peaks, self.figures("peak", "per_second"), self.figures("overload", "per_second"))])

    def summary(self):
        return {"bench": "overload", "lines": self.options.lines, "deadline_ms": self.options.deadline, "peak": round(median(self.peaks)),
                "asked": {n: round(median(self.figures(n, "asked_per_second"))) for n in self.turns},
                "goodput": {n: round(median(self.figures(n, "per_second"))) for n in self.turns},
                "kept": round(self.kept(), 3),
                "p99_ms": {n: round(median(self.figures(n, "latency_ms", "p99"))) for n in self.turns},
                "rss_mib": {n: round(max(self.figures(n, "rss_mib", "most"))) for n in self.turns},
                "cores": {n: {k: round(statistics.median(self.figures(n, "cores", k)), 2) for k in self.turns[n][0]["cores"]}
                          for n in self.turns},
                "lost": self.missing}

    def go(self):
        self.prepare()
        self.rounds()
        self.books()
        self.tell()
        print(json.dumps(self.summary()))
        return 0 if self.missing == 0 and self.kept() >= GOOD else 1

    def end(self):
        self.servers.erase()
