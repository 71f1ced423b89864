"""track: a run of somebody else's training loop, as the recorder sees it."""

import atexit
import functools
import inspect
import logging
import os
import threading

from . import ids, rows, settings
from .errors import ClosedError, InvalidError, RefusedError, WrongProcessError
from .reading import Reading
from .rest import Rest
from .sinks import FileSink, ServerSink
from .values import ABSENT, NotANumber, number, step as whole_step
from .writer import Writer

log = logging.getLogger("provenir")

MAX_KEYS = 4096
MAX_KEY = 256
CLOSE_TIMEOUT = 30.0


def track(name, **cfg):
    """A run that is recorded: use it in a with block, or call start and close.

    server      REST address of a mesh (http://localhost:8080); default PROVENIR_REST, then PROVENIR_SERVER. Without one the
                run is spooled
    token_file  where the mesh's token is; default PROVENIR_TOKEN, then <PROVENIR_DATA or .provenir>/token
    spool       folder for rows that no server takes; default PROVENIR_SPOOL, then <PROVENIR_DATA or .provenir>/spool
    run         id of a run to go on with; default a new one
    engine      whose metric names are logged: provenir, trl, verl, ...
    privacy     salted: what is logged lies encrypted at the recorder, and can be erased (docs/track.md); default plain
    method, model, kl_coefficient (beta), reward_range, num_iterations, truncated_sampling, limits, disabled
                what the recorder judges the run by (docs/detectors.md)

    Everything else is kept as the run's configuration.
    """
    return Tracker(name, **cfg)


def provenance_tracked(name, **cfg):
    """A decorator: every call of the function is a run of its own. A parameter named run gets the tracker."""

    def decorate(function):
        wants = "run" in inspect.signature(function).parameters

        @functools.wraps(function)
        def tracked(*args, **kwargs):
            with Tracker(name, **cfg) as run:
                if wants and "run" not in kwargs:
                    kwargs["run"] = run
                return function(*args, **kwargs)

        return tracked

    if callable(name):
        raise InvalidError("write @provenance_tracked(\"a name\")")
    settings.name(name)
    settings.split({k: v for k, v in cfg.items() if k not in _PLACES})
    return decorate


_PLACES = ("server", "token_file", "spool", "run", "engine")


