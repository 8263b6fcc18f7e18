"""A private PostgreSQL and batches as the store sends them, for judges of db/queries.

The statements come from `sqlgen --print`, so what is judged is what the program runs.
Server() is started on a unix socket in a fresh directory and stopped by its pid.
Session speaks the simple query protocol (PostgreSQL manual, chapter 55).  Store.run()
puts units into one transaction in the store's order: locks, kinds by rank, stock last.
"""

import ctypes
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_S = 30   # a server that is not up by then is a failure
RACES_MAX = 5  # tries of a batch that loses stock to another session
AGAIN_MAX = 200


def bindir():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "")]
    return found[-1]


def as_server_user():
    """PostgreSQL refuses to run as root."""
    return dict(user="postgres", group="postgres", extra_groups=[]) if os.getuid() == 0 else {}


def end_with_parent():
    """In the child: a judge that is killed takes its server along (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


class Server:
    def __init__(self, *settings):
        self.data = tempfile.mkdtemp(prefix="orderd-sql.", dir="/var/tmp")
        self.run = tempfile.mkdtemp(prefix="orderd-sql.", dir="/tmp")
        os.chmod(self.run, 0o755)
        if os.getuid() == 0:
            shutil.chown(self.data, "postgres")
            shutil.chown(self.run, "postgres")
        subprocess.run([bindir() + "/initdb", "-D", self.data, "-U", "orderd", "-A", "trust", "--no-sync", "-E", "UTF8",
                        "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd="/", **as_server_user())
        options = ["fsync=off", "listen_addresses=", "unix_socket_directories=" + self.run, "autovacuum=off"]
        argv = [bindir() + "/postgres", "-D", self.data]
        for option in options + list(settings):
            argv += ["-c", option]
        self.process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, cwd="/", preexec_fn=end_with_parent, **as_server_user())

    def session(self, database="postgres"):
        limit = time.monotonic() + START_S
        while True:
            try:
                return Session(self.run + "/.s.PGSQL.5432", database)
            except (OSError, SqlError) as e:
                if isinstance(e, SqlError) and e.state != "57P03":
                    raise
                if time.monotonic() > limit or self.process.poll() is not None:
                    raise RuntimeError("the private PostgreSQL did not start") from e
                time.sleep(0.02)

    def database(self, name):
        """A migrated database of its own."""
        with self.session() as s:
            s.query(f"CREATE DATABASE {name}")
        with self.session(name) as s:
            s.query(f"CREATE SCHEMA orderd; CREATE TABLE orderd.schema_migration (version int);"
                    f"ALTER DATABASE {name} SET search_path = orderd")
        with self.session(name) as s:
            for path in sorted((ROOT / "db/migrations").glob("*.sql")):
                s.query(path.read_text())
            guard_moves(s)
        return name

    def stop(self):
        try:  # the postmaster itself: runuser does not pass signals on in time
            with open(self.data + "/postmaster.pid") as f:
                os.kill(int(f.readline()), 2)
        except (OSError, ValueError):
            self.process.terminate()
        self.process.wait(timeout=START_S)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.run, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


MACHINES = {"The payment of a group": "payment", "A fulfilment order": "fulfillment_order", "A shipment": "shipment", "A job": "job"}


def documented_moves():
    """table -> {(from or None, to)} of docs/states.md, which is made from core/domain/machine_table.h."""
    moves, table = {}, None
    for line in (ROOT / "docs/states.md").read_text().splitlines():
        row = re.fullmatch(r"\| (\w*) \| (\w+) \| .* \|", line)
        if line.startswith("## "):
            table = MACHINES.get(line[3:])
        elif row and table and row[2] != "to":
            moves.setdefault(table, set()).add((row[1] or None, row[2]))
    assert set(moves) == set(MACHINES.values()), moves.keys()
    return moves


def guard_moves(session):
    """From here on our own statements make no move that the document does not have; what a judge changes by hand is his."""
    session.query("""CREATE FUNCTION public.guard_move() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_query() LIKE 'EXECUTE %' THEN
                RAISE EXCEPTION 'a % goes from % to %, which docs/states.md does not know', TG_TABLE_NAME,
                    CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.state;
            END IF;
            RETURN NULL;
        END $$""")
    for table, moves in documented_moves().items():
        births = ", ".join(f"'{b}'" for a, b in moves if a is None)
        others = ", ".join(f"'{a}>{b}'" for a, b in moves if a is not None)
        session.query(f"""CREATE TRIGGER guard_birth AFTER INSERT ON {table} FOR EACH ROW
            WHEN (NEW.state NOT IN ({births})) EXECUTE FUNCTION public.guard_move();
            CREATE TRIGGER guard_move AFTER UPDATE ON {table} FOR EACH ROW
            WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({others}))
            EXECUTE FUNCTION public.guard_move()""")


class SqlError(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields.get('C')} {fields.get('M')} {fields.get('D', '')}")
        self.state, self.constraint = fields.get("C"), fields.get("n")


class Session:
    def __init__(self, path, database):
        self.sock = socket.socket(socket.AF_UNIX)
        self.file = self.sock.makefile("rb")
        try:
            self.sock.connect(path)
            body = struct.pack("!i", 196608) + b"user\0orderd\0database\0" + database.encode() + b"\0\0"
            self.sock.sendall(struct.pack("!i", len(body) + 4) + body)
            self.answer()
        except (OSError, SqlError):
            self.close()
            raise

    def query(self, sql):
        """Rows of the last statement that has any, as lists of text or None."""
        self.send(sql)
        return self.answer()

    def send(self, sql):
        body = sql.encode() + b"\0"
        self.sock.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)

    def answer(self):
        rows, error = [], None
        while True:
            head = self.file.read(5)
            if len(head) < 5:
                raise OSError("the server has gone")
            body = self.file.read(struct.unpack("!i", head[1:])[0] - 4)
            kind = head[:1]
            if kind == b"T":
                rows, self.oids = [], oids_of(body)
            elif kind == b"D":
                rows.append(fields_of(body))
            elif kind == b"E":
                error = SqlError({f[:1].decode(): f[1:].decode() for f in body.split(b"\0") if f})
            elif kind == b"Z":
                break
        if error:
            raise error
        return rows

    def describe(self, name):
        """Type oids of a prepared statement's result, by the extended protocol."""
        body = b"S" + name.encode() + b"\0"
        self.sock.sendall(b"D" + struct.pack("!i", len(body) + 4) + body + b"S" + struct.pack("!i", 4))
        self.oids = []
        self.answer()
        return self.oids

    def one(self, sql):
        return self.query(sql)[0][0]

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def oids_of(body):
    at, oids = 2, []
    for _ in range(struct.unpack("!h", body[:2])[0]):
        at = body.index(b"\0", at) + 1 + 6  # name, table, column
        oids.append(struct.unpack("!i", body[at:at + 4])[0])
        at += 12
    return oids


