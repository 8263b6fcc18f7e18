"""How orderd comes, stays and goes: what supervisors and health checks are told, and that no caller notices a restart,
a reload, or a connection's end."""
import glob
import json
import os
import re
import resource
import secrets
import signal
import socket
import subprocess
import threading
import time

import grpc

from credentials import Authority, replace
from load import CALLERS, Load, as_documented
from programs import LISTEN, Running, metric, program
from world import ROOT, run

DRAINS = 6


class Ear:
    """A supervisor's socket: what it has been told, one datagram after the other."""

    def __init__(self, path):
        self.socket, self.path, self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), path, []
        self.socket.bind(path.replace("@", "\0", 1) if path[0] == "@" else path)
        if path[0] == "/":
            os.chmod(path, 0o777)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while words := self.socket.recv(4096):
            self.told.append(dict(line.split("=", 1) for line in words.decode().split("\n")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.socket.getsockname())
        self.socket.close()

    def words(self, but="WATCHDOG"):
        return [t for t in self.told if but not in t]

    def pulses(self):
        return len([t for t in self.told if t == {"WATCHDOG": "1"}])


class Probe:
    """grpc.health.v1 as one client sees it, each service by its name."""

    def __init__(self, address):
        from grpc.health.v1 import health_pb2  # made by protoc, see world.generated()
        self.pb, self.channel = health_pb2, grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.watches = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for watch in self.watches:
            watch.cancel()
        self.channel.close()

    def name(self, answer):
        return self.pb.HealthCheckResponse.ServingStatus.Name(answer.status)

    def check(self, service=""):
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", self.pb.HealthCheckRequest.SerializeToString,
                                        self.pb.HealthCheckResponse.FromString)
        return self.name(call(self.pb.HealthCheckRequest(service=service), timeout=20))

    def watch(self, service=""):
        """The list that what is told of it grows in."""
        call = self.channel.unary_stream("/grpc.health.v1.Health/Watch", self.pb.HealthCheckRequest.SerializeToString,
                                         self.pb.HealthCheckResponse.FromString)(self.pb.HealthCheckRequest(service=service))
        told = []
        self.watches.append(call)

        def listen():
            try:
                for answer in call:
                    told.append(self.name(answer))
            except grpc.RpcError as e:
                told.append(e.code().name)

        threading.Thread(target=listen, daemon=True).start()
        return told


def services(address):
    """Names that reflection gives away."""
    from google.protobuf import descriptor_pb2  # noqa: F401
    with grpc.insecure_channel(address) as channel:
        ask = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        answer = next(iter(ask(iter([b"\x3a\x01*"]), timeout=20)))  # list_services: "*"
    return sorted(set(n.decode() for n in re.findall(rb"[a-z0-9.]+\.[A-Z]\w+", answer)))


# ---- what is told

