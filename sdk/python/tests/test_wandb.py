import contextlib
import io
import json
import os
import sys

from provenir import wandb_export
from support import Case

LINES = [
    {"type": "run", "run": "06e8k", "verdict": "critical", "complete": True},
    {"type": "incident", "incident": "i1", "kind": "kl_blowup", "severity": "critical", "onset_step": 1, "detail": "kl.ref is 3"},
    {"type": "metric", "attempt": 0, "step": 0, "metric": "kl.ref", "value": 0.5, "reduction": "token_mean", "recorded_at": "2026-01-01T00:00:00Z"},
    {"type": "metric", "attempt": 0, "step": 0, "metric": "kl.ref", "value": 0.25, "scope": "eval"},
    {"type": "metric", "attempt": 0, "step": 1, "metric": "loss.policy", "non_finite": "NaN"},
    {"type": "metric", "attempt": 1, "step": 0, "metric": "loss.policy", "value": 0, "scope": "train"},
    {"type": "end"},
]


class TestWandb(Case):
    def setUp(self):
        super().setUp()
        fakes = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fakes")
        sys.path.insert(0, fakes)
        self.addCleanup(sys.path.remove, fakes)
        real = sys.modules.pop("wandb", None)
        self.addCleanup(lambda: (sys.modules.pop("wandb", None), real and sys.modules.update(wandb=real)))

    def export(self, lines, *more):
        out, said = io.StringIO(), io.StringIO()
        stdin, sys.stdin = sys.stdin, io.StringIO("".join(json.dumps(x) + "\n" for x in lines))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
                return wandb_export.main(["--run", "06e8k", "--out", self.dir, *more]), out.getvalue(), said.getvalue()
        finally:
            sys.stdin = stdin

    def test_a_run(self):
        code, out, _ = self.export(LINES)
        done = json.loads(out.splitlines()[-1])
        self.assertEqual((code, done["steps"], done["values"], done["incidents"], done["undated"]), (0, 3, 4, 1, 3))
        with open(os.path.join(done["file"], "run.wandb"), encoding="utf-8") as f:
            got = json.load(f)
        self.assertEqual(got["rows"], [
            {"rl/attempt": 0, "rl/step": 0, "kl.ref/token_mean": 0.5, "eval/kl.ref": 0.25},
            {"rl/attempt": 0, "rl/step": 1, "loss.policy": "nan"},
            {"rl/attempt": 1, "rl/step": 0, "loss.policy": 0},
        ])
        self.assertEqual((got["exit"], got["axes"]["*"], got["summary"]["provenir/verdict"], got["config"]["provenir/run"]), (0, "rl/step", "critical", "06e8k"))
        self.assertIn("kl_blowup since step 1", got["summary"]["provenir/incident/i1"])
        self.assertEqual(os.listdir(self.dir), [os.path.basename(done["file"])])
        code, _, said = self.export(LINES)
        self.assertEqual((code, "--force" in said), (2, True))
        self.assertEqual(self.export(LINES, "--force")[0], 0)

    def test_half_an_export_leaves_nothing(self):
        for lines in [LINES[:-1], LINES[1:], [], LINES[:3] + [{"type": "metric", "attempt": 0, "step": 0, "metric": "a", "non_finite": "huge"}]]:
            with self.assertRaises((ValueError, KeyError)):
                self.export(lines)
            self.assertEqual(os.listdir(self.dir), [])
