"""Where rows go: a server's recorder, or a file.

A sink numbers rows, in the order in which it is given them, and takes a batch whole or not at all: a batch that failed may
be given again, with more behind it. Retry says that it should be, Fatal that there is no use in going on. write gives how
many rows need not be given again, and how many of them had to be left out.
"""

import errno
import fcntl
import json
import os

from .errors import RefusedError, RunHeldError, TrackError, UnreachableError

FORMAT = "provenir.track/v1"
BATCH_ROWS = 256
BATCH_BYTES = 1 << 20


class Retry(Exception):
    pass


class Fatal(Exception):
    pass


def numbered(seq, bodies):
    """Rows with their numbers. A body is a JSON object without seq."""
    return ['{"seq":%d,%s' % (seq + i, body[1:]) for i, body in enumerate(bodies)]


class ServerSink:
    """AppendBatch over REST."""

    period = 0.5  # seconds between batches
    keep = 5.0  # seconds between two calls that keep the lease

    def __init__(self, rest, run, epoch, on_findings):
        self._rest, self._run, self._epoch, self._found = rest, run, epoch, on_findings
        self.next = 0
        self.batch = BATCH_ROWS
        self._singles = 0  # rows of a refused batch that are tried one by one

    def open(self, head):
        """Sends the first row, and raises what is wrong instead of recording nothing for hours."""
        self._append(numbered(0, [head]))
        self.next = 1

    def take_up(self):
        """Goes on with a run that is there."""
        self.next = self._append([])

    def write(self, bodies):
        try:
            self._append(numbered(self.next, bodies))
        except UnreachableError as e:
            raise Retry(str(e)) from e
        except RunHeldError as e:
            raise Fatal(str(e)) from e
        except RefusedError as e:
            if e.status in (408, 429, 500, 502, 503, 504) or e.reason in ("LEDGER_DISK_FULL", "NOT_READY", "OVERLOADED"):
                raise Retry(str(e)) from e
            if e.reason not in ("INVALID_ARGUMENT", "METRIC_INVALID", "RECORD_TOO_LARGE", "FRAME_TOO_LARGE"):
                raise Fatal(str(e)) from e
            return self._refused(len(bodies))
        # Not what the server says is next: it may have taken a batch whose answer was lost, and that is given again.
        self.next += len(bodies)
        self._count(len(bodies))
        return len(bodies), 0

    def _refused(self, n):
        """Nothing of a batch with a bad row was taken: its rows are tried one by one."""
        if n > 1:
            self.batch, self._singles = 1, n
            return 0, 0
        self._count(1)
        return 1, 1

    def _count(self, n):
        self._singles = max(0, self._singles - n)
        if not self._singles:
            self.batch = BATCH_ROWS

    def sync(self):
        """The server answers when rows are durable."""

    def alive(self):
        try:
            self._append([])
        except UnreachableError as e:
            raise Retry(str(e)) from e
        except (RefusedError, RunHeldError) as e:
            raise (Retry if getattr(e, "status", 0) in (429, 500, 502, 503, 504) else Fatal)(str(e)) from e

    def close(self):
        self._rest.close()

    def _append(self, rows):
        try:
            answer = self._rest.post("/v1/runs/%s/events:append" % self._run, {"epoch": str(self._epoch), "log": "LOG_EVENTS", "rows": rows})
        except RefusedError as e:
            if e.reason in ("LEASE_HELD", "LEASE_LOST"):
                raise RunHeldError(str(e)) from e
            raise
        self._found(answer.get("findings", ()))
        return int(answer.get("nextSeq", 0))


class FileSink:
    """JSON lines in a file that one process holds. What a write left half done is taken back before the next."""

    period = 0.0  # rows are written when they come; the disk is asked for durability every second
    keep = None
    batch = BATCH_ROWS

    def __init__(self, path):
        self.path = path
        self.next = 0
        self._fd, self._good, self._dirty = None, 0, False

    def open(self, head, fresh=True):
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | (os.O_EXCL if fresh else 0), 0o600)
        self._lock()
        folder = os.open(os.path.dirname(self.path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        if head is not None:
            self._put(numbered(0, [head]))
            self.next = 1

    def spill(self, head, seq, bodies):
        """Keeps rows that no server took: the file says where they belong."""
        self.open(None, fresh=False)
        if os.fstat(self._fd).st_size > 0:
            raise TrackError("%s holds rows of an earlier attempt; import it first" % self.path)
        self._put([head] + numbered(seq, bodies))
        self.sync()

    def take_up(self, head):
        """Goes on with a spool: cuts a line that a kill left half written, and continues the numbers."""
        if not os.path.exists(self.path):
            raise TrackError("%s is not there: only the folder that holds a run's spool can go on with it" % self.path)
        self.open(None, fresh=False)
        with open(self.path, "rb") as f:
            data = f.read()
        self._good = data.rfind(b"\n") + 1
        os.ftruncate(self._fd, self._good)
        self.next = _next_seq(self.path, data[: self._good])
        self._put([head])

    def write(self, bodies):
        try:
            self._put(numbered(self.next, bodies))
        except OSError as e:
            raise Retry("%s: %s" % (self.path, e)) from e
        self.next += len(bodies)
        return len(bodies), 0

    def sync(self):
        if not self._dirty:
            return
        try:
            os.fsync(self._fd)
        except OSError as e:
            # After a failed fsync the kernel may have dropped the pages: a second one would say yes over lost rows.
            raise Fatal("%s: %s; what was written in the last second may be lost" % (self.path, e)) from e
        self._dirty = False

    def close(self):
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _lock(self):
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            self.close()
            if e.errno in (errno.EAGAIN, errno.EACCES):
                raise RunHeldError("another process writes %s; begin a run of your own" % self.path) from e
            raise

    def _put(self, rows):
        data = memoryview(("\n".join(rows) + "\n").encode())
        os.ftruncate(self._fd, self._good)
        self._dirty = True
        done = 0
        while done < len(data):
            done += os.write(self._fd, data[done:])
        self._good += done


def _next_seq(path, data):
    seq = None
    for line in data.splitlines():
        try:
            row = json.loads(line)
        except ValueError as e:
            raise TrackError("%s is damaged: %s" % (path, e)) from e
        if row.get("type") == "close":
            raise TrackError("%s holds a run that has ended; begin another" % path)
        seq = row.get("seq", seq)
    if seq is None:
        raise TrackError("%s holds no row of a run" % path)
    return seq + 1
