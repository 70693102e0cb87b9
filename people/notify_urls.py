"""Notify URLs: where alerts go. They hold secrets, and are told to people only as `shown`.

`http(s)://`, `json://` and `jsons://` are webhooks and get our own JSON (people/webhooks.py): Apprise's JSON service has a body
of its own, hides what the receiver answered, and connects anew for each message. Every other scheme is Apprise's.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import apprise
from apprise.manager_plugins import NotificationManager

from pipeline.errors import SettingsError

LONGEST = 2048
_SHORTEST_SECRET = 4  # shorter ones would make a sentence unreadable
_NEAR = 0.75  # how alike two words are, of 1
_WEBHOOKS = {"http": "http", "https": "https", "json": "http", "jsons": "https"}
_OF_THIS_MACHINE = ("dbus", "gnome", "glib", "kde", "macosx", "qt", "syslog", "windows")  # nobody stands there to see it
_EXAMPLES = "for example https://HOST/PATH (a JSON webhook), mailto://, slack://, sns:// or mqtt://"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where JSON is posted: a URL without our own parameters, user and password apart, and headers that were asked for."""

    url: str = field(repr=False)
    user: tuple[str, str] | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def check(url: object) -> str:
    """Return a notify URL that can be delivered to; raises SettingsError with one sentence, without its secrets."""
    if not isinstance(url, str) or not url.strip():
        raise SettingsError(f"notify names no receiver: write a URL, {_EXAMPLES}")
    text = url.strip()
    if len(text) > LONGEST or not text.isprintable():
        raise SettingsError(f"notify {shown(text[:LONGEST])!r} is no URL: it is too long, or holds what cannot be printed")
    scheme = _scheme(text)
    if scheme in _WEBHOOKS and not is_native(text):
        webhook_of(text)
    else:
        _check_apprise(scheme, text)
    return text


def is_webhook(url: str) -> bool:
    """Say whether a checked URL gets our own JSON."""
    return _scheme(url) in _WEBHOOKS and not is_native(url)


@cache
def is_native(url: str) -> bool:
    """Say whether an https:// URL is one that a service gave its user and that Apprise knows (Slack's, Discord's …)."""
    if not url.lower().startswith("https://"):
        return False
    return any(service.parse_native_url(url) for service in _services().plugins() if service.enabled)


def webhook_of(url: str) -> Webhook:
    """Return how a webhook is called; `+Name=value` among its parameters is a header. Raises SettingsError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"notify {shown(url)!r} is no URL: write https://HOST:PORT/PATH") from None
    if not host or port == 0:
        raise SettingsError(f"notify {shown(url)!r} names no host: write https://HOST:PORT/PATH")
    query = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    headers = tuple((name[1:], value) for name, value in query if name.startswith("+"))
    if any(not (name + value).isascii() for name, value in headers):
        raise SettingsError(f"notify {shown(url)!r} asks for a header that is not ASCII")
    kept = urlencode([(name, value) for name, value in query if not name.startswith("+")]) if headers else parts.query
    place = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((_WEBHOOKS[parts.scheme.lower()], place, parts.path, kept, ""))
    user = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return Webhook(plain, user, headers)


def shown(url: str) -> str:
    """Return what people may see of a URL: a webhook's scheme and host, of anything else the scheme alone."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "***"
    if scheme.lower() not in _WEBHOOKS:
        return f"{scheme[:20]}://***"
    place = rest.split("?")[0].split("#")[0].split("/")
    host = place[0].rpartition("@")[2]
    return f"{scheme}://{host}/***" if len(rest) > len(host) else f"{scheme}://{host}"


def secrets_of(url: str) -> list[str]:
    """Return the pieces of a URL that may be secrets, the longest first."""
    pieces = url.partition("://")[2]
    for sign in "/?&=@:#;,":
        pieces = pieces.replace(sign, " ")
    found = {form for piece in pieces.split() for form in (piece, unquote(piece)) if len(form) >= _SHORTEST_SECRET}
    return sorted(found, key=len, reverse=True)


def _check_apprise(scheme: str, url: str) -> None:
    """Raise SettingsError unless Apprise can deliver there."""
    known = _services()
    if not scheme or scheme in _OF_THIS_MACHINE or (scheme not in known and scheme not in _WEBHOOKS):
        near = difflib.get_close_matches(scheme, [name for name in known.schemas() if name not in _OF_THIS_MACHINE], 1, _NEAR)
        hint = f"did you mean {near[0]}://?" if near else f"write one that Apprise knows, {_EXAMPLES}"
        raise SettingsError(f"notify {shown(url)!r} is of no known kind: {hint}")
    if scheme in known and not known[scheme].enabled:
        needed = known[scheme].requirements.get("packages_required") or "something that is not installed"
        needed = needed if isinstance(needed, str) else ", ".join(map(str, needed))
        raise SettingsError(f"notify {shown(url)!r} needs {needed}: install that beside rekstream, or name another receiver")
    if apprise.Apprise.instantiate(url) is None:
        name = known[scheme].service_name if scheme in known else "that service"
        raise SettingsError(f"notify {shown(url)!r} is not complete: {name} has its URLs described at appriseit.com/services")


def _services() -> Any:
    """Return Apprise's services, which has no types."""
    manager: Any = NotificationManager
    return manager()


def _scheme(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""
