"""Mode pytest: test functions, test classes and unittest.TestCase, run by us.

The judge runs no pytest, also where the interpreter has one: pytest reads tests and writes files, and compares and prints the
candidate's objects by itself. pytestlike.py is what tests import instead; what they use beside it makes the suite
unsupported, and never a pass. A test that is skipped or expected to fail is no pass either.
"""
import ast
import sys

import collected
import pytestlike
import suite
from suite import asked, exports, from_module, imported, one, parse, proxy_module, star, touches

BEYOND = {"importorskip", "fixture", "usefixtures", "warns", "deprecated_call", "pytest_plugins", "load_tests", "IsolatedAsyncioTestCase", "exit"}
HOOKS = ("setUpModule", "setup_module", "tearDownModule", "teardown_module")


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
        fixture = wanted(tree)
        if fixture:
            return None, ("tests_unsupported", "%s uses the fixture %s" % (name, fixture))
        found = [name + "::" + n for n in static(tree)]
        if not found:
            return None, ("no_tests", "%s defines no tests" % name)
        if not touches(tree, entry, module):
            return None, ("no_tests", "%s uses nothing of the candidate's" % name)
        names += found
    return Module(parsed, entry, module), ("ready", names)


def static(tree):
    """The tests that a source defines, before any of it is run."""
    known = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    out = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            out.append(node.name)
        elif isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or is_case(node, known)):
            out += of_class(node, known)
    return out


def of_class(node, known, deep=0):
    """The tests of a class, its bases' included as far as they are in the same source."""
    names = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in known and deep < 16:
            names.update(dict.fromkeys(n.partition("::")[2] for n in of_class(known[base.id], known, deep + 1)))
    for f in node.body:
        if isinstance(f, ast.FunctionDef) and f.name.startswith("test"):
            names[f.name] = None
        elif isinstance(f, ast.ClassDef) and f.name.startswith("Test") and not is_case(node, known):
            names.update(dict.fromkeys(of_class(f, known, deep + 1)))
    return [node.name + "::" + n for n in names]


def is_case(node, known, deep=0):
    for base in node.bases:
        if "TestCase" in ast.dump(base) or isinstance(base, ast.Name) and base.id in known and deep < 16 and is_case(known[base.id], known, deep + 1):
            return True
    return False


def wanted(tree):
    """A parameter of a test that nothing in the source can give it."""
    if any(isinstance(n, ast.Attribute) and n.attr == "parametrize" or isinstance(n, ast.alias) and n.name in ("parametrize", "mark") for n in ast.walk(tree)):
        return ""  # which names it gives is seen when the marks are there
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            required = node.args.args[:len(node.args.args) - len(node.args.defaults)]
            if required:
                return required[0].arg
    return ""


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
        sys.modules["pytest"] = pytestlike.module(witness.beyond)
        over = None
        for name, tree, code in self.parsed:
            over = Source(name, tree, code, witness, row).run(self.module, over)


class Source:
    """One source of tests, run once."""

    def __init__(self, name, tree, code, witness, row):
        self.name, self.tree, self.code, self.witness, self.row = name, tree, code, witness, row
        self.ran = set()

    def run(self, module, over):
        """Tells the outcome of each test. over is how the candidate ended, once it has, and then no test is run."""
        scope = {"__name__": "test_" + module}
        failed = over or self.attempt(lambda: exec(self.code, scope)) or self.hook(scope, HOOKS[:2])
        found = []
        if not failed:
            failed = self.attempt(lambda: found.append(collected.items(scope, self.witness.beyond)))
        while not failed:
            pair = []
            failed = self.attempt(lambda: pair.extend(next(found[0], ())))
            if failed or not pair:
                break
            self.ran.add(pair[0].split("[")[0])
            over = self.item(self.name + "::" + pair[0], pair[1], over)
        failed = failed or over or self.hook(scope, HOOKS[2:])
        left = [n for n in static(self.tree) if n not in self.ran]
        if failed and not over and not left:  # in what comes after the last test; no test may pass as if it were not there
            left = ["teardown"]
        for n in left:
            self.row("row", self.name + "::" + n, *(failed or ("error", "it was not collected")))
        return over

    def hook(self, scope, names):
        for n in names:
            if callable(scope.get(n)):
                return self.attempt(lambda: collected.hook(scope[n], sys.modules.get(scope["__name__"])))
        return None

    def item(self, name, body, over):
        if over:
            self.row("row", name, *over)
            return over
        last = []
        if not one(name, body, lambda *r: (last.append(r[2:]), self.row(*r)), self.witness):
            return last[0]
        return None

    def attempt(self, body):
        """The outcome of a body that did not pass, or None."""
        last = []
        one("", body, lambda *r: last.append(r[2:]), self.witness)
        return None if last[0][0] == "pass" else last[0]
