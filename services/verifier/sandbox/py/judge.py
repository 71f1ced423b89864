"""J: runs test code, never candidate code. What it asks of the candidate comes back as plain data or as a Remote.

A Remote can be called, iterated, indexed, read and printed. It can decide nothing: comparing it, its truth, its hash, a
number made of it, all raise Forged, which no test can catch and forget, because it is written down when it is raised.
"""
import builtins
import os
import sys
import types

import runner
import suite
from peer import CALLABLE, EXCEPTION_CLASS, INERT, MAX_MESSAGES, Coder, Exited, Forged, Gone, Malformed, TooLong, Unsupported, dumps, loads, recv_bytes, send_bytes

MAX_ITERATIONS = 1_000_000
EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")


class Witness(Coder):
    """The judge's side of a conversation with one candidate."""

    def __init__(self, fd, objects):
        super().__init__()
        self.fd = fd
        self.compare_objects = objects  # reject or flag
        self.tamper = set()
        self.flags = set()
        self.remotes = {}
        self.classes = {}
        self.messages = 0
        self.unsupported = ""
        self.stopped = None  # why nothing more can be asked; a test may catch it, and changes nothing by it

    # Bytes.

    def walk(self, v, out, d):
        t = type(v)
        if t is Remote or t is RemoteCallable:
            out.append(b"R" + object.__getattribute__(v, "_number").to_bytes(8, "little"))
        elif isinstance(v, type) and v.__dict__.get("_remote_number"):
            out.append(b"R" + v._remote_number.to_bytes(8, "little"))
        else:
            super().walk(v, out, d)

    def handle(self, v, t, out):
        if isinstance(v, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)) or hasattr(t, "__next__") or isinstance(v, type):
            super().handle(v, t, out)
            return
        raise Unsupported("the test passes a %s to the candidate" % t.__name__)

    def foreign(self, number, flags, name):
        if flags & EXCEPTION_CLASS:
            name, _, base = name.partition(":")
            return self.exception_class(number, name, base)
        remote = self.remotes.get(number)
        if remote is None:
            remote = (RemoteCallable if flags & CALLABLE else Remote)(self, number, flags, name)
            self.remotes[number] = remote
        return remote

    def exception_class(self, number, name, base):
        known = self.classes.get(number)
        if known is None:
            parent = getattr(builtins, base, Exception)
            if not (isinstance(parent, type) and issubclass(parent, Exception)):
                parent = Exception
            try:
                known = type(name if name.isidentifier() else "RemoteError", (parent,), {"_remote_number": number})
            except TypeError:
                known = type("RemoteError", (Exception,), {"_remote_number": number})
            self.classes[number] = known
        return known

    # Conversation.

    def forged(self, why, kind="forged_object"):
        self.tamper.add(kind)
        return Forged(why)

    def beyond(self, what):
        """The tests use what our runner does not have."""
        self.unsupported = self.unsupported or "the tests use " + what
        raise Unsupported(self.unsupported)

    def stop(self, e):
        self.stopped = self.stopped or e
        return e

    def ask(self, *request):
        """Sends a request and gives the value of the answer; what is copied back into arguments is in the second part."""
        self.messages += 1
        if self.messages > MAX_MESSAGES:
            raise self.stop(TooLong("more than %d messages" % MAX_MESSAGES))
        try:
            send_bytes(self.fd, self.encode(request))
        except (Malformed, Unsupported) as e:
            self.unsupported = str(e)
            raise Unsupported(self.unsupported) from None
        except OSError:
            raise self.stop(Gone("the candidate ended")) from None
        while True:
            try:
                m = self.decode(recv_bytes(self.fd))
            except (EOFError, OSError):
                raise self.stop(Gone("the candidate ended")) from None
            except (Malformed, RecursionError) as e:
                raise self.forged("malformed: %s" % e, "forged_result") from None
            if type(m) is not tuple or not m or type(m[0]) is not str:
                raise self.forged("an answer of no known shape", "forged_result")
            if m[0] == "callback" or m[0] == "advance":
                self.called_back(m)
                continue
            return self.outcome(m)

    def outcome(self, m):
        if m[0] == "ret" and len(m) == 3:
            return m[1], m[2]
        if m[0] == "exc" and len(m) == 6:
            raise self.exception(*m[1:])
        if m[0] == "missing":
            raise NameError("name %r is not defined" % (m[1],))
        raise self.forged("an answer of no known shape", "forged_result")

    def exception(self, name, base, cls, args, errno):
        if type(name) is not str or type(base) is not str or type(args) is not tuple:
            return self.forged("an exception of no known shape", "forged_result")
        if name in EXITS or base in EXITS:
            self.tamper.add("early_exit")
            return self.stop(Exited(name))
        kind = getattr(builtins, name, None) if cls is None else None
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            number = cls._remote_number if isinstance(cls, type) and "_remote_number" in cls.__dict__ else 0
            kind = self.exception_class(number, name, base)
        if issubclass(kind, StopIteration):  # it would end loops of the test without a word
            return RuntimeError("the candidate raised StopIteration")
        try:
            e = kind(*args)
        except Exception:
            e = Exception(name)
        return e

    def called_back(self, m):
        """The candidate calls a function that the test gave it, or takes the next of an iterator."""
        try:
            if m[0] == "callback" and len(m) == 4 and type(m[1]) is int and type(m[2]) is tuple and type(m[3]) is dict:
                f = self.own(m[1])
                if not callable(f):
                    raise Malformed("object is not callable")
                reply = ("answer", f(*m[2], **m[3]))
            elif m[0] == "advance" and len(m) == 2 and type(m[1]) is int:
                try:
                    reply = ("answer", (next(self.own(m[1])),))
                except StopIteration:
                    reply = ("answer", ())
            else:
                raise Malformed("a callback of no known shape")
        except Malformed as e:
            raise self.forged(str(e), "forged_result") from None
        except Exception as e:
            known = type(e) if getattr(builtins, type(e).__name__, None) is type(e) else Exception
            reply = ("raised", known.__name__, (str(e)[:2000],))
        send_bytes(self.fd, self.encode(reply))

    def call(self, target, args, kwargs):
        value, back = self.ask("call", target, args, kwargs, True)
        if type(back) is not tuple:
            raise self.forged("changed arguments of no known shape", "forged_result")
        for entry in back:
            if type(entry) is not tuple or len(entry) != 2 or type(entry[0]) is not int or not 0 <= entry[0] < len(args):
                raise self.forged("changed arguments of no known shape", "forged_result")
            update(args[entry[0]], entry[1])
        return value


