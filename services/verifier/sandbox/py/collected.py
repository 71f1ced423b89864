"""The tests that a module of tests has once it was run: functions, classes, unittest.TestCase, with marks and hooks.

An item is a pair (name, body). A body passes by returning; it raises Skip where a mark or the test says that it does not
count, and Expected where it was to fail, whether it did or not: neither is a pass.
"""
import itertools
import sys
import types

from fault import Stop, Unsupported
from pytestlike import Expected, Param, Skip, marks_of

GENERATOR = 0x20 | 0x200  # of code: calling it runs nothing


def items(scope, unsupported):
    """Pairs (name, body) in the order of the source."""
    outer = module_marks(scope)
    before, after = scope.get("setup_function"), scope.get("teardown_function")
    for name, value in list(scope.items()):
        if isinstance(value, types.FunctionType) and name.startswith("test"):
            yield from function(name, value, outer, unsupported, lambda f, kwargs, _: surrounded(f, kwargs, before, after))
        elif isinstance(value, type) and is_testcase(value):
            yield from testcase(name, value, outer, unsupported)
        elif isinstance(value, type) and name.startswith("Test"):
            yield from test_class(name, value, outer, unsupported)


def module_marks(scope):
    holder = types.SimpleNamespace(pytestmark=scope.get("pytestmark"))
    return marks_of(holder)


def surrounded(f, kwargs, before, after):
    hook(before, f)
    try:
        f(**kwargs)
    finally:
        hook(after, f)


def hook(f, *args):
    """Calls a hook of the tests with as many arguments as it takes."""
    if f is not None:
        code = getattr(getattr(f, "__func__", f), "__code__", None)
        takes = code.co_argcount - isinstance(f, types.MethodType) if code else 0
        f(*args[:takes])


def test_class(name, cls, outer, unsupported):
    if "__init__" in {n for c in cls.__mro__ if c is not object for n in vars(c)}:
        unsupported("a test class with __init__ (%s)" % name)
    marks = outer + marks_of(cls)
    entered = Once(lambda: hook(getattr(cls, "setup_class", None), cls), lambda: hook(getattr(cls, "teardown_class", None), cls))

    def call(f, kwargs, n):
        entered.enter()
        self = cls()
        method = getattr(self, n)
        hook(getattr(self, "setup_method", None), method)
        try:
            method(**kwargs)
        finally:
            hook(getattr(self, "teardown_method", None), method)
    for n, f in methods(cls):
        if isinstance(f, type):
            yield from test_class(name + "::" + n, f, marks, unsupported)
        elif n.startswith("test") and callable(getattr(cls, n)):
            plain = getattr(f, "__func__", f)
            for item, body in function(n, plain, marks, unsupported, call, 0 if isinstance(f, staticmethod) else 1):
                yield name + "::" + item, body
    entered.leave()


def methods(cls):
    """Names with their values, those of bases first, each once and as it is in the end."""
    found = {}
    for c in reversed(cls.__mro__):
        if c is not object:
            found.update(dict.fromkeys(n for n, v in vars(c).items() if n.startswith("test") or isinstance(v, type) and n.startswith("Test")))
    for n in found:
        yield n, next(vars(c)[n] for c in cls.__mro__ if n in vars(c))


class Once:
    """A hook that runs before the first test of a class, and its counterpart after the last."""

    def __init__(self, before, after):
        self.before, self.after, self.state = before, after, None

    def enter(self):
        if self.state is None:
            self.state = "failed"  # so that it is not tried again, and the tests that need it fail
            self.before()
            self.state = "entered"
        elif self.state == "failed":
            raise AssertionError("the setup of the class failed")

    def leave(self):
        if self.state == "entered":
            self.after()


def function(name, f, outer, unsupported, call, skip_arguments=0):
    marks = outer + marks_of(f)
    check_parameters(name, f, marks, unsupported, skip_arguments)
    rows = [parameters(m, unsupported) for m in marks if m.name == "parametrize"]
    if not rows:
        yield name, marked(marks, lambda: call(f, {}, name), unsupported)
        return
    for i, combination in enumerate(itertools.product(*rows)):
        kwargs, own = {}, []
        for values, more in combination:
            kwargs.update(values)
            own += more
        yield "%s[%d]" % (name, i), marked(marks + own, lambda kwargs=kwargs: call(f, kwargs, name), unsupported)
    if not all(rows):
        yield name, skipped("parametrize has no values")


