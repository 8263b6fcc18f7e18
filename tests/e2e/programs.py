"""More programs in a world: settings of their own, starts that must fail, one more orderd or worker, plain HTTP."""
import itertools
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request


def program(w, name):
    return os.path.join(w.env["DATA"], "bin", name)


def own(w):
    """Settings of this world as {field: value}."""
    with open(os.path.join(w.env["DATA"], "orderd.conf")) as f:
        return dict(re.fullmatch(r"(\w+) = (.*)\n", line).groups() for line in f if line.strip())


def write(w, settings):
    path = os.path.join(w.scratch, "some.conf")
    lines = settings if isinstance(settings, list) else ["%s = %s" % pair for pair in settings.items()]
    with open(path, "w") as f:
        f.write("".join(line + "\n" for line in lines))
    return path


def start(w, name, *args, passed=None):
    """A start that must end by itself: (exit code, stdout, stderr)."""
    env = {"PATH": os.environ["PATH"], **(passed.env if passed else {})}
    done = subprocess.run([*(passed.wrapper if passed else ()), program(w, name), *args], env=env, pass_fds=passed.fds if passed else (), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


class Running:
    """One more orderd or worker in this world, ours to end.  It is told apart by its standard streams."""
    numbers = itertools.count(1)

    def __init__(self, w, name, *args, env=None, prepare=None, passed=None):
        """env: variables besides ours; prepare: run in the new process, before it becomes the program; passed: sockets (held.py)."""
        self.errors = open(os.path.join(w.scratch, "%s.%d.err" % (name, next(Running.numbers))), "w+")
        if not any(a.startswith("--config=") for a in args):
            args = ("--config=" + os.path.join(w.env["DATA"], "orderd.conf"), *args)
        self.process = subprocess.Popen([*(passed.wrapper if passed else ()), program(w, name), *args],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=dict(os.environ, **(passed.env if passed else {}), **(env or {})),
                                        pass_fds=passed.fds if passed else (), preexec_fn=prepare)
        self.addresses = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            kind, address = line.split()[1].split("=")
            self.addresses[kind] = address
        else:
            self.errors.seek(0)
            raise AssertionError("%s did not get ready: %s" % (name, self.errors.read()[-4000:]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def end(self):
        """SIGTERM; the exit code, after looking for a sanitizer's last words."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        code = self.process.wait(60)
        log = self.log()
        assert "Sanitizer" not in log, log[-4000:]
        return code

    def log(self):
        with open(self.errors.name, errors="replace") as f:
            return f.read()


def metric(server, sample):
    text = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        "http://%s/metrics" % server.addresses["http"], timeout=10).read().decode()
    found = re.search(r"^%s ([0-9.e+]+)$" % re.escape(sample), text, re.M)
    return float(found.group(1)) if found else 0


LISTEN = ("--listen=127.0.0.1:0", "--http-listen=127.0.0.1:0")


def http(w, path, of="HTTP"):
    """(status, headers, body) past any proxy; of="WORKER_HTTP": the worker's."""
    try:
        answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s%s" % (w.env[of], path), timeout=10)
    except urllib.error.HTTPError as e:
        answer = e
    with answer:
        return answer.status, answer.headers, answer.read().decode()
