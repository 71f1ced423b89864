"""Record a training loop in a ledger that proves itself.

    with provenir.track("my-run") as run:
        run.log_step(0, reward_mean=0.4, kl=0.02)

With a server (PROVENIR_SERVER, or server=) rows go to its recorder while the loop runs. Without one they are spooled as
JSON lines, and `provenir ledger import` takes them in, also after a SIGKILL. Standard library only.
"""

from .errors import (
    ClosedError,
    InvalidError,
    NotAvailableError,
    RefusedError,
    RunHeldError,
    TrackError,
    UnreachableError,
    WrongProcessError,
)
from .tracker import Tracker, provenance_tracked, track

__version__ = "0.1.0"

__all__ = [
    "ClosedError",
    "InvalidError",
    "NotAvailableError",
    "RefusedError",
    "RunHeldError",
    "TrackError",
    "Tracker",
    "UnreachableError",
    "WrongProcessError",
    "provenance_tracked",
    "track",
]
