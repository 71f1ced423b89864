"""J: runs test code, never candidate code. What it asks of the candidate comes back as plain data or as a Remote (remote.py)."""
import builtins
import os
import sys
import types

import runner
import suite
from fault import Exited, Forged, Gone, Malformed, TooLong, Unsupported
from peer import CALLABLE, EXCEPTION_CLASS, MAX_MESSAGES, Coder, dumps, loads, recv_bytes, send_bytes
from remote import Remote, RemoteCallable

EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")


class Witness(Coder):
    """The judge's side of a conversation with one candidate."""

    def __init__(self, fd, objects):
        super().__init__()
        self.fd = fd
        self.compare_objects = objects  # reject or flag
        self.tamper = set()
        self.flags = set()
        self.remotes = {}
        self.classes = {}
        self.messages = 0
        self.unsupported = ""
        self.stopped = None  # why nothing more can be asked; a test may catch it, and changes nothing by it

    # Bytes.

    def walk(self, v, out, d):
        t = type(v)
        if t is Remote or t is RemoteCallable:
            out.append(b"R" + object.__getattribute__(v, "_number").to_bytes(8, "little"))
        elif isinstance(v, type) and v.__dict__.get("_remote_number"):
            out.append(b"R" + v._remote_number.to_bytes(8, "little"))
        else:
            super().walk(v, out, d)

    def handle(self, v, t, out):
        if isinstance(v, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)) or hasattr(t, "__next__") or isinstance(v, type):
            super().handle(v, t, out)
            return
        raise Unsupported("the test passes a %s to the candidate" % t.__name__)

    def foreign(self, number, flags, name):
        if flags & EXCEPTION_CLASS:
            name, _, base = name.partition(":")
            return self.exception_class(number, name, base)
        remote = self.remotes.get(number)
        if remote is None:
            remote = (RemoteCallable if flags & CALLABLE else Remote)(self, number, flags, name)
            self.remotes[number] = remote
        return remote

    def exception_class(self, number, name, base):
        known = self.classes.get(number)
        if known is None:
            parent = getattr(builtins, base, Exception)
            if not (isinstance(parent, type) and issubclass(parent, Exception)):
                parent = Exception
            try:
                known = type(name if name.isidentifier() else "RemoteError", (parent,), {"_remote_number": number})
            except TypeError:
                known = type("RemoteError", (Exception,), {"_remote_number": number})
            self.classes[number] = known
        return known

    # Conversation.

    def forged(self, why, kind="forged_object"):
        self.tamper.add(kind)
        return Forged(why)

    def beyond(self, what):
        """The tests use what our runner does not have."""
        self.unsupported = self.unsupported or "the tests use " + what
        raise Unsupported(self.unsupported)

    def stop(self, e):
        self.stopped = self.stopped or e
        return e

    def ask(self, *request):
        """Sends a request and gives the value of the answer; what is copied back into arguments is in the second part."""
        self.messages += 1
        if self.messages > MAX_MESSAGES:
            raise self.stop(TooLong("more than %d messages" % MAX_MESSAGES))
        try:
            send_bytes(self.fd, self.encode(request))
        except (Malformed, Unsupported) as e:
            self.unsupported = str(e)
            raise Unsupported(self.unsupported) from None
        except OSError:
            raise self.stop(Gone("the candidate ended")) from None
        while True:
            try:
                m = self.decode(recv_bytes(self.fd))
            except (EOFError, OSError):
                raise self.stop(Gone("the candidate ended")) from None
            except (Malformed, RecursionError) as e:
                raise self.forged("malformed: %s" % e, "forged_result") from None
            if type(m) is not tuple or not m or type(m[0]) is not str:
                raise self.forged("an answer of no known shape", "forged_result")
            if m[0] == "callback" or m[0] == "advance":
                self.called_back(m)
                continue
            return self.outcome(m)

    def outcome(self, m):
        if m[0] == "ret" and len(m) == 3:
            return m[1], m[2]
        if m[0] == "exc" and len(m) == 6:
            raise self.exception(*m[1:])
        if m[0] == "missing":
            raise NameError("name %r is not defined" % (m[1],))
        raise self.forged("an answer of no known shape", "forged_result")

    def exception(self, name, base, cls, args, errno):
        if type(name) is not str or type(base) is not str or type(args) is not tuple:
            return self.forged("an exception of no known shape", "forged_result")
        if name in EXITS or base in EXITS:
            self.tamper.add("early_exit")
            return self.stop(Exited(name))
        kind = getattr(builtins, name, None) if cls is None else None
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            number = cls._remote_number if isinstance(cls, type) and "_remote_number" in cls.__dict__ else 0
            kind = self.exception_class(number, name, base)
        if issubclass(kind, StopIteration):  # it would end loops of the test without a word
            return RuntimeError("the candidate raised StopIteration")
        try:
            e = kind(*args)
        except Exception:
            e = Exception(name)
        return e

    def called_back(self, m):
        """The candidate calls a function that the test gave it, or takes the next of an iterator."""
        try:
            if m[0] == "callback" and len(m) == 4 and type(m[1]) is int and type(m[2]) is tuple and type(m[3]) is dict:
                f = self.own(m[1])
                if not callable(f):
                    raise Malformed("object is not callable")
                reply = ("answer", f(*m[2], **m[3]))
            elif m[0] == "advance" and len(m) == 2 and type(m[1]) is int:
                try:
                    reply = ("answer", (next(self.own(m[1])),))
                except StopIteration:
                    reply = ("answer", ())
            else:
                raise Malformed("a callback of no known shape")
        except Malformed as e:
            raise self.forged(str(e), "forged_result") from None
        except Exception as e:
            known = type(e) if getattr(builtins, type(e).__name__, None) is type(e) else Exception
            reply = ("raised", known.__name__, (str(e)[:2000],))
        send_bytes(self.fd, self.encode(reply))

    def call(self, target, args, kwargs):
        value, back = self.ask("call", target, args, kwargs, True)
        if type(back) is not tuple:
            raise self.forged("changed arguments of no known shape", "forged_result")
        for entry in back:
            if type(entry) is not tuple or len(entry) != 2 or type(entry[0]) is not int or not 0 <= entry[0] < len(args):
                raise self.forged("changed arguments of no known shape", "forged_result")
            update(args[entry[0]], entry[1])
        return value


