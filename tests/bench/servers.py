"""The private servers of a bench, and how its figures are read."""
import os
import statistics
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = os.path.join(ROOT, "tests", "support", "servers.sh")
BUILD = os.environ.get("ORDERD_BUILD", os.path.join(ROOT, "build", "release"))
PG_BIN = os.environ.get("SERVERS_PG_BIN", "/usr/lib/postgresql/15/bin")
ITEMS = 10000
# An order that nobody pays for must not expire while it is measured how fast others come in.
CONFIG = "reservation_s = 86400\n"
# As PostgreSQL comes: no statistics per statement, which R1's many statements would pay for more than ours.
PG_ARGS = "-c shared_preload_libraries="
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Refused(Exception):
    """The bench cannot say anything, and why."""


def said(*args, **more):
    done = subprocess.run(list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    if done.returncode != 0:
        raise Refused("%s: %s" % (" ".join(args[:3]), (done.stderr.strip() or done.stdout.strip())[-600:]))
    return done.stdout


class Servers:
    """PostgreSQL, Redis and orderd of this run's own; the worker is stopped, so that orders stay as they were placed."""

    def __init__(self, directory, config=""):
        self.dir = os.path.join(directory, "w")
        self.extra = os.path.join(directory, "extra.conf")
        with open(self.extra, "w") as f:
            f.write(CONFIG + config)
        self.ids = os.path.join(directory, "acknowledged")
        open(self.ids, "w").close()

    env_more = {}  # what servers.sh understands besides

    def run(self, *args):
        said("bash", SERVERS, *args, env=dict(os.environ, SERVERS_EXTRA_CONFIG=self.extra, SERVERS_PG_ARGS=PG_ARGS, **self.env_more))

    def start(self):
        self.run("start", self.dir, BUILD)
        self.read_env()
        self.run("kill", self.dir, "worker", "TERM")

    def read_env(self):
        names = "DATA SOCKETS GRPC GRPCS EDGE ORDERCTL"
        text = said("bash", "-c", "source %s/env; for v in %s; do echo $v=${!v}; done" % (self.dir, names))
        self.env = dict(line.split("=", 1) for line in text.splitlines())

    def again(self, name):
        self.run("again", self.dir, name)
        self.read_env()

    def restart(self, name):
        self.run("kill", self.dir, name)  # KILL: that waits until it is gone
        self.again(name)

    def psql(self, database, *sql, user="postgres"):
        args = [a for s in sql for a in ("-c", s)]
        return said(os.path.join(PG_BIN, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.env["SOCKETS"],
                    "-U", user, "-d", database, *args).strip()

    def orderctl(self, *args):
        return said(self.env["ORDERCTL"], "--server", self.env["GRPC"], *args)

    def lost(self):
        """Orders that were acknowledged and are not in the database."""
        return int(said(os.path.join(PG_BIN, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.env["SOCKETS"],
                        "-U", "postgres", "-d", "orderd", input=
                        "CREATE TEMP TABLE told (id uuid);\n\\copy told FROM '%s'\nANALYZE told;\n"
                        "SELECT count(*) FROM told WHERE NOT EXISTS (SELECT FROM orderd.orders o WHERE o.id = told.id);\n" % self.ids))

    def erase(self):
        subprocess.run(["bash", SERVERS, "erase", self.dir], check=False, stdout=subprocess.DEVNULL)

    def cpu_s(self):
        """Seconds of CPU so far: {"orderd", "redis", "postgres"}; postgres with its children, ended ones too.  One that ends
        while we count is in neither sum, so the turn's own sessions are waited for."""
        deadline = time.monotonic() + 5
        while int(self.psql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'reference'"
                            " AND backend_type = 'client backend'")) > 0:
            if time.monotonic() > deadline:
                raise Refused("sessions of a reference do not end")
            time.sleep(0.05)
        time.sleep(0.05)  # gone from the view a moment before the process is
        used = {}
        for pid, name, leads in self.processes():
            used[name] = used.get(name, 0) + ticks(pid, with_ended_children=leads)
        return {name: n / CLOCK_TICKS for name, n in used.items()}

    def processes(self):
        """(pid, "orderd" | "redis" | "postgres", whether it is the first of them) of all there are."""
        leaders = {self.pid_of(name): name for name in ("orderd", "redis", "postgres")}
        found = [(pid, name, True) for pid, name in leaders.items()]
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            parent = leaders.get(parent_of(pid))
            if parent is not None:
                found.append((pid, parent, False))
        return found

    def pid_of(self, name):
        with open(os.path.join(self.env["DATA"], "run", name + ".pid")) as f:
            return int(f.read().split()[0])

    def settle(self, cpus):
        """Who runs where: {"postgres": {0}, ...}.  Their children follow."""
        for pid, name, _ in self.processes():
            for thread in threads_of(pid):
                try:
                    os.sched_setaffinity(thread, cpus[name])
                except ProcessLookupError:
                    pass  # it has ended


def stat_of(pid):
    """What proc(5) says behind the command's name, or nothing when it has ended."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rsplit(") ", 1)[1].split()
    except OSError:
        return None


def threads_of(pid):
    try:
        return [int(thread) for thread in os.listdir("/proc/%d/task" % pid)]
    except OSError:
        return []


def parent_of(pid):
    stat = stat_of(pid)
    return int(stat[1]) if stat else 0


def ticks(pid, with_ended_children=False):
    stat = stat_of(pid)
    return sum(int(n) for n in stat[11:15 if with_ended_children else 13]) if stat else 0


def median(values):
    return statistics.median(values) if values else 0.0


def spread(values, form="%.0f"):
    return (form + " (" + form + "-" + form + ")") % (median(values), min(values), max(values))
