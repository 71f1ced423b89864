"""The recorder over REST, with the standard library's HTTP client."""

import base64
import http.client
import ipaddress
import json
import os
import ssl
import urllib.parse

from .errors import InvalidError, RefusedError, UnreachableError

TIMEOUT = 15.0


class Rest:
    """A connection to one server. Not safe for concurrent use."""

    def __init__(self, server, token_file=None):
        self.url = _address(server)
        self._token = _token(token_file)
        self._conn = None

    def get(self, path, **query):
        query = {k: v for k, v in query.items() if v not in (None, "", 0)}
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        try:
            return self._call("GET", path, None)
        finally:
            self.close()  # it may be minutes until the next question

    def post(self, path, body):
        return self._call("POST", path, json.dumps(body, allow_nan=False).encode())

    def close(self):
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _call(self, method, path, body):
        headers = {"Authorization": "Bearer " + self._token, "Content-Type": "application/json"}
        try:
            if self._conn is None:
                self._conn = _connect(self.url)
            self._conn.request(method, path, body, headers)
            answer = self._conn.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            self.close()
            raise UnreachableError(_unreachable(self.url, e)) from e
        if answer.status != 200:
            raise refused(answer.status, text)
        try:
            return json.loads(text or b"{}")
        except ValueError as e:
            raise UnreachableError("%s answers no JSON: is it the REST address of a mesh?" % self.url.geturl()) from e


def refused(status, text):
    """The error of an answer that is google.rpc.Status."""
    message, reason = text[:300].decode("utf-8", "replace").strip(), ""
    try:
        doc = json.loads(text)
        message = doc.get("message") or message
        for detail in doc.get("details", ()):
            reason = detail.get("reason") or reason
    except (ValueError, AttributeError):
        pass
    return RefusedError("%s%s" % (message, " [%s]" % reason if reason else " [HTTP %d]" % status), reason, status)


def _unreachable(url, error):
    text = "%s does not answer: %s." % (url.geturl(), error or type(error).__name__)
    if isinstance(error, http.client.HTTPException):
        text += " It speaks something else than HTTP: the CLI's PROVENIR_SERVER names the gRPC port (9090), this package needs the REST port (8080)."
    return text + " Start `provenir up`, or leave the server out to spool."


def _address(server):
    url = urllib.parse.urlsplit(server if "://" in server else "http://" + server)
    try:
        port = url.port
    except ValueError:
        port = None
    if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/") or url.query or url.username:
        raise InvalidError("server %r: want http://host:port or https://host" % server)
    if url.scheme == "http" and port is None:
        raise InvalidError("server %r: the port is missing; `provenir up` serves REST on 8080" % server)
    if url.scheme == "http" and not _loopback(url.hostname):
        raise InvalidError("server %r: without TLS the token would cross the network in plain text; use https, or an SSH tunnel" % server)
    return url


def _loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _connect(url):
    if url.scheme == "https":
        return http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=TIMEOUT, context=ssl.create_default_context())
    return http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT)


def _token(path):
    """PROVENIR_TOKEN, the named file, else what `provenir up` wrote: the order of the command line."""
    token = os.environ.get("PROVENIR_TOKEN", "")
    if not token or path:
        path = path or os.path.join(os.environ.get("PROVENIR_DATA") or ".provenir", "token")
        try:
            with open(path, encoding="utf-8") as f:
                token = f.read().strip()
        except OSError as e:
            raise InvalidError("no token: %s; set PROVENIR_TOKEN or give token_file" % e) from e
    if not token.isascii() or not token.isprintable() or not token:
        raise InvalidError("the token is empty or has characters that no token has")
    return token


def unbase64(text):
    return base64.b64decode(text or "")
