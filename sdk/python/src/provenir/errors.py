"""What can go wrong, as types. A text always says what to do.

None of these is raised by log_step, log_trajectory or record_eval because recording failed: that is counted, warned of
once, and marks the run partial. They are raised for wrong use, at the start, and where something is asked for that is not
there.
"""


class TrackError(Exception):
    """The base of all errors of this package."""


class InvalidError(TrackError, ValueError):
    """An argument of track cannot be used."""


class ClosedError(TrackError):
    """The run was logged to after its end."""


class WrongProcessError(TrackError):
    """The run was logged to from another process than the one that began it."""


class RunHeldError(TrackError):
    """Another process writes this run."""


class UnreachableError(TrackError):
    """The server does not answer."""


class RefusedError(TrackError):
    """The server refuses; reason is the reason of its error."""

    def __init__(self, message, reason="", status=0):
        super().__init__(message)
        self.reason = reason
        self.status = status


class NotAvailableError(TrackError):
    """What was asked for is not there, and nothing stands in for it."""
