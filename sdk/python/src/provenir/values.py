"""Numbers as callers have them, made into what a row holds."""

import math

ABSENT = object()


class NotANumber(ValueError):
    """The value is no number and cannot be read as one."""


def number(value):
    """The number of a value: a float, or one of the strings NaN, Infinity and -Infinity; ABSENT for None.

    Tensors and NumPy scalars give theirs by item(); a text is read as a number where it is one. A whole number that is too
    large for a float is infinite: over every limit, and no 0.
    """
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, (bytes, dict, list, tuple, set)):
        raise NotANumber("%s is no number" % type(value).__name__)
    if not isinstance(value, (bool, int, float)):
        value = _plain(value)
    if isinstance(value, bool):
        raise NotANumber("a bool is no number; log 0 or 1 if that is meant")
    try:
        return finite(float(value))
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"
    except (TypeError, ValueError) as e:
        raise NotANumber("%s is no number" % type(value).__name__) from e


def finite(x):
    """A float as JSON can hold it."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def _plain(value):
    item = getattr(value, "item", None)
    if item is None:
        return value
    try:
        return item()  # a tensor of more than one element has no single number, and says so
    except Exception as e:
        raise NotANumber("%s has no single number: %s" % (type(value).__name__, e)) from e


def _of_text(text):
    if "_" in text:  # Python's own notation, no number of a log
        raise NotANumber("%r is no number" % text[:40])
    try:
        return finite(float(text))
    except ValueError as e:
        raise NotANumber("%r is no number" % text[:40]) from e


def step(value):
    """A step: a whole number from 0 to 2**53."""
    if hasattr(value, "item") and not isinstance(value, (int, float)):
        value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value in (math.inf, -math.inf):
        raise NotANumber("step %r is no whole number" % (value,))
    if int(value) != value or value < 0 or value > 1 << 53:
        raise NotANumber("step %r is no whole number of at least 0" % (value,))
    return int(value)
