"""Plain data and messages between a candidate, its judge and Go.

A message is a tuple in marshal's version 2 behind a length of four bytes, with three codes of our own: E (values of the
standard library), H (an object of the sender), R (an object of the receiver). Whatever comes from a candidate goes through
decode(): marshal.loads is not made for hostile bytes.
"""
import builtins
import os
import struct
from marshal import dumps, loads

from fault import Malformed
from standard import BUILDERS, REDUCE, STATES, is_genuine

MAX_MESSAGE = 8 << 20
MAX_DEPTH = 200
MAX_MESSAGES = 200_000
EXCEPTION_CLASS, CALLABLE, INERT, ITERATOR = 1, 2, 4, 8

_size = struct.Struct("<I")
_head = struct.Struct("<qB")
_double, _complex = struct.Struct("<d"), struct.Struct("<dd")
_views = (type({}.keys()), type({}.values()), type({}.items()))
_leaves = frozenset((int, float, complex, str, bytes, bool, type(None)))


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
        state = STATES.get(kind)
        if state is not None and is_genuine(t, kind):
            self.other(kind, state(v), out, d)
            return
        if isinstance(v, tuple) and isinstance(getattr(t, "_fields", None), tuple):
            values = list(tuple.__iter__(v))
            if len(values) == len(t._fields):
                self.other("namedtuple", (t.__name__, list(t._fields), values), out, d)
                return
        for base, reduce in REDUCE:
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
        build = BUILDERS.get(kind)
        if build is None:
            raise Malformed("a value of kind %.40r" % kind)
        try:
            return build(state)
        except Malformed:
            raise
        except Exception as e:
            raise Malformed("a bad %s: %.60s" % (kind, type(e).__name__)) from None


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
