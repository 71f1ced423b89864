"""Ids of tracked runs: 26 characters of base32, 48 bits of milliseconds with the first bit set, 80 random bits.

The first bit tells the recorder that a tracker writes the run, so that no tracker can write a run of the mesh.
"""

import os
import re
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN = re.compile("[ghjkmnpqrstvwxyz][0-9a-hj-km-np-tv-z]{25}")


def new_run():
    """An id that nobody else has."""
    milliseconds = time.time_ns() // 1_000_000
    raw = ((1 << 47 | milliseconds) << 80) | int.from_bytes(os.urandom(10), "big")
    raw <<= 2  # 128 bits in 26 characters of 5
    return "".join(_ALPHABET[raw >> (5 * i) & 31] for i in range(25, -1, -1))


def is_run(text):
    """Whether the text is the id of a tracked run."""
    return isinstance(text, str) and _RUN.fullmatch(text) is not None


def new_epoch():
    """A fencing token that is higher than those of earlier processes: microseconds since 1970."""
    return time.time_ns() // 1000
