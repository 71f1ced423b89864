"""Values of the standard library as they cross: taken apart on one side, and made again on the other from what a candidate says."""
import sys

from fault import Malformed

REDUCE = (
    (int, int.__int__),
    (float, float.__float__),
    (complex, lambda v: complex(complex.__add__(v, 0))),
    (str, str.__str__),
    (bytes, lambda v: bytes.__getitem__(v, slice(None))),
    (bytearray, lambda v: bytes(bytearray.__getitem__(v, slice(None)))),
    (list, lambda v: list.__getitem__(v, slice(None))),
    (tuple, lambda v: tuple.__getitem__(v, slice(None))),
    (dict, lambda v: dict(dict.items(v))),
    (set, lambda v: set(set.__iter__(v))),
    (frozenset, lambda v: frozenset(frozenset.__iter__(v))),
)

# Values of the standard library that are copied: how to take them apart.
STATES = {
    "builtins.range": lambda v: (v.start, v.stop, v.step),
    "builtins.slice": lambda v: (v.start, v.stop, v.step),
    "decimal.Decimal": str,
    "fractions.Fraction": lambda v: (v.numerator, v.denominator),
    "datetime.date": lambda v: (v.year, v.month, v.day),
    "datetime.time": lambda v: (v.hour, v.minute, v.second, v.microsecond) if v.tzinfo is None else None,
    "datetime.datetime": lambda v: (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond) if v.tzinfo is None else None,
    "datetime.timedelta": lambda v: (v.days, v.seconds, v.microseconds),
    "collections.deque": list,
    "collections.Counter": lambda v: dict(dict.items(v)),
    "collections.OrderedDict": lambda v: dict(v.items()),
    "collections.defaultdict": lambda v: dict(dict.items(v)),
    "array.array": lambda v: (v.typecode, v.tobytes()),
}


def is_genuine(t, kind):
    module, _, name = kind.rpartition(".")
    return getattr(sys.modules.get(module), name, None) is t


def _ints(state, n):
    if type(state) is not tuple or len(state) != n or not all(type(x) is int and abs(x) < 1 << 63 for x in state):
        raise Malformed("wrong state")
    return state


def _optional_ints(state):
    if type(state) is not tuple or len(state) != 3 or not all(x is None or type(x) is int for x in state):
        raise Malformed("wrong state")
    return state


def _exactly(state, kind):
    if type(state) is not kind:
        raise Malformed("wrong state")
    return state


def _decimal(state):
    import decimal
    if len(_exactly(state, str)) > 10_000:
        raise Malformed("a long Decimal")
    return decimal.Decimal(state)


def _fraction(state):
    import fractions
    if type(state) is not tuple or len(state) != 2 or type(state[0]) is not int or type(state[1]) is not int:
        raise Malformed("wrong state")
    return fractions.Fraction(*state)


def _datetime(name, n):
    def build(state):
        import datetime
        state = _ints(state, n)
        return datetime.timedelta(*state) if name == "timedelta" else getattr(datetime, name)(*state)
    return build


def _collection(name, kind):
    def build(state):
        import collections
        state = _exactly(state, kind)
        if name == "defaultdict":
            return collections.defaultdict(None, state)
        return getattr(collections, name)(state)
    return build


def _array(state):
    import array
    if type(state) is not tuple or len(state) != 2 or type(state[0]) is not str or len(state[0]) != 1:
        raise Malformed("wrong state")
    return array.array(state[0], _exactly(state[1], bytes))


_namedtuples = {}


def _namedtuple(state):
    import collections
    if type(state) is not tuple or len(state) != 3:
        raise Malformed("wrong state")
    name, fields, values = state
    if type(name) is not str or type(fields) is not list or type(values) is not list or len(fields) != len(values) or len(fields) > 255:
        raise Malformed("wrong state")
    if not all(type(f) is str and len(f) < 256 for f in fields):
        raise Malformed("wrong state")
    key = (name, tuple(fields))
    cls = _namedtuples.get(key)
    if cls is None:
        cls = collections.namedtuple(name, fields, rename=True)
        if len(_namedtuples) < 256:
            _namedtuples[key] = cls
    return cls(*values)


BUILDERS = {
    "builtins.range": lambda s: range(*_ints(s, 3)),
    "builtins.slice": lambda s: slice(*_optional_ints(s)),
    "bytearray": lambda s: bytearray(_exactly(s, bytes)),
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "datetime.date": _datetime("date", 3),
    "datetime.time": _datetime("time", 4),
    "datetime.datetime": _datetime("datetime", 7),
    "datetime.timedelta": _datetime("timedelta", 3),
    "collections.deque": _collection("deque", list),
    "collections.Counter": _collection("Counter", dict),
    "collections.OrderedDict": _collection("OrderedDict", dict),
    "collections.defaultdict": _collection("defaultdict", dict),
    "array.array": _array,
    "namedtuple": _namedtuple,
}
