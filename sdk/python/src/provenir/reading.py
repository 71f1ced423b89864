"""What a mesh knows of the run, read over REST. What is not there is an error that says what to do, never an empty object:
an empty list of anomalies must mean that none was found."""

import json

from .errors import NotAvailableError, RefusedError
from .rest import unbase64

HACKING_KINDS = ("hack_rate", "degenerate_share", "length_reward_corr", "template_reuse", "proxy_divergence")


class Reading:
    """The read side of a tracker."""

    @property
    def anomalies(self):
        """What was found until now, oldest first, as REST has it."""
        out, token = [], ""
        while True:
            page = self._get("anomalies", "/v1/anomalies", run=self.run, pageSize=1000, pageToken=token)
            out += page.get("anomalies", [])
            token = page.get("nextPageToken", "")
            if not token:
                return out

    @property
    def manifest(self):
        """The run: id, name, configuration, and the recorder's summary with verdict, counts and signed checkpoints."""
        summary = self._get("manifest", "/v1/runs/%s/summary" % self.run)["summary"]
        return {"run": self.run, "name": self.name, "config": self._config, "settings": self._settings, "summary": summary}

    @property
    def passport(self):
        """The signed passport of the run, which must have ended: digest, statement, bundle and the folder on the mesh. It is
        made at the first call. It says that a tracker recorded the run, and whether it is partial."""
        issued, files = self._issued("passport")
        return {"digest": issued["digest"], "folder": issued["folder"], "keyId": issued["keyId"], "statement": json.loads(files["passport.json"]),
                "bundle": json.loads(files["passport.intoto.sigstore.json"])}

    @property
    def bom(self):
        """The bill of materials that the passport is over."""
        return json.loads(self._issued("bom")[1]["bom.json"])

    @property
    def hacking_report(self):
        """How many of the run's trajectories were looked at, how many of those were hacked, and what was found of it."""
        summary = self._get("hacking_report", "/v1/runs/%s/summary" % self.run)["summary"]
        if not int(summary.get("inspected", 0)):
            raise NotAvailableError("hacking_report: none of the run's %s trajectories was inspected yet; that is unchecked, not 0. Log some with "
                                    "log_trajectory, or run `provenir hacking --in FILE` on those that you have" % summary.get("rollouts", "0"))
        inspected, hacked = int(summary["inspected"]), int(summary.get("hacked", 0))
        return {"rollouts": int(summary.get("rollouts", 0)), "inspected": inspected, "hacked": hacked, "rate": hacked / inspected,
                "anomalies": [a for a in self.anomalies if a.get("kind") in HACKING_KINDS]}

    @property
    def alerter(self):
        raise NotAvailableError("alerter: a mesh alerts by itself, to the webhooks, Slack and PagerDuty sinks of its settings (docs/alerts.md); "
                                "there is none in this process")

    def _issued(self, what):
        try:
            self._ask(what, lambda rest: rest.post("/v1/runs/%s:issuePassport" % self.run, {}))
        except RefusedError as e:
            if e.reason != "RUN_NOT_FINISHED":
                raise
            raise NotAvailableError("%s: the run has not ended; ask after the with block" % what) from e
        got = self._get(what, "/v1/passports/%s" % self.run)
        return got["passport"], {f["name"]: unbase64(f["content"]) for f in got["files"]}

    def _get(self, what, path, **query):
        return self._ask(what, lambda rest: rest.get(path, **query))

    def _ask(self, what, call):
        if self._reader is None:
            raise NotAvailableError("%s: this run is spooled, and only a recorder can say. Give server=, or take it in with "
                                    "`provenir ledger import %s` and ask there" % (what, self._path))
        with self._read_lock:
            return call(self._reader)
