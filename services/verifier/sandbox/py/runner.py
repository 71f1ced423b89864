"""Mode pytest: test functions, test classes and unittest.TestCase, run by us.

A zygote has no site-packages, so there is no pytest in it. Of pytest the module that tests import offers raises, approx, fail
and mark.parametrize; what else they use makes the suite unsupported, and never a pass: nothing may be skipped.
"""
import ast
import itertools
import sys
import types

import suite
from suite import asked, exports, from_module, imported, one, parse, proxy_module, star, touches

BEYOND = {
    "skip", "skipif", "xfail", "importorskip", "fixture", "usefixtures", "skipTest", "expectedFailure", "skipIf", "skipUnless", "SkipTest", "warns", "deprecated_call",
    "pytest_plugins", "load_tests", "IsolatedAsyncioTestCase", "exit",
}


def load(entry, module, tests):
    """Gives the suite and the answer for Go."""
    parsed, bad = parse(module, tests)
    if bad:
        return None, bad
    names = []
    for name, tree, _ in parsed:
        for node in ast.walk(tree):
            used = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if used in BEYOND or any(n.split(".")[0] == "pytest" and isinstance(node, ast.ImportFrom) and a.name in BEYOND for n in imported(node) for a in node.names):
                return None, ("tests_unsupported", "%s uses %s" % (name, used or "pytest's " + node.names[0].name))
        found = [name + "::" + n for n in static(tree)]
        if not found:
            return None, ("no_tests", "%s defines no tests" % name)
        if not touches(tree, entry, module):
            return None, ("no_tests", "%s uses nothing of the candidate's" % name)
        names += found
    return Module(parsed, entry, module), ("ready", names)


