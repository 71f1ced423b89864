"""C: runs the candidate's code and answers questions about it.

Nothing here is secret and nothing here is trusted: the candidate shares this process and may rewrite all of it. It holds no
test and no expected value; the worst that it can say is "my function returned this".
"""
import builtins
import operator
import os
import sys
import types

from fault import Malformed
from peer import CALLABLE, Coder, describe, loads, recv_bytes, send_bytes

FORBIDDEN = (SystemExit, KeyboardInterrupt, GeneratorExit)


class Candidate(Coder):
    """The candidate's side of a conversation."""

    def __init__(self, fd):
        super().__init__()
        self.fd = fd
        self.module = None

    def foreign(self, number, flags, name):
        return Callback(self, number, flags)

    def walk(self, v, out, d):
        if type(v) is Callback:
            out.append(b"R" + v._number.to_bytes(8, "little"))
            return
        super().walk(v, out, d)

    def load(self, code, name, filename):
        """Compiles and runs the module. A compile error is told apart: it is the candidate's spelling, not its behaviour."""
        try:
            program = compile(code, filename, "exec", 0, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as e:
            return ("compile", type(e).__name__, str(e)[:2000])
        self.module = types.ModuleType(name)
        sys.modules[name] = self.module
        exec(program, self.module.__dict__)
        return ("ok",)

    def target(self, where):
        if type(where) is int:
            return self.own(where)
        value = self.module.__dict__
        for part in where.split("."):
            value = value[part] if value is self.module.__dict__ else getattr(value, part)
        return value

    def call(self, where, args, kwargs, back):
        try:
            f = self.target(where)
        except (KeyError, AttributeError):
            return ("missing", where)
        if not back:
            return ("ret", f(*args, **kwargs), ())
        before = [self.encode(a) if type(a) in (list, dict, set, bytearray) else None for a in args]
        result = f(*args, **kwargs)
        changed = [(i, a) for i, (a, b) in enumerate(zip(args, before)) if b is not None and self.encode(a) != b]
        return ("ret", result, tuple(changed))

    def exports(self, names):
        """The values of names; a module of the standard library and what came from it go by name."""
        out = []
        for name in names:
            if name not in self.module.__dict__:
                continue
            v = self.module.__dict__[name]
            if type(v) is types.ModuleType:
                out.append((name, "module", v.__name__))
            else:
                out.append((name, "value", v))
        return ("ret", out, ())

    def answer(self, m):
        op = m[0]
        if op == "call":
            return self.call(*m[1:])
        if op == "load":
            return self.load(*m[1:])
        if op == "exports":
            return self.exports(m[1])
        if op == "get":
            return ("ret", getattr(self.own(m[1]), m[2]), ())
        if op == "set":
            return ("ret", setattr(self.own(m[1]), m[2], m[3]), ())
        if op == "op":
            return ("ret", getattr(operator, m[1])(*m[2:]), ())
        if op == "iter":
            return ("ret", iter(self.own(m[1])), ())
        if op == "next":
            try:
                return ("ret", (next(self.own(m[1])),), ())
            except StopIteration:
                return ("ret", (), ())
        if op == "len":
            return ("ret", len(self.own(m[1])), ())
        if op == "str":
            return ("ret", str(self.own(m[1])), ())
        if op == "repr":
            return ("ret", repr(self.own(m[1])), ())
        if op == "item":
            return ("ret", self.own(m[1])[m[2]], ())
        if op == "isinstance":
            return ("ret", isinstance(m[1], m[2]), ())
        if op == "issubclass":
            return ("ret", issubclass(m[1], m[2]), ())
        raise Malformed("operation %r" % (op,))

    def reply(self, m):
        try:
            body = self.encode(self.answer(m))
        except BaseException as e:
            body = self.failure(e)
        try:
            send_bytes(self.fd, body)
        except Malformed as e:
            send_bytes(self.fd, self.encode(("bad", str(e))))

    def failure(self, e):
        try:
            return self.encode(("bad", str(e)) if type(e) is Malformed else describe(e))
        except BaseException:
            return self.encode(("exc", "RuntimeError", "RuntimeError", None, (), None))

    def receive(self):
        return self.decode(recv_bytes(self.fd))

    def ask(self, *request):
        """Calls the judge back; it may ask more before it answers."""
        send_bytes(self.fd, self.encode(request))
        while True:
            m = self.receive()
            if m[0] == "answer":
                return m[1]
            if m[0] == "raised":
                kind = getattr(builtins, m[1], None)
                if not (isinstance(kind, type) and issubclass(kind, Exception)):
                    kind = Exception
                raise kind(*m[2])
            self.reply(m)

    def serve(self):
        while True:
            try:
                m = self.receive()
            except EOFError:
                return
            self.reply(m)


class Callback:
    """A function or iterator of the judge's. It can be called and iterated, and nothing else."""

    __slots__ = ("_peer", "_number", "_flags")

    def __init__(self, peer, number, flags):
        self._peer, self._number, self._flags = peer, number, flags

    def __call__(self, *args, **kwargs):
        if not self._flags & CALLABLE:
            raise TypeError("object is not callable")
        return self._peer.ask("callback", self._number, args, kwargs)

    def __iter__(self):
        if not self._flags & 8:
            raise TypeError("object is not iterable")
        return self

    def __next__(self):
        got = self._peer.ask("advance", self._number)
        if not got:
            raise StopIteration
        return got[0]


def run(fd):
    Candidate(fd).serve()


def script(fd):
    """Runs a program as __main__ and tells how it ended; its exit status is what a shell would see."""
    peer = Candidate(fd)
    op, code, argv = loads(recv_bytes(fd))
    sys.argv = list(argv)
    status, report = 0, ("end",)
    try:
        loaded = peer.load(code, "__main__", "/box/main.py")
        if loaded[0] == "compile":
            status, report = 1, loaded
            sys.stderr.write("%s: %s\n" % loaded[1:])
    except SystemExit as e:
        status = _status(e.code)
    except BaseException as e:
        import traceback
        try:
            report = describe(e)[:3] + (None, (), getattr(e, "errno", None))
            traceback.print_exception(type(e), e, e.__traceback__.tb_next and e.__traceback__.tb_next.tb_next)
        except BaseException:
            pass
        status = 1
    status = _finish(status)
    try:
        send_bytes(fd, peer.encode(report))
        recv_bytes(fd)  # Go looks for processes that would stay behind, then lets go
    except (OSError, EOFError, Malformed, ValueError):
        pass
    os._exit(status)


def _status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write("%s\n" % (code,))
    return 1


def _finish(status):
    """What the interpreter does at its end: wait for threads, run exit functions, flush."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
    except BaseException:
        status = status or 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            status = status or 120
    return status
