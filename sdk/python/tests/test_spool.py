import os
import signal
import subprocess
import sys
import textwrap
import unittest

import provenir
from provenir import ClosedError, InvalidError, NotAvailableError, RunHeldError, TrackError, WrongProcessError
from support import SOURCE, Case, rows


class TestSpool(Case):
    def track(self, name="a run", **cfg):
        return provenir.track(name, spool=self.dir, **cfg)

    def test_rows(self):
        with self.track(method="grpo", lr=1e-6) as run:
            run.log_step(0, kl=0.1, entropy=None, loss=float("nan"))
            run.log_step(metrics={"custom/x": 3})
            run.log_trajectory("4", prompt="2+2", reward=1, passed=True, heldout_reward=0.5, group="g", id="a")
            run.log_trajectory(trajectory=[{"role": "user", "content": "q"}, {"role": "tool", "content": b"\xff"}], step=9)
            run.record_eval({"accuracy": 0.5}, n=10)
        got = rows(run.spool)
        self.assertEqual([r["seq"] for r in got], list(range(10)))
        self.assertEqual([r["type"] for r in got], ["open", "config", "step", "step", "rollout", "verdict", "heldout_verdict", "rollout", "eval", "close"])
        self.assertEqual(got[0]["method"], "grpo")
        self.assertEqual(got[1]["config"], {"lr": 1e-6})
        self.assertEqual(got[2]["metrics"], {"kl": 0.1, "loss": "NaN"})
        self.assertEqual((got[3]["step"], got[3]["metrics"]), (1, {"custom/x": 3.0}))
        self.assertEqual((got[5]["reward"], got[5]["passed"], got[6]["reward"]), (1.0, True, 0.5))
        self.assertEqual((got[9]["outcome"], run.trouble, self.warnings), ("completed", "", []))

    def test_values_that_are_none_do_not_stop_the_loop(self):
        with self.track() as run:
            run.log_step(0, kl={"a": 1}, entropy="high", loss=[1], grad_norm=0.5, ok=True)
            run.log_step(-1, kl=1)
            run.log_step("x", kl=1)
            run.log_step(1, [1, 2])
            run.log_trajectory(None)
            run.log_trajectory("x", reward="good")
            run.log_trajectory(trajectory=[{"role": "judge", "content": ""}])
            run.record_eval({"a": 1}, n=-1)
            run.log_trajectory("x" * (3 << 20))
        got = rows(run.spool)
        self.assertEqual([r["type"] for r in got], ["open", "config", "step", "step", "rollout", "close"])
        self.assertEqual(got[2]["metrics"], {"grad_norm": 0.5})
        self.assertEqual((got[-1]["invalid"], run.invalid), (12, 12))
        self.assertEqual(len(self.warnings), 1, self.warnings)  # once, not twelve times
        self.assertIn("kl", self.warnings[0])

    def test_large_trajectories_are_kept(self):
        with self.track() as run:
            run.log_trajectory("x" * 2_000_000, reward=1)
        got = rows(run.spool)
        self.assertEqual((len(got[2]["turns"][0]["text"]), got[-1].get("invalid"), run.invalid), (2_000_000, None, 0))
        with self.track(privacy="salted") as run:  # a blob would lie in plain text
            run.log_trajectory("x" * 300_000)
        self.assertEqual(([r["type"] for r in rows(run.spool)], run.invalid), (["open", "config", "close"], 1))

    def test_salted_runs_name_whose_data_it_is(self):
        with self.track(privacy="salted") as run:
            run.log_trajectory("x", reward=1, erasure_group="alice")
            run.log_trajectory("y")
            run.log_trajectory("z", erasure_group="")
            run.log_trajectory("z", erasure_group=7)
        got = rows(run.spool)
        self.assertEqual(got[0]["privacy"], "salted")
        self.assertEqual([r.get("erasure_group") for r in got[2:-1]], ["alice", "alice", None])
        self.assertEqual(run.invalid, 2)
        with self.track() as run:  # in a plain run nothing could be erased, and nothing may look as if it could
            run.log_trajectory("x", erasure_group="alice")
        self.assertEqual(([r["type"] for r in rows(run.spool)], run.invalid), (["open", "config", "close"], 1))
        self.assertNotIn("privacy", rows(run.spool)[0])

    def test_keys_are_bounded(self):
        with self.track() as run:
            run.log_step(0, {"k%d" % i: 1 for i in range(5000)})
            run.log_step(1, {"x" * 300: 1, "": 2})
        self.assertEqual(len(rows(run.spool)[2]["metrics"]), 4096)
        self.assertEqual(run.invalid, 5000 - 4096 + 2)

    def test_wrong_use_raises(self):
        for cfg in [{"name": ""}, {"kl_max": -1}, {"engine": "jax"}, {"privacy": "secret"}, {"run": "06h19s46h7v7tbftq8wmc85198"}, {"server": "http://example.com:80"},
                    {"server": "ftp://localhost:1"}, {"server": "localhost"}, {"server": "http://u:p@localhost:1"}]:
            with self.assertRaises(InvalidError, msg=repr(cfg)):
                provenir.track(**{"name": "n", "spool": self.dir, **cfg})
        run = self.track()
        with self.assertRaises(ClosedError):
            run.log_step(0, kl=1)
        with run:
            with self.assertRaises(ClosedError):
                run.start()
        for call in [lambda: run.log_step(1, kl=1), lambda: run.log_trajectory("x"), lambda: run.record_eval({"a": 1}), run.start]:
            with self.assertRaises(ClosedError):
                call()
        run.close()
        self.assertEqual(os.listdir(self.dir), [run.run + ".jsonl"])

    def test_what_is_not_there_is_an_error(self):
        with self.track() as run:
            for name in ["anomalies", "hacking_report", "manifest", "bom", "passport", "alerter"]:
                with self.assertRaises(NotAvailableError, msg=name):
                    getattr(run, name)

    def test_an_exception_leaves_partial(self):
        with self.assertRaises(ZeroDivisionError):
            with self.track() as run:
                run.log_step(0, kl=1)
                1 / 0
        self.assertEqual((rows(run.spool)[-1]["outcome"], rows(run.spool)[-1]["error"]), ("partial", "ZeroDivisionError"))
        with self.assertRaises(SystemExit):
            with self.track() as run:
                sys.exit(0)
        self.assertEqual(rows(run.spool)[-1]["outcome"], "completed")

    def test_decorator(self):
        @provenir.provenance_tracked("fit", spool=self.dir)
        def fit(steps, run):
            for i in range(steps):
                run.log_step(i, kl=i)
            return run

        first, second = fit(2), fit(3)
        self.assertNotEqual(first.run, second.run)  # two runs of one name: neither overwrites the other
        self.assertEqual((len(rows(first.spool)), len(rows(second.spool))), (5, 6))
        with self.assertRaises(InvalidError):
            provenir.provenance_tracked(fit)

    def test_resume_goes_on_behind_a_torn_line(self):
        with self.track() as run:
            run.log_step(0, kl=1)
        path = run.spool
        kept = rows(path)[:-1]
        with open(path, encoding="utf-8") as f:
            lines = f.readlines()
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(lines[:-1] + [lines[-1][:25]])  # the process was killed in the middle of a write
        with self.track(run=run.run) as again:
            again.log_step(1, kl=2)
        got = rows(path)
        self.assertEqual(got[: len(kept)], kept)
        self.assertEqual([(r["type"], r.get("seq")) for r in got[len(kept):]], [("resume", None), ("step", 3), ("close", 4)])
        self.assertGreater(got[3]["epoch"], got[0]["epoch"])
        with self.assertRaises(TrackError):
            self.track(run=run.run).start()  # it has ended
        with self.assertRaises(TrackError):
            self.track(run="g" + "0" * 25).start()  # no such spool

    def test_two_processes(self):
        with self.track() as run:
            code = "import provenir, sys\ntry:\n provenir.track('b', spool=sys.argv[1], run=sys.argv[2]).start()\nexcept provenir.RunHeldError as e: print(e)"
            out = subprocess.run([sys.executable, "-c", code, self.dir, run.run], env={**os.environ, "PYTHONPATH": SOURCE}, capture_output=True, text=True, check=True)
            self.assertIn("another process writes", out.stdout)
        self.assertEqual(len(rows(run.spool)), 3)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_child_does_not_write(self):
        with self.track() as run:
            pid = os.fork()
            if pid == 0:
                try:
                    run.log_step(0, kl=1)
                except WrongProcessError:
                    os._exit(7)
                os._exit(1)
            self.assertEqual(os.waitpid(pid, 0)[1] >> 8, 7)
        self.assertEqual([r["type"] for r in rows(run.spool)], ["open", "config", "close"])

    def test_a_process_that_ends_without_close(self):
        code = "import provenir, sys\nr = provenir.track('b', spool=sys.argv[1]).start()\nr.log_step(0, kl=1)\n"
        subprocess.run([sys.executable, "-c", code, self.dir], env={**os.environ, "PYTHONPATH": SOURCE}, check=True, timeout=60)
        got = rows(os.path.join(self.dir, os.listdir(self.dir)[0]))
        self.assertEqual((got[-1]["type"], got[-1]["outcome"]), ("close", "partial"))

    def test_nothing_that_was_synced_is_lost(self):
        code = textwrap.dedent("""
            import os, sys, provenir
            sync = os.fsync
            def synced(fd):
                sync(fd)
                print(run._sink._good if run else 0, flush=True)
            run = None
            os.fsync = synced
            run = provenir.track("killed", spool=sys.argv[1]).start()
            i = 0
            while True:
                run.log_step(i, kl=0.1, entropy=1.5)
                i += 1
                if i % 100 == 0:
                    import time; time.sleep(0.001)
        """)
        p = subprocess.Popen([sys.executable, "-c", code, self.dir], env={**os.environ, "PYTHONPATH": SOURCE}, stdout=subprocess.PIPE, text=True)
        sizes = [int(p.stdout.readline()) for _ in range(3)]  # each is printed when the disk has that much
        p.send_signal(signal.SIGKILL)
        p.communicate()
        path = os.path.join(self.dir, os.listdir(self.dir)[0])
        self.assertGreaterEqual(os.path.getsize(path), sizes[-1])
        with open(path, "rb") as f:
            whole = f.read()[: sizes[-1]]
        self.assertTrue(whole.endswith(b"\n"))
        self.assertGreater(whole.count(b"\n"), 100)

    def test_a_disk_that_is_full_for_a_while(self):
        real, full = os.write, [True]

        def write(fd, data):
            if full[0] and b'"step"' in bytes(data):
                real(fd, bytes(data)[:10])  # half a row, and then no room
                raise OSError(28, "No space left on device")
            return real(fd, data)

        os.write = write
        self.addCleanup(setattr, os, "write", real)
        with self.track() as run:
            for i in range(10):
                run.log_step(i, kl=1)
            while not self.warnings:
                pass
            full[0] = False
        self.assertEqual([r["seq"] for r in rows(run.spool)], list(range(13)))
        self.assertEqual(run.dropped, 0)
        self.assertEqual(len(self.warnings), 1)