def update(old, new):
    """Makes a mutable argument what the candidate has made of its copy, in place, also inside."""
    if type(old) is list and type(new) is list:
        same = [update(o, n) if type(o) is type(n) and type(o) in (list, dict, set) else n for o, n in zip(old, new)]
        old[:] = same + new[len(same):]
    elif type(old) is dict and type(new) is dict:
        merged = {k: update(old[k], v) if k in old and type(old[k]) is type(v) and type(v) in (list, dict, set) else v for k, v in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is set and type(new) is set:
        old.clear()
        old.update(new)
    elif type(old) is bytearray and type(new) is bytearray:
        old[:] = new
    return old


def run(fd):
    """Serves suites and candidates until Go closes the socket."""
    import random
    current = None
    sys.stdout = sys.stderr = suite.Sink()
    while True:
        try:
            m = loads(recv_bytes(fd))
        except EOFError:
            return
        if m[0] == "suite":
            current, answer = (runner if m[1] == "pytest" else suite).load(*m[2:])
            send_bytes(fd, dumps(answer, 2))
        elif m[0] == "run":
            candidate = receive_fd(fd)
            random.seed(0)
            witness = Witness(candidate, m[1])
            try:
                current.run(witness, lambda *row: send_bytes(fd, dumps(row, 2)))
            finally:
                os.close(candidate)
            send_bytes(fd, dumps(("end", sorted(witness.tamper), sorted(witness.flags), witness.unsupported), 2))


def receive_fd(fd):
    import _socket
    import array
    s = _socket.socket(fileno=fd)
    try:
        _, extra, _, _ = s.recvmsg(1, _socket.CMSG_SPACE(4))
    finally:
        s.detach()
    fds = array.array("i")
    for level, kind, data in extra:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds.frombytes(data[:len(data) // 4 * 4])
    return fds[0]