def check_parameters(name, f, marks, unsupported, first):
    """A test may want what a mark gives it, and nothing else: anything else would be a fixture."""
    code = getattr(f, "__code__", None)
    if code is None:
        unsupported("a test that is no function (%s)" % name)
    if code.co_flags & GENERATOR:
        unsupported("a test with yield (%s)" % name)
    given = {n for m in marks if m.name == "parametrize" for n in names_of(m)}
    wanted = code.co_varnames[first:code.co_argcount - len(f.__defaults__ or ())]
    for n in wanted:
        if n not in given:
            unsupported("the fixture " + n)


def names_of(mark):
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
    return [n.strip() for n in names.split(",") if n.strip()] if isinstance(names, str) else list(names)


def parameters(mark, unsupported):
    """The rows of parametrize: pairs (arguments, marks)."""
    for option in mark.kwargs:
        if option not in ("argnames", "argvalues", "ids"):
            unsupported("pytest.mark.parametrize(%s=…)" % option)
    names = names_of(mark)
    rows = []
    for row in mark.args[1] if len(mark.args) > 1 else mark.kwargs.get("argvalues", ()):
        marks = []
        if isinstance(row, Param):
            values, marks = row.values, row.marks
        else:
            values = row if len(names) > 1 else (row,)
        values = tuple(values)
        if len(values) != len(names):
            unsupported("pytest.mark.parametrize with %d names and %d values" % (len(names), len(values)))
        rows.append((dict(zip(names, values)), marks))
    return rows


def marked(marks, body, unsupported):
    """The body of a test with its marks."""
    for m in marks:
        if m.name in ("skip", "skipif") and holds(m, m.name == "skip", unsupported):
            return skipped(reason(m))
    expected = [m for m in marks if m.name == "xfail" and holds(m, True, unsupported)]
    if not expected:
        return body
    if expected[0].kwargs.get("run") is False:
        return skipped(reason(expected[0]))
    return to_fail(body)


def to_fail(body):
    """A test that is to fail. How it ends is told; that the candidate ended or forged is told by the body itself."""
    def run():
        try:
            body()
        except (Stop, Skip, Unsupported):
            raise
        except BaseException:
            raise Expected("it was to fail, and did") from None
        raise Expected("it was to fail, and did not")
    return run


def holds(mark, without, unsupported):
    conditions = mark.args if mark.name != "skip" else ()
    if "condition" in mark.kwargs:
        conditions += (mark.kwargs["condition"],)
    for c in conditions:
        if isinstance(c, str):
            unsupported("pytest.mark.%s with a condition in text" % mark.name)
    return any(conditions) if conditions else without


def reason(mark):
    return str(mark.kwargs.get("reason", mark.args[0] if mark.name == "skip" and mark.args else ""))


def skipped(why):
    def run():
        raise Skip(why)
    return run


def is_testcase(value):
    u = sys.modules.get("unittest")
    return u is not None and issubclass(value, u.TestCase) and value is not u.TestCase


def testcase(name, cls, outer, unsupported):
    marks = outer + marks_of(cls)
    entered = Once(cls.setUpClass, cls.tearDownClass)
    for n in dir(cls):
        f = getattr(cls, n)
        if not n.startswith("test") or not callable(f):
            continue
        if getattr(getattr(f, "__code__", None), "co_flags", 0) & GENERATOR:
            unsupported("a test with yield (%s)" % n)
        if any(m.name == "parametrize" for m in marks + marks_of(f)):
            unsupported("pytest.mark.parametrize on unittest.TestCase")
        yield name + "::" + n, marked(marks + marks_of(f), case_body(cls, n, f, entered), unsupported)
    entered.leave()


def case_body(cls, n, f, entered):
    def body():
        if getattr(cls, "__unittest_skip__", False):
            raise Skip(getattr(cls, "__unittest_skip_why__", ""))
        entered.enter()
        case = cls(n)
        case.setUp()
        try:
            getattr(case, n)()
        finally:
            case.tearDown()
            case.doCleanups()
    expecting = getattr(cls, "__unittest_expecting_failure__", False) or getattr(f, "__unittest_expecting_failure__", False)
    return to_fail(body) if expecting else body
