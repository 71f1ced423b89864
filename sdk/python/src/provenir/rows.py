"""The rows of provenir.track/v1, without their numbers, which whoever writes them gives."""

import datetime
import json
import os
import socket

from .sinks import FORMAT

MAX_ROW = 240 << 10  # a record's payload has at most 256 KiB
MAX_ROLLOUT = 3 << 20  # a rollout's goes to the blob store above that, where it is plain; it is one message all the same
ROLES = ("system", "user", "assistant", "tool", "environment")


def body(kind, **members):
    """A row as JSON; members that are None are left out."""
    row = {"type": kind, "at": datetime.datetime.now(datetime.timezone.utc).isoformat()}
    row.update((k, v) for k, v in members.items() if v is not None)
    return json.dumps(row, allow_nan=False, separators=(",", ":"))


def head(kind, run, epoch, **members):
    """The row that says who writes a run."""
    return body(kind, format=FORMAT, run=run, epoch=epoch, host=socket.gethostname(), pid=os.getpid(), sdk="python/0.1.0", **members)


def turns(prompt, response, trajectory):
    """The parts of a trajectory."""
    if trajectory is None:
        out = [] if prompt is None else [{"role": "user", "text": _text(prompt)}]
        return out + [{"role": "assistant", "text": _text(response)}]
    out = []
    for turn in trajectory:
        role, text = turn["role"], turn["content"]
        if role not in ROLES:
            raise ValueError("role %r: want one of %s" % (role, ", ".join(ROLES)))
        out.append({"role": role, "text": _text(text)})
    if not out:
        raise ValueError("the trajectory is empty")
    return out


def _text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise ValueError("want a text, not %s" % type(value).__name__)
    return value.encode("utf-8", "replace").decode()  # half a surrogate pair is no text that JSON has