def update(old, new):
    """Makes a mutable argument what the candidate has made of its copy, in place, also inside."""
    if type(old) is list and type(new) is list:
        same = [update(o, n) if type(o) is type(n) and type(o) in (list, dict, set) else n for o, n in zip(old, new)]
        old[:] = same + new[len(same):]
    elif type(old) is dict and type(new) is dict:
        merged = {k: update(old[k], v) if k in old and type(old[k]) is type(v) and type(v) in (list, dict, set) else v for k, v in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is set and type(new) is set:
        old.clear()
        old.update(new)
    elif type(old) is bytearray and type(new) is bytearray:
        old[:] = new
    return old


def _slot(remote, name):
    return object.__getattribute__(remote, name)


class Remote:
    """Something of the candidate's that cannot be copied."""

    __slots__ = ("_witness", "_number", "_flags", "_name", "__weakref__")

    def __init__(self, witness, number, flags, name):
        for slot, value in (("_witness", witness), ("_number", number), ("_flags", flags), ("_name", name)):
            object.__setattr__(self, slot, value)

    def _ask(self, op, *rest):
        return _slot(self, "_witness").ask(op, *rest)[0]

    def _forged(self, what):
        w = _slot(self, "_witness")
        return w.forged("%s would be decided by a %s of the candidate's" % (what, _slot(self, "_name")))

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") and name not in ("__name__", "__qualname__", "__wrapped__"):
            raise AttributeError(name)
        return self._ask("get", _slot(self, "_number"), name)

    def __setattr__(self, name, value):
        self._ask("set", _slot(self, "_number"), name, value)

    def __getitem__(self, key):
        return self._ask("item", _slot(self, "_number"), key)

    def __iter__(self):
        remote = self._ask("iter", _slot(self, "_number"))
        if not isinstance(remote, Remote):
            raise self._forged("an iterator")
        return Iterator(remote)

    def __next__(self):
        got = self._ask("next", _slot(self, "_number"))
        if type(got) is not tuple or len(got) > 1:
            raise _slot(self, "_witness").forged("a next item of no known shape", "forged_result")
        if not got:
            raise StopIteration
        return got[0]

    def __len__(self):
        n = self._ask("len", _slot(self, "_number"))
        if type(n) is not int or n < 0 or n > sys.maxsize:
            raise _slot(self, "_witness").forged("a length that is none", "forged_result")
        return n

    def __str__(self):
        return self._text("str")

    def __repr__(self):
        return self._text("repr")

    def __format__(self, spec):
        return format(self._text("str"), spec)

    def _text(self, op):
        w = _slot(self, "_witness")
        w.flags.add("opaque_str")
        s = w.ask(op, _slot(self, "_number"))[0]
        if type(s) is not str:
            raise w.forged("a text that is none", "forged_result")
        return s

    def __enter__(self):
        return self._method("__enter__")

    def __exit__(self, *error):
        self._method("__exit__", None, None, None)
        return False  # it may not swallow an assertion of the test's

    def _method(self, name, *args):
        method = _slot(self, "_witness").ask("get", _slot(self, "_number"), name)[0]
        if not isinstance(method, RemoteCallable):
            raise self._forged("a method")
        return method(*args)

    def __instancecheck__(self, other):
        return self._kind("isinstance", other)

    def __subclasscheck__(self, other):
        return self._kind("issubclass", other)

    def _kind(self, op, other):
        if not isinstance(type(other), type) or type(other) not in (Remote, RemoteCallable):
            return False
        w = _slot(self, "_witness")
        got = w.ask(op, other, self)[0]
        if type(got) is not bool:
            raise w.forged("a truth that is none", "forged_result")
        w.flags.add("opaque_type")
        return got

    def __bool__(self):
        raise self._forged("the truth of a value")

    def __hash__(self):
        raise self._forged("a hash")

    def __contains__(self, item):
        raise self._forged("membership")

    def _compare(self, op, other):
        if type(other) in (Remote, RemoteCallable):
            w = _slot(self, "_witness")
            if op in ("eq", "ne") and _slot(self, "_number") == _slot(other, "_number"):
                return op == "eq"
            if w.compare_objects == "flag":
                w.flags.add("opaque_comparison")
                got = w.ask("op", op, self, other)[0]
                if type(got) is bool:
                    return got
        elif op in ("eq", "ne") and _slot(self, "_flags") & INERT:
            return op == "ne"  # it compares by identity, so it is unequal to all plain data
        raise self._forged("a comparison")

    def __eq__(self, other):
        return self._compare("eq", other)

    def __ne__(self, other):
        return self._compare("ne", other)

    def __lt__(self, other):
        return self._compare("lt", other)

    def __le__(self, other):
        return self._compare("le", other)

    def __gt__(self, other):
        return self._compare("gt", other)

    def __ge__(self, other):
        return self._compare("ge", other)


class RemoteCallable(Remote):
    __slots__ = ()

    def __call__(self, *args, **kwargs):
        return _slot(self, "_witness").call(_slot(self, "_number"), args, kwargs)


class Iterator:
    """Goes through a Remote, and not for ever."""

    def __init__(self, remote):
        self.remote, self.n = remote, 0

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n > MAX_ITERATIONS:
            raise _slot(self.remote, "_witness").stop(TooLong("more than %d items" % MAX_ITERATIONS))
        return self.remote.__next__()


def _operator(name):
    def run(self, *others):
        w = _slot(self, "_witness")
        value = w.ask("op", name, self, *others)[0]
        if not isinstance(value, Remote) and not (others and all(type(o) in (Remote, RemoteCallable) for o in others)):
            raise self._forged("the plain result of operator %s" % name)
        return value
    return run


def _refused(what):
    def run(self, *_):
        raise self._forged(what)
    return run


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift", "neg", "pos", "invert", "abs"):
    setattr(Remote, "__%s__" % _name.rstrip("_"), _operator(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift", "divmod"):
    setattr(Remote, "__r%s__" % _name, _refused("a reflected operator"))
for _name in ("float", "int", "index", "complex", "round", "trunc", "floor", "ceil", "bytes", "divmod", "reversed", "fspath"):
    setattr(Remote, "__%s__" % _name, _refused("a number made of a value"))


def run(fd):
    """Serves suites and candidates until Go closes the socket."""
    import random
    current = None
    sys.stdout = sys.stderr = suite.Sink()
    while True:
        try:
            m = loads(recv_bytes(fd))
        except EOFError:
            return
        if m[0] == "suite":
            current, answer = (runner if m[1] == "pytest" else suite).load(*m[2:])
            send_bytes(fd, dumps(answer, 2))
        elif m[0] == "run":
            candidate = receive_fd(fd)
            random.seed(0)
            witness = Witness(candidate, m[1])
            try:
                current.run(witness, lambda *row: send_bytes(fd, dumps(row, 2)))
            finally:
                os.close(candidate)
            send_bytes(fd, dumps(("end", sorted(witness.tamper), sorted(witness.flags), witness.unsupported), 2))


def receive_fd(fd):
    import _socket
    import array
    s = _socket.socket(fileno=fd)
    try:
        _, extra, _, _ = s.recvmsg(1, _socket.CMSG_SPACE(4))
    finally:
        s.detach()
    fds = array.array("i")
    for level, kind, data in extra:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds.frombytes(data[:len(data) // 4 * 4])
    return fds[0]
