"""Plain data and messages between a candidate, its judge and Go.

A message is a tuple in marshal's version 2 behind a length of four bytes, with three codes of our own: E (values of the
standard library), H (an object of the sender), R (an object of the receiver). Whatever comes from a candidate goes through
decode(): marshal.loads is not made for hostile bytes.
"""
import builtins
import os
import struct
import sys
from marshal import dumps, loads

MAX_MESSAGE = 8 << 20
MAX_DEPTH = 200
MAX_MESSAGES = 200_000
EXCEPTION_CLASS, CALLABLE, INERT, ITERATOR = 1, 2, 4, 8

_size = struct.Struct("<I")
_head = struct.Struct("<qB")
_views = (type({}.keys()), type({}.values()), type({}.items()))
_leaves = frozenset((int, float, complex, str, bytes, bool, type(None)))


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


def read_exactly(fd, n):
    chunks = []
    while n:
        b = os.read(fd, min(n, 1 << 20))
        if not b:
            raise EOFError
        chunks.append(b)
        n -= len(b)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def send_bytes(fd, b):
    if len(b) > MAX_MESSAGE:
        raise Malformed("a message of %d bytes" % len(b))
    b = _size.pack(len(b)) + b
    sent = os.write(fd, b)
    while sent < len(b):
        sent += os.write(fd, b[sent:sent + (1 << 20)])


def recv_bytes(fd):
    n = _size.unpack(read_exactly(fd, 4))[0]
    if n > MAX_MESSAGE:
        raise Malformed("a message of %d bytes" % n)
    return read_exactly(fd, n)