class Tracker(Reading):
    """One run. The methods log_* and record_eval may be called from any thread of the process that began it."""

    def __init__(self, name, server=None, token_file=None, spool=None, run=None, engine="provenir", **cfg):
        self.name = settings.name(name)
        self._engine = settings.engine(engine)
        self._settings, self._config = settings.split(cfg)
        if run is not None and not ids.is_run(run):
            raise InvalidError("run %r: want the id of a tracked run; leave it out for a new one" % (run,))
        self._resumes, self.run = run is not None, run or ids.new_run()
        server = server or os.environ.get("PROVENIR_REST") or os.environ.get("PROVENIR_SERVER")
        self._rest = Rest(server, token_file) if server else None
        self._reader = Rest(server, token_file) if server else None  # properties are read from other threads
        folder = spool or os.environ.get("PROVENIR_SPOOL") or os.path.join(os.environ.get("PROVENIR_DATA") or ".provenir", "spool")
        self._path = os.path.join(folder, self.run + ".jsonl")
        self._lock, self._read_lock = threading.Lock(), threading.Lock()
        self._state, self._pid, self._writer = "new", None, None
        self._next_step, self._keys, self._rollouts = 0, set(), 0
        self._outcome, self._error = "partial", ""
        self.invalid = 0

    # What happens to a run.

    def start(self):
        if self._state != "new":
            raise ClosedError("run %s was begun already" % self.run)
        self._epoch = ids.new_epoch()
        sink = self._open_server() if self._rest else self._open_file()
        self._writer = Writer(sink, self._ending)
        self._sink, self._pid, self._state = sink, os.getpid(), "open"
        if not self._resumes:
            self._put("config", config=self._config)
        atexit.register(self._forgotten)
        return self

    def close(self, error=None):
        """Ends the run: completed, or partial after an error. Again is nothing."""
        with self._lock:
            if self._state != "open" or self._pid != os.getpid():
                return
            self._state = "closed"
        atexit.unregister(self._forgotten)
        self._outcome = "completed" if error is None else "partial"
        self._error = "" if error is None else type(error).__name__
        left = self._writer.close(CLOSE_TIMEOUT)
        if left:
            self._spill(left)
        self._sink.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if isinstance(error, SystemExit) and error.code in (None, 0):
            error = None
        self.close(error)
        return False

    # What is logged.

    def log_step(self, step=None, metrics=None, **more):
        """The numbers of one step. Without a step it is the one after the last."""
        self._check()
        try:
            at = self._next_step if step is None else whole_step(step)
        except NotANumber as e:
            self._bad("log_step: %s; the row is left out" % e)
            return
        self._next_step = at + 1
        values = self._numbers("log_step", metrics, more)
        self._put("step", step=at, engine=None if self._engine == "provenir" else self._engine, metrics=values)

    def log_trajectory(self, response=None, prompt=None, trajectory=None, reward=None, passed=None, heldout_reward=None, step=None, id=None, group=None, erasure_group=None):
        """One rollout: response (and prompt), or trajectory, a list of {"role", "content"}.

        reward is what was paid, heldout_reward what a verifier says that the policy is not paid by; passed whether the
        answer is right, where that is known.
        erasure_group names whose data it is, in a run with privacy="salted": `provenir ledger erase` takes it away by that name.
        """
        self._check()
        try:
            at = self._next_step if step is None else whole_step(step)
            parts = rows.turns(prompt, response, trajectory)
            person = self._group(erasure_group)
        except (NotANumber, ValueError, TypeError, KeyError) as e:
            self._bad("log_trajectory: %s; the trajectory is left out" % e)
            return
        with self._lock:
            self._rollouts += 1
            name = str(id) if id is not None else "t%d.%d" % (at, self._rollouts)
        self._put("rollout", id=name, group=None if group is None else str(group), step=at, turns=parts, erasure_group=person)
        for kind, value in (("verdict", reward), ("heldout_verdict", heldout_reward)):
            try:
                x = number(value)
            except NotANumber as e:
                self._bad("log_trajectory: %s: %s" % (kind, e))
                continue
            if x is not ABSENT:
                self._put(kind, id=name, reward=x, passed=passed if kind == "verdict" and isinstance(passed, bool) else None, erasure_group=person)

    def record_eval(self, metrics=None, step=None, dataset=None, n=None, **more):
        """Scores that were measured elsewhere."""
        self._check()
        try:
            at = self._next_step if step is None else whole_step(step)
            count = None if n is None else whole_step(n)
        except NotANumber as e:
            self._bad("record_eval: %s; the row is left out" % e)
            return
        values = self._numbers("record_eval", metrics, more)
        self._put("eval", step=at, metrics=values, dataset=None if dataset is None else str(dataset), n=count)

    # What became of it.

    @property
    def dropped(self):
        """Rows that were logged and could not be kept."""
        return self._writer.dropped if self._writer else 0

    @property
    def trouble(self):
        """The last thing that went wrong while recording; empty where nothing did."""
        return self._writer.trouble if self._writer else ""

    @property
    def spool(self):
        """The file of the run's rows, where there is one."""
        return self._path if self._rest is None or os.path.exists(self._path) else None

    # How.

    def _open_server(self):
        sink = ServerSink(self._rest, self.run, self._epoch, self._tell)
        try:
            if not self._resumes:
                sink.open(rows.head("open", self.run, self._epoch, name=self.name, **self._settings))
                return sink
            if self.manifest["summary"].get("complete"):
                raise RefusedError("run %s has ended and is sealed; begin another" % self.run, "RUN_SEALED", 400)
            sink.take_up()
            return sink
        except BaseException:
            sink.close()
            raise

    def _open_file(self):
        sink = FileSink(self._path)
        if self._resumes:
            sink.take_up(rows.head("resume", self.run, self._epoch))
        else:
            sink.open(rows.head("open", self.run, self._epoch, name=self.name, **self._settings))
        return sink

    def _check(self):
        if self._state != "open":
            raise ClosedError("run %s is %s; log inside of the with block" % (self.run, "not begun" if self._state == "new" else "closed"))
        if self._pid != os.getpid():
            raise WrongProcessError("run %s belongs to process %d: log from there, or track a run of this process's own" % (self.run, self._pid))

    def _put(self, kind, **members):
        try:
            body = rows.body(kind, **members)
        except (TypeError, ValueError) as e:
            self._bad("%s: %s" % (kind, e))
            return
        most = rows.MAX_ROLLOUT if kind == "rollout" and not self._salted() else rows.MAX_ROW
        if len(body) > most:
            self._bad("%s: %d bytes in a row, at most %d; it is left out" % (kind, len(body), most))
            return
        self._writer.put(body)

    def _salted(self):
        return self._settings.get("privacy") == "salted"

    def _group(self, name):
        if name is None:
            return None
        if not self._salted():
            raise ValueError("erasure_group is of a run with privacy=\"salted\"")
        if not isinstance(name, str) or not name or len(name.encode("utf-8", "replace")) > MAX_KEY:
            raise ValueError("erasure_group: want a text of at most %d bytes" % MAX_KEY)
        return name

    def _numbers(self, who, metrics, more):
        out = {}
        for source in (metrics, more):
            if source is None:
                continue
            if not hasattr(source, "items"):
                self._bad("%s: metrics are a dict, not %s" % (who, type(source).__name__))
                continue
            for key, value in source.items():
                self._number(who, out, key, value)
        return out

    def _number(self, who, out, key, value):
        key = str(key)
        if not key or len(key.encode("utf-8", "replace")) > MAX_KEY or key not in self._keys and len(self._keys) >= MAX_KEYS:
            self._bad("%s: key %r: a run has at most %d keys of at most %d bytes" % (who, key[:40], MAX_KEYS, MAX_KEY))
            return
        try:
            x = number(value)
        except NotANumber as e:
            self._bad("%s: %s: %s" % (who, key, e))
            return
        self._keys.add(key)
        if x is not ABSENT:
            out[key] = x

    def _bad(self, text):
        with self._lock:
            self.invalid += 1
        self._writer.warn(text)

    def _ending(self, dropped):
        return rows.body("close", outcome=self._outcome, error=self._error or None, dropped=dropped or None, invalid=self.invalid or None)

    def _tell(self, findings):
        for f in findings:
            log.warning("provenir.track: %s %s at step %s: %s", f.get("kind"), f.get("severity", "").replace("SEVERITY_", "").lower(), f.get("step", 0), f.get("detail", ""))

    def _spill(self, left):
        """Rows that the server did not take before the end are kept as a file that ledger import takes in."""
        if self._rest is None:
            log.warning("provenir.track: %d rows could not be written to %s and are lost", len(left), self._path)
            return
        try:
            FileSink(self._path).spill(rows.head("resume", self.run, self._epoch), self._sink.next, left)
        except Exception as e:
            log.warning("provenir.track: %d rows are lost: the server does not answer, and %s", len(left), e)
            return
        log.warning("provenir.track: %d rows wait in %s; run `provenir ledger import %s` when the server is back", len(left), self._path, self._path)

    def _forgotten(self):
        """The process ends and nobody closed the run."""
        self.close(_NotClosed())


class _NotClosed(Exception):
    pass
