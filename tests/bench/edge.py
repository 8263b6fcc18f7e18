"""./dev bench edge: what a call costs with nginx in front, beside orderd's own TLS listener and its unix socket.

The three ways take turns, round by round, on the same private servers, with the same API key, the same number of calls under
way and the same orders; what is told is each one's rate and 99th percentile as a ratio to the unix socket's, medians of all
rounds.  The caller, nginx, orderd and PostgreSQL share this machine's processors, so nginx's share is in the figures.  The last
line is JSON.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile

from servers import Refused, Servers, median, said

ITEMS = 1000
ORDERS = 2000


class EdgeServers(Servers):
    # This machine's calls are not counted: it is measured how fast it goes, not where it ends.
    env_more = {"SERVERS_EDGE": "1", "SERVERS_EDGE_DIRECT": "1", "SERVERS_EDGE_ARGS": "trusted=127.0.0.1 connections=4096"}

    def file(self, name):
        return os.path.join(self.env["DATA"], "edge", name)

    def ways(self):
        """What orderctl is told of each."""
        tls = ["--tls-ca", self.file("ca.pem")]
        return {"unix": ["--server", "unix:%s/edge.sock" % self.env["SOCKETS"]],
                "tls": ["--server", self.env["GRPCS"], *tls],
                "edge": ["--server", self.env["EDGE"], *tls]}

    def orderctl(self, way, *args):
        return said(self.env["ORDERCTL"], "--json", *self.ways()[way], "--token-file", self.file("root.key"), *args)


def measured(servers, way, verb, options):
    more = ["--skus", str(ITEMS)] if verb == "place" else ["--ids", servers.ids]
    out = servers.orderctl(way, "bench", verb, "--clients", str(options.clients), "--seconds", str(options.seconds), "--seed", "1", *more)
    result = json.loads(out.splitlines()[-1])
    if result["failed"] > 0:
        raise Refused("%s through %s: %s" % (verb, way, result["errors"]))
    return {"per_second": result["per_second"], "p50_ms": result["latency_ms"]["p50"], "p99_ms": result["latency_ms"]["p99"]}


def rounds(servers, options):
    found = {}
    ways = list(servers.ways())
    for n in range(options.rounds):
        for verb in ("get", "place"):
            for way in ways[n % 3:] + ways[:n % 3]:
                result = measured(servers, way, verb, options)
                found.setdefault((verb, way), []).append(result)
                print("  %-5s %-4s %8.0f/s  p99 %7.2f ms" % (verb, way, result["per_second"], result["p99_ms"]), file=sys.stderr, flush=True)
    return {key: {name: median([r[name] for r in results]) for name in results[0]} for key, results in found.items()}


def told(found, options):
    rows = []
    print("%d calls under way, %d rounds of %d s; medians" % (options.clients, options.rounds, options.seconds))
    print("%-6s %-5s %10s %8s %9s %9s %8s" % ("call", "way", "calls/s", "ratio", "p50 ms", "p99 ms", "ratio"))
    for (verb, way), r in found.items():
        base = found[verb, "unix"]
        row = {"call": verb, "way": way, **{k: round(v, 3) for k, v in r.items()},
               "rate_ratio": round(r["per_second"] / base["per_second"], 3), "p99_ratio": round(r["p99_ms"] / base["p99_ms"], 3)}
        rows.append(row)
        print("%-6s %-5s %10.0f %8.2f %9.2f %9.2f %8.2f" % (verb, way, r["per_second"], row["rate_ratio"], r["p50_ms"], r["p99_ms"], row["p99_ratio"]))
    print(json.dumps({"bench": "edge", "clients": options.clients, "rounds": options.rounds, "seconds": options.seconds, "rows": rows}))


def main():
    p = argparse.ArgumentParser(prog="./dev bench edge")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=5, help="of each turn")
    p.add_argument("--clients", type=int, default=32, help="calls under way")
    options = p.parse_args()
    directory = tempfile.mkdtemp(prefix="orderd-bench.", dir="/var/tmp")
    os.chmod(directory, 0o755)
    servers = EdgeServers(directory)
    try:
        servers.start()
        servers.orderctl("unix", "bench", "load", "--skus", str(ITEMS))
        servers.orderctl("unix", "bench", "place", "--orders", str(ORDERS), "--skus", str(ITEMS), "--ids", servers.ids)
        servers.psql("orderd", "VACUUM ANALYZE")  # what autovacuum would do in a minute
        servers.restart("orderd")
        told(rounds(servers, options), options)
        return 0
    except Refused as e:
        print("bench: %s" % e, file=sys.stderr)
        return 1
    finally:
        servers.run("erase", servers.dir)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