class Coder:
    """Turns values into bytes and back. Objects that cannot be copied are kept in a table and travel as numbers."""

    def __init__(self):
        self.objects = {}
        self.numbers = {}

    def number(self, v):
        n = self.numbers.get(id(v))
        if n is None:
            n = len(self.objects) + 1
            self.objects[n] = v
            self.numbers[id(v)] = n
        return n

    def encode(self, v):
        if type(v) in _leaves:
            return dumps(v, 2)
        try:
            b = dumps(v, 2)
            # marshal writes buffers, code and markers too; those are for the careful way
            if b"s" not in b and b"c" not in b and b"S" not in b:
                return b
        except ValueError:
            pass
        out = []
        self.walk(v, out, 0)
        return b"".join(out)

    def items(self, code, values, out, d):
        values = list(values)
        out.append(code + _size.pack(len(values)))
        for x in values:
            self.walk(x, out, d + 1)

    def other(self, kind, state, out, d):
        out.append(b"E" + dumps(kind, 2)[1:])
        self.walk(state, out, d + 1)

    def mapping(self, pairs, out, d):
        out.append(b"{")
        for k, x in pairs:
            self.walk(k, out, d + 1)
            self.walk(x, out, d + 1)
        out.append(b"0")

    def walk(self, v, out, d):
        if d > MAX_DEPTH:
            raise Malformed("nested deeper than %d" % MAX_DEPTH)
        t = type(v)
        if t in _leaves:
            out.append(dumps(v, 2))
        elif t is list:
            self.items(b"[", v, out, d)
        elif t is tuple:
            self.items(b"(", v, out, d)
        elif t is dict:
            self.mapping(v.items(), out, d)
        elif t is set:
            self.items(b"<", v, out, d)
        elif t is frozenset:
            self.items(b">", v, out, d)
        elif t is bytearray:
            self.other("bytearray", bytes(v), out, d)
        elif v is Ellipsis:
            out.append(b".")
        else:
            self.special(v, t, out, d)

    def special(self, v, t, out, d):
        kind = "%s.%s" % (t.__module__, t.__qualname__)
        state = _states.get(kind)
        if state is not None and _is_genuine(t, kind):
            self.other(kind, state(v), out, d)
            return
        if isinstance(v, tuple) and isinstance(getattr(t, "_fields", None), tuple):
            values = list(tuple.__iter__(v))
            if len(values) == len(t._fields):
                self.other("namedtuple", (t.__name__, list(t._fields), values), out, d)
                return
        for base, reduce in _reduce:
            if isinstance(v, base):
                self.walk(reduce(v), out, d + 1)
                return
        self.handle(v, t, out)

    def handle(self, v, t, out):
        flags, name = 0, str(t.__name__)[:64]
        if isinstance(v, type) and issubclass(v, BaseException):
            flags |= EXCEPTION_CLASS
            name = str(v.__name__)[:64] + ":" + builtin_base(v)
        if callable(v):
            flags |= CALLABLE
        if t in _views or getattr(t, "__eq__", None) is object.__eq__:
            flags |= INERT
        if hasattr(t, "__next__"):
            flags |= ITERATOR
        out.append(b"H" + _head.pack(self.number(v), flags) + dumps(name, 2)[1:])

    # What the other side's objects become is for the subclasses to say.
    def foreign(self, number, flags, name):
        raise Malformed("an object where none can be")

    def own(self, number):
        try:
            return self.objects[number]
        except KeyError:
            raise Malformed("object %d does not exist" % number) from None

    def decode(self, b):
        v, at = self.read(b, 0, 0)
        if at != len(b):
            raise Malformed("bytes after the value")
        return v

    def read(self, b, at, d):
        if d > MAX_DEPTH + 8:
            raise Malformed("nested deeper than %d" % MAX_DEPTH)
        if at >= len(b):
            raise Malformed("cut short")
        code = b[at]
        at += 1
        if code == 78:  # N
            return None, at
        if code == 84 or code == 70:  # T F
            return code == 84, at
        if code == 105:  # i
            return int.from_bytes(self.cut(b, at, 4), "little", signed=True), at + 4
        if code == 117:  # u
            n, at = self.count(b, at)
            try:
                return b[at:at + n].decode("utf-8", "surrogatepass"), at + n
            except UnicodeDecodeError:
                raise Malformed("a text that is not UTF-8") from None
        if code == 115:  # s
            n, at = self.count(b, at)
            return b[at:at + n], at + n
        if code == 103:  # g
            return _double.unpack(self.cut(b, at, 8))[0], at + 8
        if code == 121:  # y
            return complex(*_complex.unpack(self.cut(b, at, 16))), at + 16
        if code in b"[(<>":
            n, at = self.count(b, at)
            items = []
            for _ in range(n):
                x, at = self.read(b, at, d + 1)
                items.append(x)
            if code == 91:
                return items, at
            if code == 40:
                return tuple(items), at
            return self.hashed(set if code == 60 else frozenset, items), at
        if code == 123:  # {
            pairs = []
            while True:
                if at < len(b) and b[at] == 48:
                    return self.hashed(dict, pairs), at + 1
                k, at = self.read(b, at, d + 1)
                x, at = self.read(b, at, d + 1)
                pairs.append((k, x))
        if code == 108:  # l
            return self.long(b, at)
        if code == 46:
            return Ellipsis, at
        if code == 69:  # E
            kind, at = self.text(b, at)
            state, at = self.read(b, at, d + 1)
            return self.rebuild(kind, state), at
        if code == 72 or code == 82:  # H R
            head = self.cut(b, at, 9 if code == 72 else 8)
            number = int.from_bytes(head[:8], "little", signed=True)
            if code == 82:
                return self.own(number), at + 8
            name, at = self.text(b, at + 9)
            return self.foreign(number, head[8], name), at
        raise Malformed("code %d" % code)

    @staticmethod
    def cut(b, at, n):
        if at + n > len(b):
            raise Malformed("cut short")
        return b[at:at + n]

    def count(self, b, at):
        n = int.from_bytes(self.cut(b, at, 4), "little", signed=True)
        if n < 0 or n > len(b) - at - 4:
            raise Malformed("length %d" % n)
        return n, at + 4

    def text(self, b, at):
        n, at = self.count(b, at)
        return b[at:at + n].decode("utf-8", "replace"), at + n

    def long(self, b, at):
        n = int.from_bytes(self.cut(b, at, 4), "little", signed=True)
        at += 4
        raw = self.cut(b, at, 2 * abs(n))
        total = 0
        if abs(n) <= 64:
            for i in range(abs(n)):
                total |= int.from_bytes(raw[2 * i:2 * i + 2], "little") << (15 * i)
        else:  # linear: the digits are 15 bits apart, so eight of them fill 15 bytes
            packed = bytearray()
            for i in range(0, len(raw), 16):
                part = 0
                for j, k in enumerate(range(i, min(i + 16, len(raw)), 2)):
                    part |= int.from_bytes(raw[k:k + 2], "little") << (15 * j)
                packed += (part & ((1 << 120) - 1)).to_bytes(15, "little")
            total = int.from_bytes(packed, "little")
        return (-total if n < 0 else total), at + 2 * abs(n)

    @staticmethod
    def hashed(make, items):
        try:
            return make(items)
        except TypeError:
            raise Malformed("an unhashable member") from None

    def rebuild(self, kind, state):
        build = _builders.get(kind)
        if build is None:
            raise Malformed("a value of kind %.40r" % kind)
        try:
            return build(state)
        except Malformed:
            raise
        except Exception as e:
            raise Malformed("a bad %s: %.60s" % (kind, type(e).__name__)) from None


_double, _complex = struct.Struct("<d"), struct.Struct("<dd")
_reduce = (
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
_states = {
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


def _is_genuine(t, kind):
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


_builders = {
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


def builtin_base(t):
    """The name of the nearest class that Python itself has."""
    return next((c.__name__ for c in t.__mro__ if getattr(builtins, c.__name__, None) is c), "Exception")


def describe(e):
    """An exception as it crosses: name, nearest built-in base, class if it is not built in, arguments, errno."""
    t = type(e)
    name = str(t.__name__)[:200]
    builtin = getattr(builtins, name, None) is t
    number = getattr(e, "errno", None)
    return ("exc", name, builtin_base(t), None if builtin else t, _arguments(e), number if type(number) is int else None)


def _arguments(e):
    args = BaseException.args.__get__(e)
    if all(type(a) in _leaves and len(str(a)) <= 2000 for a in args[:8]):
        return args[:8]
    try:
        return (str(e)[:2000],)
    except Exception:
        return ()
