"""A recorder as trackers see it: it numbers, compares and refuses as the real one does, and loses answers when told."""

import base64
import http.server
import json
import threading


class FakeServer:
    def __init__(self):
        self.runs, self.epochs, self.calls = {}, {}, 0
        self.issued = set()  # runs that have a passport
        self.script = []  # what happens to the next calls: "lose" takes rows and drops the answer, a number is a status
        self.bad = lambda row: False  # rows that are refused as invalid
        self.tokens = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.tokens.append(self.headers["Authorization"])
                outer.calls += 1
                todo = outer.script.pop(0) if outer.script else None
                if isinstance(todo, int):
                    return self.answer(todo, {"code": 14, "message": "not now", "details": [{"reason": "OVERLOADED"}]})
                run = self.path.split("/")[3]
                if run.endswith(":issuePassport"):
                    return self.answer(*self.issue(run.split(":")[0]))
                status, doc = outer.append(run, int(body["epoch"]), body["rows"])
                if todo == "lose":
                    self.close_connection = True
                    self.connection.close()
                    return None
                return self.answer(status, doc)

            def issue(self, run):
                rows = outer.runs.get(run, [])
                if not rows or rows[-1]["type"] != "close":
                    return 400, {"code": 9, "message": "it has no end", "details": [{"reason": "RUN_NOT_FINISHED"}]}
                outer.issued.add(run)
                return 200, {"run": {"uid": run}, "issued": True}

            def do_GET(self):
                if self.path.startswith("/v1/passports/") and self.path.split("/")[3] in outer.issued:
                    files = {"bom.json": {"model": None}, "passport.json": {"_type": "statement"}, "passport.intoto.sigstore.json": {"dsseEnvelope": {}}}
                    files = [{"name": k, "content": base64.b64encode(json.dumps(v).encode()).decode()} for k, v in files.items()]
                    return self.answer(200, {"passport": {"digest": "sha256:a", "folder": "/f", "keyId": "k"}, "files": files})
                if self.path.startswith("/v1/anomalies"):
                    return self.answer(200, {"anomalies": [{"kind": "kl_blowup"}]})
                if self.path.endswith("/summary"):
                    run = self.path.split("/")[3]
                    if run not in outer.runs:
                        return self.answer(404, {"code": 5, "message": "no run", "details": [{"reason": "RUN_NOT_FOUND"}]})
                    return self.answer(200, {"summary": {"verdict": "healthy"}})
                return self.answer(404, {"code": 5, "message": "no passport", "details": [{"reason": "PASSPORT_NOT_FOUND"}]})

            def answer(self, status, doc):
                text = json.dumps(doc).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.http.server_port
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def append(self, run, epoch, lines):
        rows = [json.loads(line) for line in lines]
        have = self.runs.get(run)
        if have is None and not any(r["type"] == "open" for r in rows):
            return self.refuse(404, "RUN_NOT_FOUND")
        if any(self.bad(r) for r in rows):
            return self.refuse(400, "INVALID_ARGUMENT")
        if epoch < self.epochs.get(run, 0):
            return self.refuse(409, "LEASE_LOST")
        self.epochs[run] = epoch
        have = self.runs.setdefault(run, [])
        for r in rows:
            if r["seq"] > len(have):
                return self.refuse(400, "OUT_OF_ORDER")
            if r["seq"] < len(have):
                if have[r["seq"]] != r:
                    return self.refuse(409, "DIVERGENT_REPLAY")
                continue
            have.append(r)
        return 200, {"nextSeq": str(len(have))}

    def refuse(self, status, reason):
        return status, {"code": 9, "message": "refused", "details": [{"reason": reason}]}

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
