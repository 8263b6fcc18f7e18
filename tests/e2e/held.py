"""Listening sockets as systemd holds them: made before a program, passed to it by its environment, there when it is gone."""
import fcntl
import os
import socket

FIRST = 3  # sd_listen_fds(3)
OURS = 100  # where they are before they are passed: numbers that do not stand in each other's way


def listening(path=None, host="127.0.0.1", mode=0o660, backlog=4096):
    """At a path, or at a free port.  Who finds the backlog full is not kept waiting, but refused."""
    s = socket.socket(socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    s.bind(path or (host, 0))
    if path and path[0] == "/":
        os.chmod(path, mode)
    s.listen(backlog)
    return s


class Passed:
    """wrapper, fds, env: how sockets, a list of (name, socket), get into a new process.

    LISTEN_PID is the process's own number, so what is started is a shell that sets it and becomes the program."""

    def __init__(self, *sockets, pid="$$", names=True, **variables):
        self.sockets = [s for _, s in sockets]
        self.fds = tuple(fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, OURS) for s in self.sockets)
        moves = "".join(" %d<&%d %d<&-" % (FIRST + i, fd, fd) for i, fd in enumerate(self.fds))
        self.wrapper = ("bash", "-c", "export LISTEN_PID=%s; exec \"$@\"%s" % (pid, moves), "bash")
        self.env = {"LISTEN_FDS": str(len(sockets)), **variables}
        if names:
            self.env.setdefault("LISTEN_FDNAMES", ":".join(name for name, _ in sockets))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in self.fds:
            os.close(fd)
        for s in self.sockets:
            s.close()