def fields_of(body):
    at, row = 2, []
    for _ in range(struct.unpack("!h", body[:2])[0]):
        size = struct.unpack("!i", body[at:at + 4])[0]
        at += 4
        row.append(None if size < 0 else body[at:at + size].decode())
        at += max(size, 0)
    return row


class Kind:
    """What the header of a unit kind says."""

    def __init__(self, path):
        self.name, self.text = path.stem, path.read_text()
        self.lane = self.field(r"lane: (\w+)")
        self.rank = int(self.field(r"rank: (\d+)") or 0)
        self.head = self.columns("head")
        self.line = self.columns("line")
        self.answer = self.columns("answer")
        self.locks = self.field(r"^-- locks: (.*)$") or ""
        self.stock = self.field(r"^-- stock: (\w+)")
        self.again = self.field(r"^-- again: (\w+)")

    def tenants(self, units):
        """Of units [(head, lines)], as the store tells them to the policies; '*' for a kind that knows none."""
        if self.head[0][0] == "tenant":
            return {u[0]["tenant"] for u in units}
        if "tenant" in dict(self.line):
            return {line["tenant"] for u in units for line in u[1]}
        return "*"

    def field(self, pattern):
        found = re.search(pattern, self.text, re.M)
        return found.group(1) if found else None

    def columns(self, what):
        found = re.findall(rf"^-- {what}: (.*)$", self.text, re.M)  # a long list goes on in another line
        return [tuple(c.split()) for line in found for c in line.split(",")]


def array(values, sql_type):
    def one(v):
        if v is None:
            return "NULL"
        if isinstance(v, bytes):
            return "'\\x" + v.hex() + "'"
        return "'" + str(v).replace("'", "''") + "'"
    return "ARRAY[" + ", ".join(one(v) for v in values) + "]::" + sql_type.rstrip("?") + "[]"


def kinds():
    return {p.stem: Kind(p) for p in sorted((ROOT / "db/queries").glob("*.sql"))}


