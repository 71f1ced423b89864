"""What ends a conversation between a judge and a candidate, or a test."""


class Malformed(Exception):
    """A message that is not what the protocol allows."""


class Unsupported(Exception):
    """The judge would have to send something that cannot be copied."""


class Stop(BaseException):
    """The test cannot go on. It is no Exception, so that tests do not catch it."""


class Forged(Stop):
    """The candidate answered with something that would decide the test."""


class Gone(Stop):
    """The candidate ended."""


class Exited(Stop):
    """The candidate tried to leave."""


class TooLong(Stop):
    """More messages than a test can need."""
