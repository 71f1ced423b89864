"""What the judge has of the candidate's that cannot be copied.

A Remote can be called, iterated, indexed, read and printed. It can decide nothing: comparing it, its truth, its hash, a
number made of it, all raise Forged, which no test can catch and forget, because it is written down when it is raised.
"""
import sys

from fault import TooLong
from peer import INERT

MAX_ITERATIONS = 1_000_000


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
