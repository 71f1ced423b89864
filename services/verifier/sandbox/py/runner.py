"""Test functions and classes, where the interpreter has no pytest of its own."""


def load(entry, module, tests):
    return None, ("tests_unsupported", "mode pytest is not in this build")
