"""Against a real mesh, whose address a Go test gives (test/sdk)."""

import os
import time
import unittest

import provenir
from provenir import NotAvailableError, RefusedError, RunHeldError, settings
from provenir.rest import Rest
from support import Case

URL = os.environ.get("PROVENIR_TEST_REST")


@unittest.skipUnless(URL, "PROVENIR_TEST_REST names no mesh: `go test ./test/sdk` starts one")
class TestMesh(Case):
    def setUp(self):
        super().setUp()
        os.environ["PROVENIR_TOKEN"] = os.environ["PROVENIR_TEST_TOKEN"]
        self.addCleanup(os.environ.pop, "PROVENIR_TOKEN", None)

    def track(self, **cfg):
        return provenir.track("a run", server=URL, spool=self.dir, **cfg)

    def test_a_run_is_judged_and_sealed(self):
        with self.track(method="grpo", lr=1e-6) as run:
            for i in range(300):
                run.log_step(i, kl=0.01 if i < 200 else 3.0, entropy=1.2, reward_mean=0.3)
            run.log_trajectory("4", prompt="2+2", reward=1, passed=True)
            run.record_eval({"accuracy": 0.5}, n=10)
            for name in ["bom", "passport", "alerter"]:  # it has not ended, and nothing in this process alerts
                with self.assertRaises(NotAvailableError, msg=name):
                    getattr(run, name)
        self.assertEqual(run.trouble, "")
        summary = run.manifest["summary"]
        self.assertEqual((summary["verdict"], summary["steps"], summary["complete"]), ("critical", "300", True))
        deadline = time.monotonic() + 20
        while not run.anomalies and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual({a["kind"] for a in run.anomalies if a["severity"] == "SEVERITY_CRITICAL"}, {"kl_blowup"})
        self.assertTrue(any("kl_blowup" in w for w in self.warnings), self.warnings)

    def test_trajectories_are_inspected(self):
        with self.track() as run:
            with self.assertRaises(NotAvailableError):
                run.hacking_report
            for i in range(8):
                run.log_trajectory("def f(x):\n    return x + 1\n" if i % 2 else "import sys\nsys.exit(0)\n", prompt="write f", reward=1, step=0)
            run.log_step(0, reward_mean=1)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                report = run.hacking_report
                if report["inspected"] == 8:
                    break
            except NotAvailableError:
                pass
            time.sleep(0.05)
        self.assertEqual((report["rollouts"], report["inspected"], report["hacked"], report["rate"]), (8, 8, 4, 0.5))

    def test_it_is_a_run_among_others(self):
        rest = Rest(URL)
        self.addCleanup(rest.close)
        with self.track(method="grpo", lr=0.5) as run:
            run.log_step(0, kl=1)
            run.record_eval(step=0, acc=0.5, n=8)
            run.log_trajectory('"\n' * 700_000, step=0)
            self.assertEqual(rest.get("/v1/runs/@last")["run"]["state"], "RUN_STATE_RUNNING")
        listed = [r["uid"] for r in rest.get("/v1/runs", pageSize=1)["runs"]]
        self.assertEqual(listed, [run.run])
        one = rest.get("/v1/runs/" + run.run)["run"]
        self.assertEqual((one["state"], one["tracked"]["name"], one["tracked"]["config"], one["progress"]), ("RUN_STATE_SUCCEEDED", "a run", '{"lr":0.5}', {"step": "1"}))
        self.assertEqual([e["metric"] for e in one["evaluations"][0]["estimates"]], ["acc"])
        self.assertIn("eventsRoot", one)
        self.assertEqual((one["tracked"]["rollouts"], one["tracked"].get("partial"), run.trouble), ("1", None, ""))
        rollout = rest.get("/v1/runs/%s/events" % run.run, types="RECORD_TYPE_ROLLOUT")["events"][0]
        self.assertGreater(int(rollout["blob"]["sizeBytes"]), 1_400_000)
        for absent in ["decisions", "finalCheckpoint", "chain"]:
            self.assertNotIn(absent, one)
        with self.assertRaises(RefusedError) as e:
            rest.post("/v1/runs/%s:pause" % run.run, {})
        self.assertEqual(e.exception.reason, "RUN_TRACKED")

    def test_it_has_a_passport(self):
        with self.assertRaises(ValueError):
            with self.track(method="grpo", lr=0.5) as run:
                run.log_step(0, kl=1)
                raise ValueError("the loop breaks")
        passport = run.passport
        predicate = passport["statement"]["predicate"]
        self.assertEqual((predicate["recordedBy"], predicate["partial"], predicate["runState"], predicate["modelId"]), ("tracker", True, "failed", ""))
        self.assertEqual(sorted(s["name"] for s in passport["statement"]["subject"]), ["ledger/events", "ledger/findings", "ledger/timing"])
        flags = {c["name"]: c["state"] for c in predicate["riskClaims"]}
        self.assertEqual((flags["self_reported"], flags["partial_run"], flags["unchecked_contamination"]), ("raised", "raised", "raised"))
        self.assertNotIn("clear", {flags[n] for n in flags if n != "incomplete_ledger"})
        bom = run.bom
        self.assertEqual((bom["model"], bom["run"]["run"]["error"], bom["run"]["config"]), (None, "ValueError", [{"declaredJson": '{"lr":0.5}'}]))
        self.assertEqual(run.passport["digest"], passport["digest"])  # asked again it is the same

    def test_two_processes_on_one_run(self):
        with self.track() as first:
            first.log_step(0, kl=1)
            with self.assertRaises(RunHeldError):
                self.track(run=first.run).start()
        with self.assertRaises(RefusedError) as e:  # it has ended
            self.track(run=first.run).start()
        self.assertEqual(e.exception.reason, "RUN_SEALED")

    def test_only_runs_of_trackers(self):
        rest = Rest(URL)
        self.addCleanup(rest.close)
        with self.assertRaises(RefusedError) as e:
            rest.post("/v1/runs/06h19s46h7v7tbftq8wmc85198/events:append", {"epoch": "1", "log": "LOG_EVENTS", "rows": []})
        self.assertEqual(e.exception.reason, "PERMISSION_DENIED")

    def test_names_are_the_recorders(self):
        """The recorder names all limits and kinds when it refuses one: those are ours."""
        rest = Rest(URL)
        self.addCleanup(rest.close)
        for field, value, known in [("limits", {"no_such": 1}, settings.LIMITS), ("disabled", ["no_such"], settings.KINDS)]:
            with self.assertRaises(RefusedError) as e:
                run = provenir.ids.new_run()
                head = provenir.rows.head("open", run, 5, name="n", **{field: value})
                rest.post("/v1/runs/%s/events:append" % run, {"epoch": "5", "log": "LOG_EVENTS", "rows": ['{"seq":0,' + head[1:]]})
            listed = str(e.exception).split("one of ")[1].split(" [")[0]
            self.assertEqual(sorted(listed.split(", ")), sorted(known), field)
        for engine in settings.ENGINES:
            with self.track(engine=engine) as run:
                run.log_step(0, kl=1)
            self.assertEqual((run.dropped, run.trouble), (0, ""), engine)
