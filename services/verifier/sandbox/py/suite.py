"""The tests as the judge runs them: read once, run for each candidate with fresh globals."""
import ast
import builtins
import sys
import types

from fault import Exited, Forged, Gone, Stop, TooLong, Unsupported
from pytestlike import Skip

# What tests may not use, because the candidate lives in another process: they would see the judge's instead.
BEYOND_NAMES = {
    "asyncio", "capsys", "capfd", "monkeypatch", "mock", "patch", "MagicMock", "Mock", "tmp_path", "tmpdir", "inspect", "subprocess", "threading",
    "multiprocessing", "redirect_stdout", "redirect_stderr", "open", "input", "globals", "locals", "exec", "eval", "compile", "pathlib", "tempfile", "socket", "ctypes",
    "np", "numpy", "pd", "pandas", "scipy", "torch", "sympy",  # a candidate's module of that name would decide the test
    "importlib", "gc", "timeit", "pickle", "io", "os", "shutil", "signal",
}
BEYOND_ATTRIBUTES = {"stdin", "stdout", "stderr", "settrace", "_getframe", "modules", "__globals__", "__code__", "__closure__", "__dict__", "__subclasses__", "cache_info", "cache_clear", "mock"}
# Helpers that tests are known to use without importing. They are the standard library's and never the candidate's, whose
# isclose() would decide the test. Names that a task may ask for (gcd, factorial) are not among them.
STANDARD = {
    "isclose": "math", "isnan": "math", "isinf": "math", "inf": "math", "nan": "math",
    "Counter": "collections", "defaultdict": "collections", "OrderedDict": "collections", "deque": "collections", "namedtuple": "collections",
    "deepcopy": "copy", "Decimal": "decimal", "Fraction": "fractions", "approx": "", "raises": "",
}
MODULES = {
    "math", "cmath", "random", "re", "string", "itertools", "functools", "collections", "heapq", "bisect", "operator", "copy", "datetime", "decimal",
    "fractions", "statistics", "json", "typing", "types", "unittest", "time", "calendar", "textwrap", "hashlib", "enum", "dataclasses", "contextlib", "array", "numbers", "abc",
}


class Sink:
    """Takes what tests print."""

    encoding = "utf-8"

    def write(self, s):
        return len(s)

    def flush(self):
        pass

    def isatty(self):
        return False


def parse(module, tests):
    """Compiles tests, a list of (name, source): triples (name, tree, code), and what Go is told where that cannot be."""
    parsed = []
    for name, source in tests:
        try:
            tree = ast.parse(source, "<%s>" % name)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            return None, ("bad_tests", "%s: %s: %s" % (name, type(e).__name__, e))
        try:
            why = beyond(tree, module)
            if why:
                return None, ("tests_unsupported", "%s uses %s" % (name, why))
            parsed.append((name, tree, compile(tree, "<%s>" % name, "exec", 0, True)))
        except (SyntaxError, ValueError, RecursionError) as e:
            return None, ("bad_tests", "%s: %s: %s" % (name, type(e).__name__, e))
    return parsed, None


def load(entry, module, tests):
    """Gives the suite and the answer for Go."""
    parsed, bad = parse(module, tests)
    if bad:
        return None, bad
    for name, tree, _ in parsed:
        if not uncalled(tree) and not does_something(tree):
            return None, ("no_tests", "%s asserts, raises and calls nothing" % name)
        if not touches(tree, entry, module):
            return None, ("no_tests", "%s uses nothing of the candidate's" % name)
    s = Suite(parsed, entry, module)
    return s, ("ready", [name for name, _, _ in s.tests])


def beyond(tree, module):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BEYOND_NAMES and isinstance(node.ctx, ast.Load):
            return node.id
        if isinstance(node, ast.Attribute) and node.attr in BEYOND_ATTRIBUTES:
            return node.attr
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return "async"
        for name in imported(node):
            top = name.split(".")[0]
            if name == "unittest.mock" or top not in MODULES and top not in ("pytest", module, "solution", "__future__"):
                return "module " + name
    return ""


def candidates(names, entry):
    """The names of a test that are the candidate's to define."""
    return {n for n in names if n == entry or not hasattr(builtins, n) and n not in STANDARD and n not in MODULES and n not in ("pytest", "__name__")}


def touches(tree, entry, module):
    """Whether a test asks for anything of the candidate's. One that does not passes with any candidate."""
    return bool(candidates(asked(tree) | from_module(tree, module), entry)) or any(takes for _, takes in uncalled(tree)) or star(tree, module)


def star(tree, module):
    return any(isinstance(n, ast.ImportFrom) and n.module in (module, "solution") and any(a.name == "*" for a in n.names) for n in ast.walk(tree))


def imported(node):
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] if node.level == 0 else ["a relative import"]
    return []


