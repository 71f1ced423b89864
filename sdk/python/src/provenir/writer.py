"""The thread that writes: the training loop puts rows into a bounded queue and never waits for it."""

import collections
import logging
import threading
import time

from .sinks import BATCH_BYTES, BATCH_ROWS, Fatal, Retry

log = logging.getLogger("provenir")

MAX_ROWS = 65_536
MAX_BYTES = 64 << 20
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0


class Writer:
    """Takes rows until close. Trouble is counted and warned of once; it never reaches the caller."""

    def __init__(self, sink, ending):
        self._sink, self._ending = sink, ending
        self._rows, self._bytes = collections.deque(), 0
        self._change = threading.Condition()
        self._deadline = None  # monotonic time until which close waits; None while the run goes on
        self._pause = 0.0
        self._synced = self._spoke = time.monotonic()
        self.dropped, self.trouble, self.dead, self.ended, self._fatal = 0, "", False, False, False
        self._thread = threading.Thread(target=self._run, name="provenir-track", daemon=True)
        self._thread.start()

    def put(self, body):
        with self._change:
            if self.dead or len(self._rows) >= MAX_ROWS or self._bytes + len(body) > MAX_BYTES:
                self._drop(1, self.trouble or "rows come faster than they can be written")
                return
            self._rows.append(body)
            self._bytes += len(body)
            if self._sink.period == 0 or len(self._rows) >= BATCH_ROWS:
                self._change.notify()

    def close(self, timeout):
        """Waits for what is queued, and for the last row. Gives the rows that nobody took."""
        with self._change:
            self._deadline = time.monotonic() + timeout
            self._change.notify()
        self._thread.join(timeout + 20)  # a call that is under way has its own timeout
        with self._change:
            self.dead = True
            left = list(self._rows)
            if not self.ended and not self._thread.is_alive() and not self._fatal:
                left.append(self._ending(self.dropped))
            self._rows.clear()
            return left

    def warn(self, text):
        """Tells of trouble that was met elsewhere."""
        with self._change:
            self._warn(text)

    def _run(self):
        try:
            while self._turn():
                pass
        except Exception as e:  # a fault of ours must not pass for a quiet run
            self._stop("a fault of the recorder's client: %r" % e)

    def _turn(self):
        rows = self._wait()
        if rows is None:
            return False
        try:
            if rows:
                taken, lost = self._sink.write(rows)
                self._spoke = time.monotonic()
                with self._change:
                    for _ in range(taken):
                        self._bytes -= len(self._rows.popleft())
                    if lost:
                        self._drop(lost, "the server takes no such row")
            elif self._closing():
                self._end()
                return False
            else:
                self._idle()
            if time.monotonic() - self._synced >= 1:
                self._sync()
            self._pause = 0.0
        except Retry as e:
            with self._change:
                self._warn("%s; rows wait for the next try" % e)
            self._pause = min(LONGEST_PAUSE, 2 * self._pause or FIRST_PAUSE)
        except Fatal as e:
            self._stop(str(e))
            return False
        return True

    def _wait(self):
        """The next batch, which stays in the queue until it is written; empty where there is none; None to give up."""
        with self._change:
            if self._pause:
                self._change.wait(self._left(self._pause))
                if self._closing() and time.monotonic() >= self._deadline:
                    return None
            elif not self._closing() and (len(self._rows) < BATCH_ROWS and self._sink.period or not self._rows):
                self._change.wait(self._sink.period or 1)
            rows, size = [], 0
            for body in self._rows:
                size += len(body)
                if len(rows) == self._sink.batch or rows and size > BATCH_BYTES:
                    break
                rows.append(body)
            return rows

    def _left(self, pause):
        return pause if self._deadline is None else max(0.0, min(pause, self._deadline - time.monotonic()))

    def _closing(self):
        return self._deadline is not None

    def _idle(self):
        if self._sink.keep and time.monotonic() - self._spoke >= self._sink.keep:
            self._spoke = time.monotonic()
            self._sink.alive()

    def _sync(self):
        self._synced = time.monotonic()
        self._sink.sync()

    def _end(self):
        self._sink.write([self._ending(self.dropped)])
        self._sync()
        self.ended = True

    def _stop(self, text):
        with self._change:
            self._fatal = self.dead = True
            self._warn(text + "; nothing more is recorded")
            self.dropped += len(self._rows)
            self._rows.clear()
            self._bytes = 0

    def _drop(self, n, text):
        self.dropped += n
        self._warn("rows are left out: " + text)

    def _warn(self, text):
        """Once: a loop of a million steps must not fill a log."""
        if not self.trouble:
            log.warning("provenir.track: %s. The run goes on and is marked partial.", text)
        self.trouble = text
