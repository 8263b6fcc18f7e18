"""./dev bench place: how many orders orderd takes, beside what PostgreSQL and gRPC do by themselves, in one run.

A figure of ours means nothing alone: machines differ and are never quiet.  So references and ours take turns, round by
round, on the same private servers, and what is told is the ratio of their medians (the design's R1, R1p, R2 and R3).  The
run ends with the books: nothing oversold, no counter adrift, and, after PostgreSQL was killed in the middle of work, every
order that was acknowledged found again.  The last line is JSON.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import overload
from servers import BUILD, ITEMS, PG_BIN, ROOT, Refused, Servers, median, said, spread

HERE = os.path.join(ROOT, "tests", "bench")
# One caller measures how much there is, so it may have it all.
ALL_TO_ONE = "max_in_flight_tenant = 2000\nmax_in_flight_caller = 2000\n"
SETTINGS = "fsync synchronous_commit full_page_writes autovacuum shared_buffers max_wal_size wal_level".split()
ORDER_TABLES = ("request contact orders order_line reservation stock_movement payment payment_attempt order_event job notification"
                " fulfillment_order shipment order_hold webhook_event").split()


# ---------------------------------------------------------------- what takes turns

class Pgbench:
    def __init__(self, servers, name, script, clients, orders_each, pipeline=False):
        self.servers, self.name, self.clients, self.orders_each = servers, name, clients, orders_each
        self.bases = iter(range(BASES[name], BASES[name] + 10**13, 10**11))
        text = open(os.path.join(HERE, script)).read()
        if pipeline:
            text = text.replace("\nBEGIN;\n", "\n\\startpipeline\nBEGIN;\n").replace("\nCOMMIT;\n", "\nCOMMIT;\n\\endpipeline\n")
        self.script = os.path.join(os.path.dirname(servers.dir), name + ".pgbench")
        with open(self.script, "w") as f:
            f.write(text)

    def measure(self, seconds):
        out = said(os.path.join(PG_BIN, "pgbench"), "-n", "-M", "prepared", "-c", str(self.clients), "-j", "2", "-T", str(seconds),
                   "-D", "n=0", "-D", "base=%d" % next(self.bases), "-D", "items=%d" % ITEMS, "-f", self.script,
                   "-h", self.servers.env["SOCKETS"], "-U", "postgres", "reference",  # passes the policies by: what PostgreSQL does by itself
                   env=dict(os.environ, PGOPTIONS="-c search_path=orderd"))
        done = int(re.search(r"transactions actually processed: (\d+)", out).group(1))
        failed = int(re.search(r"failed transactions: (\d+)", out).group(1))
        rate = float(re.search(r"tps = ([0-9.]+)", out).group(1))
        latency = float(re.search(r"latency average = ([0-9.]+) ms", out).group(1))
        if failed > 0:
            raise Refused("%s: %d transactions failed" % (self.name, failed))
        return {"per_second": rate * self.orders_each, "done": done * self.orders_each, "mean_ms": latency}


class Orderctl:
    def __init__(self, servers, name, verb, clients, *more, target=None):
        self.servers, self.name, self.verb, self.clients, self.more, self.target = servers, name, verb, clients, more, target
        self.seed = 0

    def measure(self, seconds):
        self.seed += 1
        out = said(self.servers.env["ORDERCTL"], "--json", "--server", self.target or self.servers.env["GRPC"], "bench", self.verb,
                   "--clients", str(self.clients), "--seconds", str(seconds), "--seed", str(self.seed), *self.more)
        result = json.loads(out.splitlines()[-1])
        if result["failed"] > 0:
            raise Refused("%s: %s" % (self.name, result["errors"]))
        result["done"] = result["started"]
        return result


BASES = {"R1": 10**12, "R1p": 3 * 10**13, "R2": 6 * 10**13}


# ---------------------------------------------------------------- the run

class Run:
    def __init__(self, options, directory):
        self.options = options
        self.servers = Servers(directory, ALL_TO_ONE)
        self.results = {}

    def prepare(self):
        """Both databases: the real schema, items, stock, some orders, good statistics, fresh connections."""
        s = self.servers
        s.start()
        s.psql("postgres", "CREATE DATABASE reference OWNER orderd_owner")
        said(os.path.join(s.env["DATA"], "bin", "orderd"), "migrate", "--postgres=host=%s dbname=reference user=orderd_owner" % s.env["SOCKETS"])
        s.orderctl("bench", "load", "--skus", str(ITEMS))
        s.psql("reference", "SET search_path = orderd",
               "INSERT INTO item (tenant, sku, title, unit_minor, currency, weight_g)"
               " SELECT 1, 'bench-' || n, 'Bench item', 1999, 'EUR', 250 FROM generate_series(1, %d) n" % ITEMS,
               "INSERT INTO location (tenant, code, name, street, city, region, postal_code, country)"
               " VALUES (1, 'BENCH', 'Bench', 'Ring 2', 'Berlin', '', '10115', 'DE')",
               "INSERT INTO stock (tenant, item, location, on_hand) SELECT 1, n, 1, 1000000 FROM generate_series(1, %d) n" % ITEMS)
        self.echo = subprocess.Popen([os.path.join(BUILD, "tests", "bench", "bench_echo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        echo = self.echo.stdout.readline().split("=")[1].strip()
        long_id = os.path.join(os.path.dirname(s.dir), "long_id")
        with open(long_id, "w") as f:
            f.write("x" * 197 + "\n")  # with its tag and length a message of 200 bytes
        clients = self.options.clients
        self.r1 = Pgbench(s, "R1", "one_order.pgbench", 16, 1)
        self.r1p = Pgbench(s, "R1p", "one_order.pgbench", 16, 1, pipeline=True)
        self.r2 = Pgbench(s, "R2", "many_orders.pgbench", 2, 256)
        self.r3 = Orderctl(s, "R3", "get", clients, "--ids", long_id, "--warmup", "0", target=echo)
        self.ours = Orderctl(s, "ours", "place", clients, "--skus", str(ITEMS), "--ids", s.ids)
        for one in (self.r1, self.r1p, self.r2, self.ours):
            one.measure(2)
        s.psql("reference", "VACUUM ANALYZE")
        s.psql("orderd", "VACUUM ANALYZE")
        s.restart("orderd")

    def rows_now(self):
        """Rows per table of both databases, and the units reserved.  Counted: statistics come late."""
        rows = {}
        for database in ("reference", "orderd"):
            counts = " UNION ALL ".join("SELECT '%s', count(*) FROM orderd.%s" % (t, t) for t in ORDER_TABLES)
            text = self.servers.psql(database, counts + " UNION ALL SELECT 'units', sum(reserved) FROM orderd.stock")
            rows[database] = {k: int(v) for k, v in (line.split("|") for line in text.splitlines())}
        return rows

    def log_now(self):
        return [int(n) for n in self.servers.psql("postgres", "SELECT wal_bytes, wal_sync FROM pg_stat_wal").split("|")]

    def measure(self, one, seconds):
        cpu = self.servers.cpu_s()
        wal, syncs = self.log_now()
        result = one.measure(seconds)
        used = self.servers.cpu_s()
        wal_now, syncs_now = self.log_now()
        n = max(1, result["done"])
        result["cpu_us"] = {k: (used[k] - cpu[k]) * 1e6 / n for k in used}
        result["wal_bytes"], result["syncs"] = (wal_now - wal) / n, (syncs_now - syncs) / n
        self.results.setdefault(one.name, []).append(result)
        print("  %-5s %8.0f/s" % (one.name, result["per_second"]), file=sys.stderr, flush=True)
        return result

    def rounds(self):
        before = self.rows_now()
        order = [self.r1, self.r1p, self.r2, self.r3, self.ours]
        for n in range(self.options.rounds):
            print("round %d of %d" % (n + 1, self.options.rounds), file=sys.stderr, flush=True)
            for one in order[n % len(order):] + order[:n % len(order)]:
                self.measure(one, self.options.seconds)
        after = self.rows_now()
        self.compare_rows(before, after)

    def done(self, *names):
        return sum(r["done"] for name in names for r in self.results[name])

    def compare_rows(self, before, after):
        """The rows of one order, ours and the references': not the same is not comparable."""
        per_order = {}
        for database, names in (("reference", ("R1", "R1p", "R2")), ("orderd", ("ours",))):
            n = self.done(*names)
            per_order[database] = {t: round((after[database][t] - before[database][t]) / n, 2) for t in after[database]
                                   if after[database][t] != before[database][t]}
        self.rows = per_order["orderd"]
        if per_order["reference"] != per_order["orderd"]:
            raise Refused("an order's rows differ from the references': %s" % per_order)

    # ---- the books

    def kill_in_the_middle(self):
        """PostgreSQL dies while orders come in; what was acknowledged until then must be there."""
        s = self.servers
        with open(s.ids) as f:
            before = len(f.readlines())
        load = subprocess.Popen([s.env["ORDERCTL"], "--server", s.env["GRPC"], "--deadline", "2000", "bench", "place", "--clients", "64",
                                 "--seconds", "4", "--ids", s.ids], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):  # until some were acknowledged
            if os.path.getsize(s.ids) // 37 > before + 1000 or load.poll() is not None:
                break
            time.sleep(0.01)
        s.run("kill", s.dir, "postgres", "KILL")
        load.wait(timeout=60)
        s.again("postgres")
        s.restart("orderd")

    def found_by(self, *audits):
        n = 0
        for audit in audits:
            with open(os.path.join(ROOT, "db", "audit", audit + ".sql")) as f:
                n += int(self.servers.psql("orderd", "SET search_path = orderd", "SELECT count(*) FROM (%s) x" % f.read()))
        return n

    def books(self):
        s = self.servers
        self.kill_in_the_middle()
        with open(s.ids) as f:
            self.acknowledged = sum(1 for _ in f)
        self.oversell = int(s.psql("orderd", "SELECT count(*) FROM orderd.stock WHERE reserved + allocated + unavailable > on_hand"))
        self.drift = self.found_by("stock_counters", "stock_reservations")
        self.missing = s.lost()
        said(os.path.join(ROOT, "tools", "audit-books"), "host=%s dbname=orderd user=postgres" % s.env["SOCKETS"])

    # ---- telling

    def rate(self, name):
        return [r["per_second"] for r in self.results[name]]

    def ratio(self, name):
        return median([a / b for a, b in zip(self.rate("ours"), self.rate(name))])

    def tell(self):
        ours = self.results["ours"]
        print("\n%-6s %-30s %s" % ("", "orders (R3: calls) per second", "us of CPU, bytes of log, flushes each"))
        for name, results in self.results.items():
            cpu = {k: median([r["cpu_us"][k] for r in results]) for k in results[0]["cpu_us"]}
            if "client_cpu_us" in results[0]:
                cpu["client"] = median([r["client_cpu_us"] for r in results])
            print("%-6s %-30s %s, log %.0f, flushes %.3f" % (
                name, spread(self.rate(name)), " ".join("%s %.0f" % c for c in cpu.items()),
                median([r["wal_bytes"] for r in results]), median([r["syncs"] for r in results])))
        for q in ("p50", "p90", "p99", "p99.9", "max"):
            print("ours %-6s %s ms" % (q, spread([r["latency_ms"][q] for r in ours], "%.1f")))
        for name in ("R1", "R1p", "R2"):
            print("ours / %-4s %.2f" % (name, self.ratio(name)))
        print("rows of one order: %s" % " ".join("%s %g" % r for r in sorted(self.rows.items())))
        print("server: %s" % " ".join("%s=%s" % s for s in self.settings.items()))
        print("acknowledged=%d oversell=%d drift=%d lost=%d" % (self.acknowledged, self.oversell, self.drift, self.missing))

    def summary(self):
        ours = self.results["ours"]
        return {
            "bench": "place", "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "rounds": self.options.rounds, "seconds": self.options.seconds, "clients": self.options.clients,
            "per_second": {name: round(median(self.rate(name))) for name in self.results},
            "p99_ms": median([r["latency_ms"]["p99"] for r in ours]),
            "oversell": self.oversell, "drift": self.drift, "lost": self.missing, "settings": self.settings,
            "ratio_r2": round(self.ratio("R2"), 3), "ratio_r1": round(self.ratio("R1"), 3), "ratio_r1p": round(self.ratio("R1p"), 3)}

    def go(self):
        self.prepare()
        self.settings = {k: self.servers.psql("postgres", "SHOW " + k) for k in SETTINGS}
        self.rounds()
        self.books()
        self.tell()
        summary = self.summary()
        out = os.path.join(ROOT, "bench", "results")
        os.makedirs(out, exist_ok=True)
        with open(os.path.join(out, summary["at"].replace(":", "").replace("+0000", "") + ".json"), "w") as f:
            json.dump(dict(summary, results=self.results, rows=self.rows), f, indent=1)
        print(json.dumps(summary))
        return 0 if self.oversell == self.drift == self.missing == 0 else 1

    def end(self):
        if getattr(self, "echo", None) is not None:
            self.echo.stdin.close()
            self.echo.wait(timeout=10)
        self.servers.erase()


def main():
    p = argparse.ArgumentParser(prog="./dev bench")
    p.add_argument("what", choices=["place", "overload"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5, help="of each turn")
    p.add_argument("--clients", type=int, default=128, help="calls under way (overload: while the peak is looked for)")
    p.add_argument("--lines", type=int, default=50, help="overload: of one order")
    p.add_argument("--deadline", type=int, default=2000, help="overload: of one order, in ms")
    options = p.parse_args()
    directory = tempfile.mkdtemp(prefix="orderd-bench.", dir="/var/tmp")
    os.chmod(directory, 0o755)
    run = Run(options, directory) if options.what == "place" else overload.Run(options, directory)
    try:
        return run.go()
    except Refused as e:
        print("bench: %s" % e, file=sys.stderr)
        return 1
    finally:
        run.end()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