def supervisor__hears_of_each_turn_in_a_servers_life(w):
    with Ear("@orderd-%s" % secrets.token_hex(8)) as ear:
        with Running(w, "orderd", *LISTEN, "--drain-s=7", env={"NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "300000"}) as server:
            w.until(lambda: {"READY": "1", "STATUS": "serving"} in ear.told, "READY=1")
            ready = ear.words().index({"READY": "1", "STATUS": "serving"})
            assert all("READY" not in words for words in ear.words()[:ready]), ear.told
            before = ear.pulses()
            w.until(lambda: ear.pulses() > before + 2, "its pulse")
            server.process.send_signal(signal.SIGHUP)
            w.until(lambda: len(ear.words()) == ready + 3, "RELOADING=1 and READY=1")
            reloading, again = ear.words()[ready + 1:]
            assert reloading["RELOADING"] == "1" and again == {"READY": "1", "STATUS": "serving"}, ear.told
            assert 0 <= time.clock_gettime(time.CLOCK_MONOTONIC) - int(reloading["MONOTONIC_USEC"]) / 1e6 < 60
            assert server.end() == 0
            w.until(lambda: len(ear.words()) == ready + 4, "STOPPING=1")
            last = ear.words()[-1]
            assert (last["STOPPING"], last["STATUS"]) == ("1", "draining"), last
            assert 7e6 < int(last["EXTEND_TIMEOUT_USEC"]) < 60e6, last


def supervisor_of_a_worker__hears_the_same(w):
    path = os.path.join(w.scratch, "notify")
    with Ear(path) as ear, Running(w, "orderd-worker", env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"}) as worker:
        w.until(lambda: ear.pulses() > 2, "its pulse")
        assert worker.end() == 0
        w.until(lambda: "STOPPING" in ear.words()[-1], "STOPPING=1")
        kinds = [next(k for k in ("STOPPING", "READY", "STATUS") if k in words) for words in ear.words()]
        assert kinds == ["STATUS", "READY", "STOPPING"], ear.words()


def without_its_database__it_is_not_ready_and_says_why(w):
    with Ear("@orderd-%s" % secrets.token_hex(8)) as ear:
        w.kill("postgres")
        try:
            made = []
            starting = threading.Thread(target=lambda: made.append(Running(w, "orderd", *LISTEN, env={"NOTIFY_SOCKET": ear.path})))
            starting.start()
            w.until(lambda: {"STATUS": "PostgreSQL is not reachable"} in ear.told, "why it is not ready")
            assert not any("READY" in words for words in ear.told), ear.told
        finally:
            w.again("postgres")
        starting.join(60)
        with made[0] as server:
            w.until(lambda: ear.words()[-1] == {"READY": "1", "STATUS": "serving"}, "READY=1")
            assert server.end() == 0


OURS = ["orderd.v1.%sService" % n for n in ("Order", "Inventory", "Shipping", "Payment", "Fulfillment", "Ops", "Key")]


def health__is_told_of_each_service_by_what_it_needs(w):
    everything = services(w.env["GRPC"])
    assert set(OURS) < set(everything), everything
    with Probe(w.env["GRPC"]) as health:
        w.until(lambda: all(health.check(s) == "SERVING" for s in ["", *everything]), "SERVING, all of them")
        told = {s: health.watch(s) for s in ("", "orderd.v1.OrderService", "grpc.health.v1.Health", "no.such.Service")}
        w.until(lambda: all(told.values()), "the first word of each watch")
        w.kill("postgres")
        try:
            w.until(lambda: health.check() == "NOT_SERVING", "NOT_SERVING")
            found = {s: health.check(s) for s in everything}
            assert [s for s in everything if found[s] == "NOT_SERVING"] == sorted(OURS), found
        finally:
            w.again("postgres")
        # A database that starts may drop its first connections: then it is away and back once more.
        hit = [told[s] for s in ("", "orderd.v1.OrderService")]
        w.until(lambda: all(len(h) >= 3 and h[-1] == "SERVING" for h in hit), "the last word")
        assert all(h[:3] == ["SERVING", "NOT_SERVING", "SERVING"] and all(x != y for x, y in zip(h, h[1:])) for h in hit), told
        assert (told["grpc.health.v1.Health"], told["no.such.Service"]) == (["SERVING"], ["SERVICE_UNKNOWN"]), told


def database_away_for_a_moment__is_no_news(w):
    """Its connections are made anew within the moment, mostly; a machine that is busy may need longer, now and then."""
    for _ in range(5):
        with Running(w, "orderd", *LISTEN) as server, Probe(server.addresses["grpc"]) as health:
            told, sample = health.watch(), 'orderd_store_reconnects_total{lane="order"}'
            w.until(lambda: told, "the first word")
            before = metric(server, sample)
            w.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orderd'")
            w.until(lambda: metric(server, sample) > before, "a connection made anew")
            w.until(lambda: health.check() == "SERVING", "SERVING")
            quiet = told == ["SERVING"]
            assert server.end() == 0
        if quiet:
            return
    raise AssertionError(told)


# ---- nobody notices

def both(servers, n):
    return "ipv4:" + ",".join(servers if n % 2 == 0 else servers[::-1])


def callers_of(server):
    return len(set(re.findall(r"method=batch_get_orders .*? peer=(\S+)", server.log())))


def restart_in_turn(w, load, servers, *args, drains=DRAINS, found=0):
    """Each of two servers goes and comes again at the address it had, while calls are made: one after the other, and the
    other not before `found` clients have found the first again, for then they would have none."""
    def start(address):
        return Running(w, "orderd", "--listen=" + address, "--http-listen=127.0.0.1:0", "--access-log=all", *args)

    running = [start(s) for s in servers]
    try:
        with load:
            for n in range(drains):
                w.until(lambda: all(callers_of(server) >= found for server in running), "every caller at both servers")
                load.more(100)
                assert running[n % 2].end() == 0
                running[n % 2].__exit__()
                running[n % 2] = start(servers[n % 2])
            load.more(100)
    finally:
        for server in running:
            server.__exit__()


def two_addresses(w):
    """Ports that were free a moment ago."""
    with Running(w, "orderd", *LISTEN) as one, Running(w, "orderd", *LISTEN) as other:
        return [one.addresses["grpc"], other.addresses["grpc"]]


def restarts__fail_no_call_of_a_client_with_grpcs_own_settings(w):
    servers = two_addresses(w)
    load = Load(w, lambda n: both(servers, n))
    restart_in_turn(w, load, servers)
    load.none_failed()


def restarts__fail_no_call_of_a_client_that_repeats_as_documented(w):
    servers = two_addresses(w)
    load = Load(w, lambda n: both(servers, n), options=[as_documented(loadBalancingConfig=[{"round_robin": {}}])])
    restart_in_turn(w, load, servers, found=CALLERS)
    load.none_failed()


def restarts_with_a_lame_duck__fail_no_call_of_a_client_that_watches_health_and_never_repeats(w):
    servers = two_addresses(w)
    config = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "orderd.v1.OrderService"}}
    load = Load(w, lambda n: both(servers, n), options=[("grpc.service_config", json.dumps(config)), ("grpc.enable_retries", 0)])
    restart_in_turn(w, load, servers, "--lame-duck-ms=1000", found=CALLERS)
    load.none_failed()


def restarts__fail_no_call_of_the_c_client(w):
    servers = two_addresses(w)
    ctl = [program(w, "orderctl"), "--server"]
    subprocess.run([*ctl, w.env["GRPC"], "bench", "load", "--skus", "10", "--quantity", "1000000"], check=True, stdout=subprocess.DEVNULL)
    got = []

    class Bench:
        def __enter__(self):
            self.processes = [subprocess.Popen([*ctl, both(servers, n), "bench", "place", "--seconds", "25", "--warmup", "0",
                                                "--clients", "8", "--skus", "10", "--json"], stdout=subprocess.PIPE,
                                               stderr=subprocess.PIPE, text=True) for n in range(2)]

        def __exit__(self, *_):
            got.extend((p.communicate(timeout=60), p.returncode) for p in self.processes)

        def more(self, n):
            before = w.number("SELECT count(*) FROM orders")
            w.until(lambda: w.number("SELECT count(*) FROM orders") >= before + n or self.processes[0].poll() is not None, "orders")

    restart_in_turn(w, Bench(), servers, drains=4)
    for (out, err), code in got:
        found = json.loads(out)
        assert found["failed"] == 0 and found["ok"] > 100, (found, code, err)


class Node:
    """A client of grpc-js: calls for as long as it is not told to end."""

    def __init__(self, w, target):
        self.w, self.target, self.answered, self.counts = w, target, 0, None

    def __enter__(self):
        node = glob.glob(os.path.join(ROOT, "tests/node/node_modules/node-linux-*/bin/node"))[0]
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.process = subprocess.Popen([node, os.path.join(ROOT, "tests/e2e/node/load.js"), self.target, "16"], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.reader.join()
        self.process.wait()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.counts = json.loads(line)
            else:
                self.answered = int(line)

    def more(self, n):
        before = self.answered
        self.w.until(lambda: self.answered >= before + n, "%d more answers" % n)


def restarts__fail_no_call_of_grpc_js(w):
    if not os.path.isdir(os.path.join(ROOT, "tests/e2e/node/node_modules/@grpc")):
        print("      npm ci has not been run in tests/e2e/node: ./dev test sees to it")
        return
    servers = two_addresses(w)
    node = Node(w, both(servers, 0))
    restart_in_turn(w, node, servers, found=1)
    assert set(node.counts) == {"OK"}, node.counts


def aged_connections__fail_no_call(w):
    with Running(w, "orderd", *LISTEN, "--connection-age-ms=500", "--access-log=all") as server:
        with Load(w, lambda n: server.addresses["grpc"]) as load:
            w.until(lambda: load.answered >= 3000 and callers_of(server) >= 10 * CALLERS, "ten lives of each caller's connection", patience_s=180)
        load.none_failed()
        assert server.end() == 0


def listeners_of_every_kind__answer_side_by_side(w):
    folder = os.path.join(w.scratch, "kinds")
    ca = Authority(folder, "server-ca")
    key, cert = ca.issue("orderd", "DNS:localhost,IP:127.0.0.1")
    files = {name: os.path.join(folder, name) for name in ("k.pem", "c.pem")}
    replace(files["k.pem"], key)
    replace(files["c.pem"], cert)
    unix = "unix:" + os.path.join(w.env["SOCKETS"], "kinds.sock")
    with Running(w, "orderd", "--listen=127.0.0.1:0,tls:127.0.0.1:0," + unix, "--http-listen=127.0.0.1:0",
                 "--tls-cert-file=" + files["c.pem"], "--tls-key-file=" + files["k.pem"]) as server:
        with open(ca.cert, "rb") as f:
            trust = grpc.ssl_channel_credentials(f.read())
        plain, tls = server.addresses["grpc"], server.addresses["grpcs"]
        assert plain == unix, "the last one that is not TLS"
        for address, credentials in ((plain, None), (tls, trust)):
            with Load(w, lambda n: address, credentials) as load:
                load.more(100)
            load.none_failed()
        assert server.end() == 0
        assert not os.path.exists(unix[5:])


def reloads__fail_no_call_and_take_what_is_good(w):
    """Twenty of them: certificates and settings, good ones and bad ones in turn."""
    folder = os.path.join(w.scratch, "reloads")
    ca = Authority(folder, "server-ca")
    paths = {name: os.path.join(folder, name) for name in ("server.key", "server.pem", "orderd.conf")}

    def renew():
        key, cert = ca.issue("orderd", "DNS:localhost,IP:127.0.0.1")
        replace(paths["server.key"], key)
        replace(paths["server.pem"], cert)

    def settle(**more):
        with open(os.path.join(w.env["DATA"], "orderd.conf")) as f:
            lines = [x for x in f if x.split(" ")[0] not in more]
        replace(paths["orderd.conf"], "".join(lines + ["%s = %s\n" % x for x in more.items()]).encode())

    renew()
    settle(log_level="info", access_log="errors")
    with open(ca.cert, "rb") as f:
        trust = grpc.ssl_channel_credentials(f.read())
    with Running(w, "orderd", "--config=" + paths["orderd.conf"], "--listen=tls:127.0.0.1:0", "--http-listen=127.0.0.1:0",
                 "--tls-cert-file=" + paths["server.pem"], "--tls-key-file=" + paths["server.key"]) as server:
        # Connections come and go, so that each certificate is shown to somebody.
        with Load(w, lambda n: server.addresses["grpcs"], trust) as load:
            steps = [(renew, "credentials_reloaded setting=tls_cert_file"),
                     (lambda: settle(log_level="debug", access_log="errors"), "setting_reloaded setting=log_level value=debug"),
                     (lambda: settle(log_level="loud", access_log="errors"), "setting_kept setting=log_level"),
                     (lambda: settle(log_level="info", access_log="all"), "setting_reloaded setting=access_log value=all"),
                     (lambda: settle(log_level="info", access_log="errors", max_page="7"), "setting_needs_restart setting=max_page"),
                     (lambda: replace(paths["server.key"], os.urandom(8)), "credentials_kept setting=tls_cert_file"),
                     (renew, "credentials_reloaded setting=tls_cert_file"),
                     (lambda: settle(no_such_setting="1"), "event=settings_kept")]
            for n in range(20):
                change, line = steps[n % len(steps)]
                before, done = server.log().count(line), server.log().count("event=reloaded")
                change()
                server.process.send_signal(signal.SIGHUP)
                w.until(lambda: server.log().count("event=reloaded") > done, "reload %d" % n)
                w.until(lambda: server.log().count(line) > before, line)
                load.more(20)
        load.none_failed()
        assert "no_such_setting: no such setting" in server.log()
        assert server.end() == 0


# ---- deafness

def deaf_listener__ends_the_process_to_be_started_again(w):
    """accept() that fails for lack of files once is never tried again by gRPC's core: nobody but a new process helps."""
    with Ear("@orderd-%s" % secrets.token_hex(8)) as ear, \
            Running(w, "orderd", *LISTEN, env={"NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "300000"}) as server:
        pid, (host, port) = server.process.pid, server.addresses["grpc"].rsplit(":", 1)
        whole = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        w.until(lambda: ear.pulses() > 0, "its pulse")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, whole[1]))  # what is open stays so, and nothing more is opened
        with socket.create_connection((host, int(port)), timeout=10):
            w.until(lambda: "accept" in server.log().lower() and "event=grpc" in server.log(), "accept() to fail")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, whole)  # files again: it hears no better for it
        w.until(lambda: "self_probe_failed" in server.log(), "a probe to fail")
        pulses = ear.pulses()
        assert server.ended() == 75
        assert "event=listener_deaf" in server.log()
        assert any("STOPPING" in words for words in ear.told)
        assert ear.pulses() - pulses < 50, "no pulse while it was not heard"


def units__start_it_again_then_and_only_where_that_helps(w):
    with open(os.path.join(os.environ["ORDERD_BUILD"], "packaging", "orderd.service")) as f:
        unit = dict(line.strip().split("=", 1) for line in f if re.match(r"\w+=", line))
    assert unit["Restart"] == "on-failure" and "SuccessExitStatus" not in unit and unit["RestartPreventExitStatus"] == "2", unit
    assert unit["Type"] == "notify" and int(unit["WatchdogSec"]) > 4 * 5 and unit["ExecReload"] == "kill -HUP $MAINPID", unit


def idle_connections__run_out_before_files_do(w):
    """Three times as many as there are files for: whoever works is served meanwhile.  Whose connection is given up just
    then, because no call was on it for an instant, repeats the call as documented; it takes a caller whose connections are
    given up one after the other to hear UNAVAILABLE."""
    few = 256
    repeats = [as_documented()]

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))

    with Running(w, "orderd", *LISTEN, prepare=limit) as server:
        host, port = server.addresses["grpc"].rsplit(":", 1)
        idle, open_most = [], 0
        try:
            with Load(w, lambda n: server.addresses["grpc"], options=repeats) as load:
                for n in range(3 * few):
                    idle.append(socket.create_connection((host, int(port)), timeout=30))
                    try:
                        idle[-1].sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
                        idle[-1].recv(9)  # its word, or its hanging up
                    except ConnectionError:
                        pass
                    open_most = max(open_most, len(os.listdir("/proc/%d/fd" % server.process.pid)))
                load.more(200)
            load.few_unavailable()
            with Load(w, lambda n: server.addresses["grpc"], options=repeats) as load:
                load.more(200)  # nor is it too late to come
            load.few_unavailable()
        finally:
            for s in idle:
                s.close()
        assert open_most < few * 3 // 4, open_most
        assert "listener_deaf" not in server.log() and "grpc_quota_lowered" in server.log(), server.log()[-3000:]
        assert server.end() == 0


run(supervisor__hears_of_each_turn_in_a_servers_life, supervisor_of_a_worker__hears_the_same,
    without_its_database__it_is_not_ready_and_says_why, health__is_told_of_each_service_by_what_it_needs,
    database_away_for_a_moment__is_no_news, restarts__fail_no_call_of_a_client_with_grpcs_own_settings,
    restarts__fail_no_call_of_a_client_that_repeats_as_documented,
    restarts_with_a_lame_duck__fail_no_call_of_a_client_that_watches_health_and_never_repeats,
    restarts__fail_no_call_of_the_c_client, restarts__fail_no_call_of_grpc_js, aged_connections__fail_no_call, listeners_of_every_kind__answer_side_by_side,
    reloads__fail_no_call_and_take_what_is_good, deaf_listener__ends_the_process_to_be_started_again,
    units__start_it_again_then_and_only_where_that_helps, idle_connections__run_out_before_files_do)
