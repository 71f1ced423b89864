"""The zygote: a warm interpreter that forks jobs and never runs one.

It is process 1 of its namespaces. Go asks over a SOCK_SEQPACKET socket at descriptor 3; when Go is gone the socket ends and
so does the zygote, and with it every job.
"""
import _socket
import array
import builtins
import ctypes
import gc
import os
import select
import signal
import struct
import sys
from marshal import dumps, loads

from spawn import Spawner, libc

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 24, 38, 36
_exit = struct.Struct("<cQiQQ")
OWN = ("fault", "standard", "peer", "spawn", "candidate", "pytestlike", "suite", "collected", "runner", "remote", "judge", "program", "init")


def warm(candidate, suite, judge):
    """Walks the paths that children will walk, so that their pages are there before the fork."""
    warm_judge(candidate, suite, judge)
    peer = candidate.Candidate(-1)
    for _ in range(3):
        peer.load(b"import math\nclass A:\n    def f(self): return [i for i in range(3)]\ndef add(a, b):\n    return a + b\n", "warm", "warm.py")
        peer.encode(peer.call("add", (1, 2), {}, False))
        peer.encode(peer.call("add", ([1, 2.0], [{"s": (1,)}]), {}, True))
        peer.decode(peer.encode(("call", "add", [1, "s"], {})))
        peer.encode(peer.call("absent", (), {}, False))
        try:
            raise ValueError("warm")
        except ValueError as e:
            peer.failure(e)
    del sys.modules["warm"]


def warm_judge(candidate, suite, judge):
    """A judge and a candidate talk to each other in this process. Nothing of it stays but what the interpreter learnt."""
    for i in range(3):
        tests, _ = suite.load("f", "solution", [("t", "for i in range(1): assert f(i) == i, i\ntry: f(-1)\nexcept ValueError: pass\n")])
        peer, witness = candidate.Candidate(-1), judge.Witness(-1, "reject")
        peer.load(b"def f(x):\n    if x < 0: raise ValueError(x)\n    return x\n", "warm", "warm.py")

        def ask(*request):
            try:
                body = peer.encode(peer.answer(peer.decode(witness.encode(request))))
            except ValueError as e:
                body = peer.failure(e)
            return witness.outcome(witness.decode(body))
        witness.ask = ask
        tests.run(witness, lambda *row: loads(dumps(row, 2)))
    del sys.modules["solution"]


class Zygote:
    def __init__(self, conf):
        self.control = _socket.socket(fileno=3)
        self.spawner = Spawner(conf)
        self.jobs = {}
        self.shared = conf["shared"]
        if self.shared:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.wake, w = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(w, False)
        signal.set_wakeup_fd(w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def loop(self):
        poll = select.poll()
        poll.register(3, select.POLLIN)
        poll.register(self.wake, select.POLLIN)
        while True:
            try:
                ready = poll.poll()
            except InterruptedError:
                continue
            for fd, _ in ready:
                if fd == self.wake:
                    self.reap()
                else:
                    self.request()

    def reap(self):
        try:
            os.read(self.wake, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status, usage = os.wait4(self.next_dead() if self.shared else -1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self.jobs.pop(pid, None)
            if number is not None:
                cpu = int((usage.ru_utime + usage.ru_stime) * 1e6)
                self.control.send(_exit.pack(b"X", number, status, cpu, usage.ru_maxrss))

    def next_dead(self):
        """A process that is dead. What a dead job left behind ends first, while its number is still its own: no namespace does it here."""
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if dead is None:
            return -1
        if dead.si_pid in self.jobs:
            self.clear(dead.si_pid)
        return dead.si_pid

    def clear(self, leader):
        try:
            os.killpg(leader, signal.SIGKILL)
        except ProcessLookupError:
            pass
        # Whoever left the group has lost its parent and is our child now, or will be when that one is dead.
        for _ in range(1000):
            strays = [pid for pid in self.children() if pid not in self.jobs]
            if not strays:
                return
            for pid in strays:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass

    @staticmethod
    def children():
        with open("/proc/self/task/%d/children" % os.getpid()) as f:
            return [int(pid) for pid in f.read().split()]

    def end(self):
        if self.shared:
            for leader in list(self.jobs):
                self.clear(leader)
        os._exit(0)

    def kill(self, number):
        for pid, n in self.jobs.items():
            if n == number:
                os.kill(pid, signal.SIGKILL)

    def request(self):
        message, extra, _, _ = self.control.recvmsg(1 << 16, _socket.CMSG_SPACE(4 * 8))
        if not message:
            self.end()
        fds = array.array("i")
        for level, kind, data in extra:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                fds.frombytes(data[:len(data) // 4 * 4])
        number, kind, job = loads(message)
        if kind == "kill":
            self.kill(number)
            return
        try:
            self.jobs[self.spawner.spawn(kind, fds, job)] = number
        except OSError as e:
            self.control.send(b"E" + struct.pack("<Q", number) + str(e).encode())
        finally:
            for fd in fds:
                os.close(fd)


def main(conf):
    sys.path += conf["site"]
    for module in conf["preload"]:
        __import__(module)
    for module in conf["heavy"]:
        try:
            __import__(module)
        except Exception:  # a job that wants it is told why by its own import
            pass
    modules = {name: sys.modules[name] for name in OWN if name in sys.modules}
    for name in modules:
        del sys.modules[name]  # a candidate's import of that name is its own
    for c in range(64):
        libc.prctl(PR_CAPBSET_DROP, c, 0, 0, 0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        os._exit(3)
    builtins.exit = builtins.quit = sys.exit  # what the site module gives to programs
    zygote = Zygote(conf)
    zygote.spawner.runners = {"func": modules["candidate"].run, "script": modules["candidate"].script}
    zygote.spawner.runners["judge"] = modules["judge"].run
    zygote.spawner.runners["compile"] = modules["program"].run
    zygote.spawner.runners["exec"] = modules["program"].supervise
    if "random" in sys.modules:
        sys.modules["random"].seed(0)
    warm(modules["candidate"], modules["suite"], modules["judge"])
    gc.collect()
    gc.freeze()
    gc.disable()
    zygote.control.send(b"READY")
    zygote.loop()
