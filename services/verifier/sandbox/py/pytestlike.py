"""What tests import as pytest: raises, approx, fail, skip, xfail, param and the marks that our runner knows.

Everything else that is asked of the module makes the suite unsupported, by name. It is written down with the witness, so that
a test that catches the exception changes nothing.
"""
import types

from fault import Stop

MARKS = ("parametrize", "skip", "skipif", "xfail")


class Skip(BaseException):
    """The test says that it does not count. It is no Exception, as in pytest, so that tests do not catch it."""


class Expected(Skip):
    """The test says that it is to fail."""


class Raises:
    """pytest.raises as a context manager, and what pytest calls ExceptionInfo."""

    def __init__(self, expected, pattern=None):
        self.expected, self.pattern, self.value, self.type = expected, pattern, None, None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("DID NOT RAISE %r" % (self.expected,))
        if issubclass(kind, (Stop, Skip)) or not issubclass(kind, self.expected):
            return False
        self.value, self.type = value, kind
        if self.pattern is not None:
            self.match(self.pattern)
        return True

    def match(self, pattern):
        import re
        if not re.search(pattern, str(self.value)):
            raise AssertionError("%r does not match %r" % (pattern, str(self.value)))
        return True

    @property
    def typename(self):
        return self.type.__name__


class Approx:
    """pytest.approx: numbers, lists, tuples and dicts of them."""

    def __init__(self, expected, rel=None, abs=None, nan_ok=False):
        for name, tolerance in (("rel", rel), ("abs", abs)):
            if tolerance is not None and not tolerance >= 0:
                raise ValueError("%s is %r, want a number that is not negative" % (name, tolerance))
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    def near(self, a, e):
        if type(e) in (list, tuple):
            return type(a) in (list, tuple) and len(a) == len(e) and all(self.near(x, y) for x, y in zip(a, e))
        if type(e) is dict:
            return type(a) is dict and a.keys() == e.keys() and all(self.near(a[k], e[k]) for k in e)
        if not is_number(e) or not is_number(a) and type(a) is not bool:
            return a == e
        if e != e or a != a:
            return self.nan_ok and e != e and a != a
        return a == e or self.within(abs(a - e), abs(e))

    def within(self, distance, size):
        # A Decimal and a float do not mix, so the tolerances take the kind of what is measured.
        kind = type(distance) if type(distance).__name__ in ("Decimal", "Fraction") else float
        absolute = kind("1e-12") if self.abs is None else kind(self.abs)
        relative = kind(0) if self.abs is not None and self.rel is None else (kind("1e-6") if self.rel is None else kind(self.rel)) * size
        return distance <= max(absolute, relative) and distance != float("inf")

    def __eq__(self, actual):
        return self.near(actual, self.expected)

    def __repr__(self):
        return "approx(%r)" % (self.expected,)

    __hash__ = None


def is_number(v):
    t = type(v)
    return t in (int, float, complex) or t.__module__ in ("decimal", "fractions") and t.__name__ in ("Decimal", "Fraction")


class Param:
    """pytest.param: a row of parametrize with marks of its own."""

    def __init__(self, values, marks):
        self.values, self.marks = values, marks


class Mark:
    """A mark, as a decorator, in pytestmark or in param(marks=…)."""

    def __init__(self, name, args=(), kwargs=None):
        self.name, self.args, self.kwargs = name, args, kwargs or {}

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            args[0]._marks = [self] + args[0].__dict__.get("_marks", [])
            return args[0]
        return Mark(self.name, self.args + args, {**self.kwargs, **kwargs})


def marks_of(holder):
    """The marks of a function or class: its decorators', then those of pytestmark. A class has those of its bases too."""
    if isinstance(holder, type):
        found = []
        for cls in reversed(holder.__mro__):
            found += cls.__dict__.get("_marks", []) + listed(cls.__dict__.get("pytestmark"))
        return found
    return getattr(holder, "_marks", []) + listed(getattr(holder, "pytestmark", None))


def listed(marks):
    return [] if marks is None else list(marks) if isinstance(marks, (list, tuple)) else [marks]


def module(unsupported):
    """Makes the module. unsupported(what) notes a feature that is not there and raises."""

    def known(expected, kwargs, *names):
        for name in kwargs:
            if name not in names:
                unsupported("%s(%s=…)" % (expected, name))

    def raises(expected, *args, match=None, **kwargs):
        if not args:
            known("pytest.raises", kwargs)
            return Raises(expected, match)
        if not callable(args[0]):
            unsupported("pytest.raises of source text")
        with Raises(expected) as r:
            args[0](*args[1:], **kwargs)
        return r

    def fail(reason="", pytrace=True):
        raise AssertionError(reason)

    def skip(reason="", allow_module_level=False):
        raise Skip(reason)

    def xfail(reason=""):
        raise Expected(reason)

    def param(*values, marks=(), id=None):
        return Param(values, listed(marks))

    class Marks:
        def __getattr__(self, name):
            if name not in MARKS:
                unsupported("pytest.mark." + name)
            return Mark(name)

    def missing(name):
        if name.startswith("__"):
            raise AttributeError(name)
        unsupported("pytest." + name)

    m = types.ModuleType("pytest")
    m.raises, m.approx, m.fail, m.skip, m.xfail, m.param, m.mark = raises, Approx, fail, skip, xfail, param, Marks()
    m.__getattr__ = missing
    return m
