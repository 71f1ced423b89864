"""What track is called with: what the recorder judges a run by, and the rest, which is kept as it is.

Checked when a run begins, so that a wrong limit costs a second and not a run; a spool would otherwise be refused when it is
imported. The names are those of docs/detectors.md; a test compares them with the recorder's.
"""

import json
import math

from .errors import InvalidError
from .values import NotANumber, number

ENGINES = ("provenir", "trl", "unsloth", "verl", "prime", "nemo", "openrlhf", "skyrl", "tinker")

# Limits by name; of some a value is a share (at most 1), or a whole number of at least so much.
LIMITS = {
    "kl_max": {}, "kl_min": {}, "entropy_min": {}, "entropy_drop_frac": {"share": True}, "length_explosion_ratio": {},
    "advantage_std_min": {}, "reward_std_min": {}, "grad_norm_max": {}, "reward_spike_z": {}, "truncated_max": {"share": True},
    "zero_signal_max": {"share": True}, "unscored_max": {"share": True}, "reward_range": {}, "clip_max": {"share": True},
    "mismatch_kl_max": {}, "staleness_max": {}, "window": {"least": 2}, "repetition_ngram": {"least": 1},
    "repetition_ratio_max": {"share": True}, "proxy_true_gap": {}, "plateau_window": {"least": 2}, "hacking_rate_max": {"share": True},
    "stale_data_days": {}, "slice_failure_max": {"share": True}, "min_examples_per_slice": {"least": 1},
}

KINDS = (
    "advantage_collapse", "clip_high", "config_mismatch", "degenerate_share", "entropy_collapse", "entropy_drift", "entropy_explosion",
    "grad_explosion", "grad_high", "grad_vanished", "hack_rate", "kl_blowup", "kl_collapse", "kl_creep", "length_collapse",
    "length_creep", "length_explosion", "length_reward_corr", "metric_invalid", "metric_vanished", "mismatch_chi2", "mismatch_ess",
    "mismatch_is", "mismatch_kl", "mismatch_logp", "mismatch_pearson", "mismatch_prob_error", "non_finite", "proxy_divergence",
    "ratio_insane", "reward_decline", "reward_outage", "reward_plateau", "reward_spike", "reward_std_collapse", "staleness",
    "step_frozen", "step_gap", "step_regress", "step_repeat", "template_reuse", "throughput_stall", "truncation", "zero_signal",
)

MAX_NAME = 128
MAX_CONFIG = 200 << 10


def name(text):
    """A label for people, not an id."""
    if not isinstance(text, str):
        raise InvalidError("name: want a text, not %s" % type(text).__name__)
    if not text.strip() or len(text) > MAX_NAME or not text.isprintable():
        raise InvalidError("name %r: want 1 to %d printable characters" % (text[:40], MAX_NAME))
    return text


def engine(text):
    if text not in ENGINES:
        raise InvalidError("engine %r: want one of %s" % (text, ", ".join(ENGINES)))
    return text


def split(cfg):
    """Takes the recorder's settings out of cfg and gives them, and the rest as JSON can hold it."""
    rest = dict(cfg)
    out = {}
    if "beta" in rest and "kl_coefficient" not in rest:
        rest["kl_coefficient"] = rest.pop("beta")
    for key in ("method", "model"):
        if rest.get(key) is not None:
            out[key] = _text(key, rest.pop(key))
    for key, least in (("kl_coefficient", 0.0), ("reward_range", None)):
        if rest.get(key) is not None:
            out[key] = _number(key, rest.pop(key), least)
    if rest.get("num_iterations") is not None:
        out["num_iterations"] = int(_number("num_iterations", rest.pop("num_iterations"), 1, whole=True))
    if rest.get("truncated_sampling"):
        out["truncated_sampling"] = bool(rest.pop("truncated_sampling"))
    if rest.get("privacy") is not None:
        out["privacy"] = privacy(rest.pop("privacy"))
    limits = rest.pop("limits", None) or {}
    if not isinstance(limits, dict):
        raise InvalidError("limits: want a dict of names and numbers")
    limits = dict(limits)
    for key in LIMITS:
        if key in rest and key != "reward_range":
            limits[key] = rest.pop(key)
    if limits:
        out["limits"] = {k: limit(k, v) for k, v in limits.items()}
    disabled = rest.pop("disabled", None)
    if disabled:
        out["disabled"] = [kind(k) for k in disabled]
    return out, config(rest)


def privacy(text):
    if text not in ("plain", "salted"):
        raise InvalidError("privacy %r: want plain or salted" % (text,))
    return text


def limit(key, value):
    if key not in LIMITS:
        raise InvalidError("limits.%s: unknown; one of %s" % (key, ", ".join(sorted(LIMITS))))
    rule = LIMITS[key]
    x = _number("limits." + key, value, rule.get("least"), whole="least" in rule)
    if rule.get("share") and x > 1:
        raise InvalidError("limits.%s: %g; it is a share, at most 1" % (key, x))
    return x


def kind(text):
    if text not in KINDS:
        raise InvalidError("disabled: no detector finds %r; one of %s" % (text, ", ".join(KINDS)))
    return text


def config(given):
    """The caller's configuration as JSON: what JSON cannot hold is kept as its text."""
    out = _plain(given, 0)
    if len(json.dumps(out)) > MAX_CONFIG:
        raise InvalidError("the configuration has more than %d bytes" % MAX_CONFIG)
    return out


def _plain(v, depth):
    if depth > 32:
        raise InvalidError("the configuration is nested more than 32 deep")
    if v is None or isinstance(v, (str, bool)):
        return v
    if isinstance(v, dict):
        return {str(k): _plain(x, depth + 1) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [_plain(x, depth + 1) for x in v]
    if isinstance(v, int):
        return v if abs(v) <= 1 << 53 else str(v)
    try:
        return number(v)
    except NotANumber:
        return str(v)


def _text(key, v):
    if not isinstance(v, str) or not v or len(v) > 512:
        raise InvalidError("%s: want a text" % key)
    return v


def _number(key, v, least=None, whole=False):
    try:
        x = number(v)
    except NotANumber as e:
        raise InvalidError("%s: %s" % (key, e)) from e
    if not isinstance(x, float) or math.isinf(x):
        raise InvalidError("%s: %r; want a finite number" % (key, v))
    if least is None and x <= 0:
        raise InvalidError("%s: %g; it is above 0" % (key, x))
    if least is not None and x < least:
        raise InvalidError("%s: %g; it is at least %g" % (key, x, least))
    if whole and x != int(x):
        raise InvalidError("%s: %g; it is a whole number" % (key, x))
    return x
