"""Who asks: a program with the token, a browser that signed in, a page from elsewhere, or a stranger."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from dashboard.answers import RefusedError
from dashboard.sessions import Session, Sessions
from dashboard.settings import DashboardSettings
from pipeline.broker import is_loopback

COOKIE = "rekstream_session"
LOGIN_PATH = "/login"
SESSION_PATH = "/api/session"
OPEN_PATHS = frozenset(
    {
        "/healthz",  # probes know no token, and learn nothing but yes or no, and the version
        "/readyz",
        SESSION_PATH,  # these are how one signs in
        LOGIN_PATH,
    }
)
_FILES = "/static/"  # the page's code is no secret, and a session may end while it loads
WHO = "rekstream.who"  # in a request's scope: who asks, as the audit log names it
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
CSRF_HEADER = "x-rekstream"  # no form and no foreign page can send it


class Callers:
    """Tells callers that may ask from those that may not.

    Where there is a token or a password, every request needs the token or a session. Elsewhere the Host header has to name this
    machine: a web page whose own name was made to point here (DNS rebinding) is thus turned away. It could bring no cookie.
    """

    def __init__(self, settings: DashboardSettings, sessions: Sessions) -> None:
        self._needs_login = settings.needs_login
        self._token = settings.token
        self._sessions = sessions

    def check(self, scope: Scope) -> Session | None:
        """Return the session that a request belongs to, None for one that needs none; raises RefusedError."""
        caller = HTTPConnection(scope)
        if not self._needs_login:
            _check_host(caller.headers.get("host", ""))
        session = self._sessions.find(caller.cookies.get(COOKIE))
        scope[WHO] = "this machine" if session is None else "session"
        if self._has_token(caller):
            session = None
            scope[WHO] = "token"
        elif session is None and self._needs_login and not _is_open(scope["path"]):
            raise _stranger(scope, caller.headers)
        if scope["type"] == "websocket" or scope["method"] in CHANGING:
            _check_origin(caller.headers)
            if session is not None:
                _check_page(scope, caller.headers)
        return session

    def _has_token(self, caller: HTTPConnection) -> bool:
        scheme, _, given = caller.headers.get("authorization", "").partition(" ")
        if not self._token or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token.encode())


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(_FILES)


def _check_host(host: str) -> None:
    name = _hostname(host)
    if name is None or not is_loopback(name):
        raise RefusedError(421, "ForeignHost", f"host {host!r} is not this machine: ask for 127.0.0.1 or localhost")


def _check_origin(headers: Mapping[str, str]) -> None:
    origin, host = headers.get("origin"), headers.get("host", "")
    is_foreign = origin is not None and origin.lower().partition("://")[2] != host.lower()
    if is_foreign or headers.get("sec-fetch-site") == "cross-site":
        raise RefusedError(403, "ForeignOrigin", f"a page of {origin or 'another site'} may not change anything here")


def _check_page(scope: Scope, headers: Mapping[str, str]) -> None:
    """Make sure that what comes with a cookie was sent by our own page, not by another that the browser shows."""
    if scope["type"] == "websocket":
        if "origin" not in headers:
            raise RefusedError(403, "ForeignOrigin", "a socket that is opened with a cookie has to name its page in Origin")
    elif CSRF_HEADER not in headers:
        raise RefusedError(403, "ForeignOrigin", "what changes something with a cookie has to bring the header X-Rekstream: 1")


def _stranger(scope: Scope, headers: Mapping[str, str]) -> RefusedError:
    """Return what somebody unknown gets: a browser that opens a page the way to the login, everybody else a refusal."""
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _wants_page(scope["path"], headers):
        query = scope["query_string"].decode("latin-1")
        there = quote(scope["path"] + (f"?{query}" if query else ""), safe="/")
        return RefusedError(303, "SignIn", "sign in first", {"Location": f"{LOGIN_PATH}?next={there}"})
    what = "another token is needed" if "authorization" in headers else "a token is needed"
    sentence = f"{what}: send it as `Authorization: Bearer TOKEN`, or sign in at {LOGIN_PATH} with a browser"
    return RefusedError(401, "Unauthorized", sentence, {"WWW-Authenticate": "Bearer"})


def _wants_page(path: str, headers: Mapping[str, str]) -> bool:
    return not path.startswith("/api/") and "text/html" in headers.get("accept", "")


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
