"""What the tests share: a clean environment, a folder, and the log of the package."""

import json
import logging
import os
import shutil
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src")


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.kept = {k: os.environ.pop(k) for k in list(os.environ) if k.startswith("PROVENIR_") and not k.startswith("PROVENIR_TEST_")}
        self.addCleanup(os.environ.update, self.kept)
        self.warnings = []
        handler = logging.Handler()
        handler.emit = lambda record: self.warnings.append(record.getMessage())
        log = logging.getLogger("provenir")
        log.addHandler(handler)
        propagate, log.propagate = log.propagate, False
        self.addCleanup(setattr, log, "propagate", propagate)
        self.addCleanup(log.removeHandler, handler)


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]
