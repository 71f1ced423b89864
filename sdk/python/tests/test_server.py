import os
import time

import provenir
from provenir import InvalidError, NotAvailableError, RefusedError, RunHeldError, UnreachableError, writer
from fakeserver import FakeServer
from support import Case, rows


class TestServer(Case):
    def setUp(self):
        super().setUp()
        self.server = FakeServer()
        self.addCleanup(self.server.close)
        os.environ["PROVENIR_TOKEN"] = "pvr_test"
        self.addCleanup(os.environ.pop, "PROVENIR_TOKEN", None)

    def track(self, **cfg):
        return provenir.track("a run", server=self.server.url, spool=self.dir, **cfg)

    def types(self, run):
        return [r["type"] for r in self.server.runs[run.run]]

    def test_a_run(self):
        with self.track() as run:
            for i in range(1000):
                run.log_step(i, kl=0.1)
            self.assertEqual(run.anomalies, [{"kind": "kl_blowup"}])
            self.assertEqual(run.manifest["summary"], {"verdict": "healthy"})
            for name in ["bom", "passport", "hacking_report", "alerter"]:  # the server says nothing of inspected trajectories
                with self.assertRaises(NotAvailableError, msg=name):
                    getattr(run, name)
        self.assertEqual(run.bom, {"model": None})
        self.assertEqual(run.passport, {"digest": "sha256:a", "folder": "/f", "keyId": "k", "statement": {"_type": "statement"}, "bundle": {"dsseEnvelope": {}}})
        got = self.server.runs[run.run]
        self.assertEqual([r["seq"] for r in got], list(range(1003)))
        self.assertEqual(got[-1]["outcome"], "completed")
        self.assertLess(self.server.calls, 30)  # batches, not a call a step
        self.assertEqual(set(self.server.tokens), {"Bearer pvr_test"})
        self.assertEqual((self.warnings, os.listdir(self.dir)), ([], []))

    def test_lost_answers_and_busy_servers_double_nothing(self):
        with self.track() as run:
            self.server.script = ["lose", 503, "lose", 429, None, "lose"]
            for i in range(600):
                run.log_step(i, kl=i)
        got = self.server.runs[run.run]
        self.assertEqual([r["step"] for r in got if r["type"] == "step"], list(range(600)))
        self.assertEqual((got[-1]["outcome"], got[-1].get("dropped"), run.dropped), ("completed", None, 0))
        self.assertEqual(len(self.warnings), 1)

    def test_a_row_that_is_refused_is_left_out_alone(self):
        self.server.bad = lambda r: r.get("step") == 7
        with self.track() as run:
            self.server.script = ["lose"]
            for i in range(20):
                run.log_step(i, kl=i)
        got = self.server.runs[run.run]
        self.assertEqual([r["step"] for r in got if r["type"] == "step"], [i for i in range(20) if i != 7])
        self.assertEqual((got[-1]["dropped"], run.dropped), (1, 1))

    def test_a_run_that_was_taken_over_stops_quietly(self):
        with self.track() as run:
            run.log_step(0, kl=1)
            self.server.epochs[run.run] = 1 << 62
            run.log_step(1, kl=1)
            while not run.trouble:
                time.sleep(0.01)
            for i in range(100):
                run.log_step(i, kl=1)
        self.assertNotIn("close", self.types(run))
        self.assertGreaterEqual(run.dropped, 100)
        self.assertEqual((len(self.warnings), os.listdir(self.dir)), (1, []))  # the rows belong to nobody: no spool of them

    def test_what_a_dead_server_did_not_take_waits_in_a_file(self):
        run = self.track().start()
        run.log_step(0, kl=1)
        while len(self.server.runs[run.run]) < 3:
            time.sleep(0.01)
        self.server.script = [503] * 1000
        run.log_step(1, kl=2)
        provenir.tracker.CLOSE_TIMEOUT, kept = 0.5, provenir.tracker.CLOSE_TIMEOUT
        self.addCleanup(setattr, provenir.tracker, "CLOSE_TIMEOUT", kept)
        run.close()
        got = rows(run.spool)
        self.assertEqual([(r["type"], r.get("seq")) for r in got], [("resume", None), ("step", 3), ("close", 4)])
        self.assertEqual(got[0]["run"], run.run)
        self.assertIn("ledger import", self.warnings[-1])

    def test_a_queue_that_is_full_drops_and_counts(self):
        kept, writer.MAX_ROWS = writer.MAX_ROWS, 10
        self.addCleanup(setattr, writer, "MAX_ROWS", kept)
        with self.track() as run:
            for i in range(1000):
                run.log_step(i, kl=i)
        got = self.server.runs[run.run]
        self.assertEqual([r["seq"] for r in got], list(range(len(got))))  # what was dropped leaves no hole
        self.assertEqual(got[-1]["dropped"], run.dropped)
        self.assertEqual(sum(r["type"] == "step" for r in got) + run.dropped, 1000)

    def test_the_start_says_what_is_wrong(self):
        self.server.bad = lambda r: True
        with self.assertRaises(RefusedError):
            self.track().start()
        self.server.bad = lambda r: False
        with self.assertRaises(RefusedError) as e:
            self.track(run="g" + "0" * 25).start()
        self.assertEqual(e.exception.reason, "RUN_NOT_FOUND")
        with self.track() as run:
            self.server.epochs[run.run] = 1 << 62
            with self.assertRaises(RunHeldError):
                self.track(run=run.run).start()
            self.server.epochs[run.run] = 0
        with self.assertRaises(UnreachableError) as e:
            provenir.track("n", server="http://127.0.0.1:1", spool=self.dir).start()
        self.assertIn("provenir up", str(e.exception))
        del os.environ["PROVENIR_TOKEN"]
        with self.assertRaises(InvalidError):
            self.track(token_file=os.path.join(self.dir, "none"))

    def test_goes_on_with_a_run(self):
        first = self.track().start()
        first.log_step(0, kl=1)
        while len(self.server.runs[first.run]) < 3:
            time.sleep(0.01)
        with self.track(run=first.run) as second:  # the first is dead, as far as anybody can tell
            second.log_step(1, kl=1)
        first.close()
        self.assertEqual(self.types(second), ["open", "config", "step", "step", "close"])
        self.assertTrue(first.trouble)