def asked(tree):
    """Names that a test reads and does not bind itself anywhere outside a function's parameters."""
    read, bound = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((a.asname or a.name).split(".")[0] for a in node.names)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return read - bound


class Suite:
    """Tests of mode func: each source is one test."""

    def __init__(self, parsed, entry, module):
        self.entry, self.module = entry, module
        self.tests, self.names = [], set()
        for name, tree, code in parsed:
            self.tests.append((name, code, uncalled(tree)))
            self.names |= asked(tree) | from_module(tree, module)
        if entry:
            self.names.add(entry)

    def run(self, witness, row):
        try:
            given = exports(witness, self.names, self.entry)
        except (Stop, Exception) as e:
            for name, _, _ in self.tests:
                row("row", name, outcome(e), text(e)[:500])
            return
        proxy_module(self.module, given)
        for name, code, calls in self.tests:
            def body():
                scope = {"__name__": "__test__", "__builtins__": builtins}
                scope.update(given)
                exec(code, scope)
                for f, takes in calls:
                    if takes:
                        scope[f](given[self.entry] if self.entry in given else missing(self.entry))
                    else:
                        scope[f]()
            if not one(name, body, row, witness):
                return


def one(name, body, row, witness):
    """Runs a test and tells its outcome; False where no other test can be run."""
    result = run_body(body)
    if witness.stopped is not None:  # whatever the test made of it, by a bare except or raises(BaseException)
        result = (outcome(witness.stopped), str(witness.stopped))
    row("row", name, result[0], result[1][:500])
    return result[0] not in ("gone", "exit", "long")


def run_body(body):
    try:
        body()
    except Stop as e:
        return outcome(e), str(e)
    except Unsupported as e:
        return "unsupported", str(e)
    except Skip as e:
        return "skip", text(e)
    except AssertionError as e:
        return "fail", text(e)
    except (SystemExit, KeyboardInterrupt) as e:
        return "error", type(e).__name__ + " in the test"
    except BaseException as e:
        if isinstance(e, skip_test()):
            return "skip", text(e)
        return "error", type(e).__name__ + ": " + text(e)
    return "pass", ""


def skip_test():
    """unittest's own exception: the candidate's of that name is another class here."""
    return getattr(sys.modules.get("unittest"), "SkipTest", ())


def text(e):
    try:
        return str(e)
    except BaseException:
        return type(e).__name__


def outcome(e):
    for kind, name in ((Forged, "forged"), (Gone, "gone"), (Exited, "exit"), (TooLong, "long")):
        if isinstance(e, kind):
            return name
    return "error"


def missing(entry):
    raise NameError("name %r is not defined" % (entry,))


def exports(witness, names, entry):
    """What the candidate defines of the names that tests read.

    A name that Python or its library knows stays theirs, unless it is the entry point: a candidate's own all() or isclose()
    would decide the tests.
    """
    wanted = sorted(candidates(names, entry))
    got, _ = witness.ask("exports", wanted)
    given = {}
    for name in names:
        if name == entry:
            continue
        if name in MODULES:
            given[name] = __import__(name)
        elif STANDARD.get(name):
            given[name] = getattr(__import__(STANDARD[name]), name)
    if type(got) is not list:
        raise witness.forged("exports of no known shape", "forged_result")
    for e in got:
        if type(e) is not tuple or len(e) != 3 or e[0] not in wanted or e[0] in given and e[0] != entry:
            raise witness.forged("exports of no known shape", "forged_result")
        if e[1] == "value":
            given[e[0]] = e[2]
            if entry and e[0] != entry:
                witness.flags.add("candidate_helper")
    return given


def from_module(tree, module):
    """Names that a test takes from the candidate's module: imported from it, or read from it under any alias."""
    names, aliases = set(), {module, "solution"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases.update(a.asname for a in node.names if a.asname and a.name in (module, "solution"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in (module, "solution"):
            names.update(a.name for a in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            names.add(node.attr)
    names.discard("*")
    return names


def proxy_module(name, given):
    """The candidate's module as tests import it: what it exports, and nothing else."""
    for n in {name, "solution"}:
        m = types.ModuleType(n)
        m.__dict__.update(given)
        m.__all__ = sorted(given)
        sys.modules[n] = m


def uncalled(tree):
    """Functions check(candidate) and test…() that the source defines and does not call itself."""
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    out = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name not in called:
            required = len(node.args.args) - len(node.args.defaults)
            if node.name == "check" and required == 1:
                out.append(("check", True))
            elif node.name.startswith("test") and required == 0:
                out.append((node.name, False))
    return out


def does_something(tree):
    """Whether running the source can fail: an assert, a raise or a call outside definitions."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
            continue
        for n in ast.walk(node):
            if isinstance(n, (ast.Assert, ast.Raise, ast.Call)):
                return True
    return False
