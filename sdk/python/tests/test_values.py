import unittest

from provenir import InvalidError, ids, settings
from provenir.values import ABSENT, NotANumber, number, step


class Scalar:
    """As a NumPy scalar or a tensor of one element."""

    def __init__(self, x):
        self.x = x

    def item(self):
        if isinstance(self.x, Exception):
            raise self.x
        return self.x


class TestNumber(unittest.TestCase):
    def test_what_is_a_number(self):
        for given, want in [
            (1, 1.0), (0.5, 0.5), (-3, -3.0), ("0.9", 0.9), (" 2 ", 2.0), (Scalar(0.25), 0.25), (Scalar(7), 7.0),
            (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"), ("nan", "NaN"), ("-inf", "-Infinity"),
            (10**400, "Infinity"), (-(10**400), "-Infinity"), ("1e999", "Infinity"), (Scalar(float("nan")), "NaN"), (None, ABSENT),
        ]:
            self.assertEqual(number(given), want, given)

    def test_what_is_none(self):
        for given in ["high", "", "1_000", {"a": 1}, [1], (1,), b"1", True, object(), Scalar(RuntimeError("2 elements")), 1j, Scalar([1])]:
            with self.assertRaises(NotANumber, msg=repr(given)):
                number(given)

    def test_step(self):
        self.assertEqual([step(3), step(3.0), step(Scalar(4))], [3, 3, 4])
        for given in [-1, 0.5, "3", None, True, float("nan"), float("inf"), 1 << 60]:
            with self.assertRaises(NotANumber, msg=repr(given)):
                step(given)


class TestSettings(unittest.TestCase):
    def test_split(self):
        got, rest = settings.split({"method": "grpo", "beta": 0.04, "kl_max": 0.7, "limits": {"window": 10}, "disabled": ["truncation"],
                                    "lr": 1e-6, "bad": float("nan"), "obj": ValueError("x"), "deep": {"a": [1, None]}, "big": 1 << 70})
        self.assertEqual(got, {"method": "grpo", "kl_coefficient": 0.04, "limits": {"kl_max": 0.7, "window": 10.0}, "disabled": ["truncation"]})
        self.assertEqual(rest, {"lr": 1e-6, "bad": "NaN", "obj": "x", "deep": {"a": [1, None]}, "big": str(1 << 70)})

    def test_refuses(self):
        for cfg in [{"kl_max": 0}, {"kl_max": float("nan")}, {"kl_max": "high"}, {"limits": {"nope": 1}}, {"limits": [1]}, {"window": 1}, {"window": 2.5},
                    {"clip_max": 1.5}, {"disabled": ["everything"]}, {"beta": -1}, {"reward_range": 0}, {"num_iterations": 0}, {"method": 3},
                    {"text": "x" * 300_000}]:
            with self.assertRaises(InvalidError, msg=repr(cfg)[:60]):
                settings.split(cfg)

    def test_names(self):
        self.assertEqual(settings.name("a run/1"), "a run/1")
        for bad in ["", "  ", "x" * 129, "a\nb", "\x00", None, 3]:
            with self.assertRaises(InvalidError, msg=repr(bad)):
                settings.name(bad)


class TestIds(unittest.TestCase):
    def test_runs(self):
        made = {ids.new_run() for _ in range(1000)}
        self.assertEqual(len(made), 1000)
        self.assertTrue(all(ids.is_run(r) for r in made))
        for bad in ["", "06h19s46h7v7tbftq8wmc85198", "../../etc/passwd", "g" * 25, "g" * 27, "G" * 26, None, "g/h19s46h7v7tbftq8wmc85198"]:
            self.assertFalse(ids.is_run(bad), bad)