def statements(sqlgen):
    """name -> PREPARE statement"""
    text = subprocess.run([sqlgen, f"--queries={ROOT}/db/queries", "--print"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    blocks = re.split(r"^-- (?:shared|unit) (\w+)\n", text, flags=re.M)
    return dict(zip(blocks[1::2], blocks[2::2]))


class Store:
    """One connection as the store has it: everything prepared, batches, expected clashes tried again.  Inside a batch, and only
    there, it acts as a program's role and sees the batch's tenants; the judge's own queries see everything."""

    def __init__(self, session, prepared, role="orderd_worker"):
        self.session, self.kinds, self.races, self.role = session, kinds(), 0, role
        session.query("SET plan_cache_mode = force_generic_plan; SET jit = off")
        for text in prepared.values():
            session.query(text)

    def execute(self, kind, units):
        """The statement of one kind over its units [(head, lines)] -> rows as dicts, by unit."""
        args = [array([u[0].get(name) if t.endswith("?") else u[0][name] for u in units], t) for name, t in kind.head]
        if kind.line:
            rows = [(n + 1, line) for n, u in enumerate(units) for line in u[1]]
            args.append(array([n for n, _ in rows], "int8"))
            args += [array([line.get(name) for _, line in rows], t) for name, t in kind.line]
        answers = [[] for _ in units]
        names = [name for name, _ in kind.answer]
        for row in self.session.query(f"EXECUTE {kind.name}({', '.join(args)})"):
            answers[int(row[0]) - 1].append(dict(zip(names, row)))
        return answers

    def shared(self, name, pairs):
        if pairs:
            self.session.query(f"EXECUTE {name}({array([p[0] for p in pairs], 'int4')}, "
                               f"{array([p[1] for p in pairs], 'uuid')})")

    def tell(self, tenants, local="true"):
        text = tenants if tenants == "*" else "{" + ",".join(map(str, sorted(tenants))) + "}"
        self.session.query(f"SELECT set_config('app.tenants', '{text}', {local})")

    def begin(self, units):
        """Everything of a batch but its COMMIT.  units: [(kind name, head, lines)] -> answers in that order."""
        used = sorted({u[0] for u in units}, key=lambda name: self.kinds[name].rank)
        answers = [None] * len(units)

        def pairs(test, column):
            return [(u[1].get("tenant", 0), u[1][column(self.kinds[u[0]])]) for u in units if test(self.kinds[u[0]])]

        all_of = {name: self.kinds[name].tenants([u[1:] for u in units if u[0] == name]) for name in used}
        told = set().union(*(t for t in all_of.values() if t != "*"))
        self.session.query("BEGIN; SET LOCAL ROLE " + self.role)
        self.tell(told)
        self.shared("lock_orders", pairs(lambda k: "orders" in k.locks, lambda k: "order_id"))
        self.tell("*" if any("jobs" in self.kinds[n].locks and all_of[n] == "*" for n in used) else told)
        self.shared("lock_jobs", pairs(lambda k: "jobs" in k.locks, lambda k: "job_id"))
        for name in used:
            at = [i for i, u in enumerate(units) if u[0] == name]
            self.tell("*" if all_of[name] == "*" else told)
            for i, answer in zip(at, self.execute(self.kinds[name], [units[i][1:] for i in at])):
                answers[i] = answer
        self.tell(told)
        for shared in ("stock_lock", "stock_apply"):
            self.shared(shared, pairs(lambda k: k.stock, lambda k: k.stock))
        return answers

    def batch(self, units):
        for attempt in range(RACES_MAX):
            try:
                answers = self.begin(units)
                self.session.query("COMMIT")
                return answers
            except SqlError as e:
                self.session.query("ROLLBACK")
                self.races += 1
                if not (e.constraint or "").startswith("stock_") or attempt == RACES_MAX - 1:
                    raise

    def run(self, units):
        """As a flow sees it: `again` is asked again, at the head of the lane."""
        answers, waiting = [None] * len(units), list(range(len(units)))
        for _ in range(AGAIN_MAX):
            got = self.batch([units[i] for i in waiting])
            later = []
            for i, answer in zip(waiting, got):
                again = self.kinds[units[i][0]].again
                if again and answer and answer[0][again] == "again":
                    later.append(i)
                else:
                    answers[i] = answer
            waiting = later
            if not waiting:
                return answers
        raise AssertionError("units that are never decided")

    def ask(self, name, head, lines=()):
        return self.run([(name, head, list(lines))])[0]

    def read(self, name, head, lines=()):
        self.session.query("SET ROLE " + self.role)  # by itself, or inside a judge's own transaction
        self.tell(self.kinds[name].tenants([(head, list(lines))]), local="false")
        try:
            return self.execute(self.kinds[name], [(head, list(lines))])[0]
        finally:
            self.session.query("RESET ROLE; RESET app.tenants")