def static(tree):
    """The tests that a source defines, before any of it is run."""
    out = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            out.append(node.name)
        elif isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or any("TestCase" in ast.dump(b) for b in node.bases)):
            out += [node.name + "::" + f.name for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test")]
    return out


class Module:
    def __init__(self, parsed, entry, module):
        self.parsed, self.entry, self.module = parsed, entry, module
        self.names = {entry} if entry else set()
        for _, tree, _ in parsed:
            self.names |= from_module(tree, module) | (asked(tree) if star(tree, module) else set())

    def run(self, witness, row):
        try:
            given = exports(witness, self.names, self.entry)
        except (suite.Stop, Exception) as e:
            for name, tree, _ in self.parsed:
                for n in static(tree):
                    row("row", name + "::" + n, suite.outcome(e), suite.text(e)[:500])
            return
        proxy_module(self.module, given)
        sys.modules["pytest"] = stub()
        over = None
        for name, tree, code in self.parsed:
            scope = {"__name__": "test_" + self.module}
            failed = attempt(lambda: exec(code, scope))
            ran = set()
            for item, body in [] if failed else collect(scope):
                ran.add(item.split("[")[0])
                over = self.item(name + "::" + item, body, row, over)
            for n in static(tree):
                if n not in ran:
                    row("row", name + "::" + n, *(failed or ("error", "it was not collected")))

    @staticmethod
    def item(name, body, row, over):
        if over:
            row("row", name, *over)
            return over
        last = []
        if not one(name, body, lambda *r: (last.append(r[2:]), row(*r))):
            return last[0]
        return None


def attempt(body):
    """The outcome of a body that did not pass, or None."""
    last = []
    one("", body, lambda *r: last.append(r[2:]))
    return None if last[0][0] == "pass" else last[0]


def collect(scope):
    """Pairs (name, body) in the order of the source."""
    for name, value in list(scope.items()):
        if isinstance(value, types.FunctionType) and name.startswith("test"):
            yield from expand(name, value, ())
        elif isinstance(value, type) and issubclass_of_testcase(value):
            yield from testcase(name, value)
        elif isinstance(value, type) and name.startswith("Test"):
            for n, f in list(vars(value).items()):
                if n.startswith("test") and callable(f):
                    yield from method(name + "::" + n, value, n, f)


def expand(name, f, first):
    sets = getattr(f, "_parameters", None)
    if sets is None:
        yield name, lambda: f(*first)
        return
    for i, combination in enumerate(itertools.product(*sets)):
        kwargs = {}
        for part in combination:
            kwargs.update(part)
        yield "%s[%d]" % (name, i), lambda kwargs=kwargs: f(*first, **kwargs)


def method(name, cls, n, f):
    for item, _ in expand(name, f, (None,)):
        def body(item=item):
            self = cls()
            for hook in ("setup_class", "setup_method"):
                getattr(self, hook, lambda *_: None)(*([None] if hook == "setup_method" and getattr(self, hook, None) and getattr(self, hook).__code__.co_argcount > 1 else []))
            dict(expand(name, f, (self,)))[item]()
            getattr(self, "teardown_method", lambda *_: None)()
        yield item, body


def issubclass_of_testcase(value):
    u = sys.modules.get("unittest")
    return u is not None and issubclass(value, u.TestCase) and value is not u.TestCase


def testcase(name, cls):
    ready = []
    for n in dir(cls):
        if not n.startswith("test"):
            continue

        def body(n=n):
            if not ready:
                cls.setUpClass()
                ready.append(1)
            case = cls(n)
            case.setUp()
            try:
                getattr(case, n)()
            finally:
                case.tearDown()
                case.doCleanups()
        yield name + "::" + n, body


class Raises:
    """pytest.raises as a context manager."""

    def __init__(self, expected, match=None):
        self.expected, self.match, self.value, self.type = expected, match, None, None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("DID NOT RAISE %r" % (self.expected,))
        if not issubclass(kind, self.expected):
            return False
        if self.match is not None:
            import re
            if not re.search(self.match, str(value)):
                raise AssertionError("%r does not match %r" % (self.match, str(value)))
        self.value, self.type = value, kind
        return True


def raises(expected, *args, match=None, **kwargs):
    if not args:
        return Raises(expected, match)
    with Raises(expected) as r:
        args[0](*args[1:], **kwargs)
    return r


class Approx:
    """pytest.approx: numbers, lists, tuples and dicts of them."""

    def __init__(self, expected, rel=None, abs=None, nan_ok=False):
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    def near(self, a, e):
        if type(e) in (list, tuple):
            return type(a) in (list, tuple) and len(a) == len(e) and all(self.near(x, y) for x, y in zip(a, e))
        if type(e) is dict:
            return type(a) is dict and a.keys() == e.keys() and all(self.near(a[k], e[k]) for k in e)
        if type(e) not in (int, float, complex) or type(a) not in (int, float, complex, bool):
            return a == e
        if e != e or a != a:
            return self.nan_ok and e != e and a != a
        if a == e:
            return True
        absolute = 1e-12 if self.abs is None else self.abs
        relative = 0 if self.abs is not None and self.rel is None else (1e-6 if self.rel is None else self.rel) * abs(e)
        return abs(a - e) <= max(absolute, relative) and abs(a - e) != float("inf")

    def __eq__(self, actual):
        return self.near(actual, self.expected)

    __hash__ = None


class Mark:
    @staticmethod
    def parametrize(names, values, ids=None):
        if isinstance(names, str):
            names = [n.strip() for n in names.split(",")]
        rows = [dict(zip(names, v if len(names) > 1 else (v,))) for v in values]

        def decorate(f):
            f._parameters = [rows] + getattr(f, "_parameters", [])
            return f
        return decorate

    def __getattr__(self, name):
        raise peer_unsupported("pytest.mark." + name)


def peer_unsupported(what):
    return suite.Unsupported("the tests use " + what)


def fail(reason="", pytrace=True):
    raise AssertionError(reason)


def stub():
    m = types.ModuleType("pytest")
    m.raises, m.approx, m.fail, m.mark = raises, Approx, fail, Mark()

    def missing(name):
        raise peer_unsupported("pytest." + name)
    m.__getattr__ = missing
    return m
