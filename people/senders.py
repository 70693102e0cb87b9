"""One message to one receiver: our own JSON over HTTP, or whatever Apprise speaks. Nothing here tells a receiver's secrets."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import apprise
import httpx
from apprise.attachment.memory import AttachMemory

from people import notify_urls
from people.messages import Message
from pipeline.broker import is_loopback

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 10.0
MOST_ANSWER_BYTES = 64 * 1024
LONGEST_PAUSE = 3600.0  # that a receiver may ask for
_SHOWN = 200  # characters of what a service said


class How(StrEnum):
    """How a delivery went; what is not DELIVERED is tried again."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # the receiver does not want this message (HTTP 4xx)
    CONNECTION = "connection"  # nobody listens there
    TIMEOUT = "timeout"  # it took too long
    SERVER = "server"  # it has a fault, or too much to do (HTTP 5xx, 429)
    SERVICE = "service"  # Apprise's service did not take it


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one delivery went; `answer` is for people and without secrets, `pause` seconds that the receiver asks for."""

    how: How
    answer: str
    pause: float = 0.0

    @property
    def is_delivered(self) -> bool:
        """Whether the message has arrived."""
        return self.how is How.DELIVERED


class Sender(Protocol):
    """Sends messages to one receiver; used by one thread, never raises, takes a bounded time."""

    def send(self, message: Message) -> Outcome:
        """Send a message and say how it went."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...


def sender_of(url: str, version: str) -> Sender:
    """Return what delivers to a checked notify URL."""
    return WebhookSender(url, version) if notify_urls.is_webhook(url) else AppriseSender(url)


def keep_apprise_quiet() -> None:
    """Keep what Apprise logs out of our own log: it tells of addresses; what matters of it is in an `Outcome`."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # without any, Python prints warnings itself


class WebhookSender:
    """Posts JSON over a connection that is kept; 2xx is an arrival, and a redirection is not followed."""

    def __init__(self, url: str, version: str) -> None:
        self._hook = notify_urls.webhook_of(url)
        headers = {**dict(self._hook.headers), "Content-Type": "application/json", "User-Agent": f"rekstream/{version}"}
        self._client = httpx.Client(
            auth=self._hook.user,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            verify=_trust(),
            trust_env=not is_loopback(urlsplit(self._hook.url).hostname or ""),  # no proxy stands within a machine
        )

    def send(self, message: Message) -> Outcome:
        """Send a message; its alert's id is the Idempotency-Key."""
        headers = {"Idempotency-Key": message.id}
        try:
            with self._client.stream("POST", self._hook.url, json=message.as_json(), headers=headers) as answer:
                _drain(answer)
                return _outcome_of(answer)
        except httpx.TimeoutException as error:
            connecting = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            seconds = CONNECT_SECONDS if connecting else ANSWER_SECONDS
            return Outcome(How.TIMEOUT, f"no {'connection' if connecting else 'answer'} within {seconds:g} s")
        except httpx.ConnectError as error:
            return Outcome(How.CONNECTION, f"it cannot be reached ({_cause(error)})")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Outcome(How.CONNECTION, f"the connection broke ({type(error).__name__})")

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()


class AppriseSender:
    """Sends through one of Apprise's services, with the picture where that takes attachments."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._service: Any = apprise.Apprise.instantiate(url)

    def send(self, message: Message) -> Outcome:
        """Send a message; why a service did not take it is what it logged, without the URL's pieces."""
        if self._service is None:
            return Outcome(How.SERVICE, "its URL is understood no longer: was a package removed?")
        name = str(self._service.service_name)
        with _overheard() as said:
            try:
                is_taken = self._service.notify(body=message.text, title=message.title, **self._attached(message))
            except Exception as error:  # a service's boundary: there are 190 of them, by as many authors
                said.append(type(error).__name__)
                is_taken = False
        if is_taken:
            return Outcome(How.DELIVERED, f"{name} took it")
        return Outcome(How.SERVICE, f"{name} did not take it{_why(said, self._url)}")

    def close(self) -> None:
        """Nothing is kept open."""

    def _attached(self, message: Message) -> dict[str, Any]:
        if not message.picture or not self._service.attachment_support:
            return {}
        picture = AttachMemory(message.picture, name="alert.jpg", mimetype="image/jpeg")  # type: ignore[no-untyped-call]
        attachments: Any = apprise.AppriseAttachment()
        attachments.add(picture)
        return {"attach": attachments}


class _Ear(logging.Handler):
    """Keeps what is logged on its own thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.said.append(record.getMessage())


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Yield what Apprise logs on this thread until the block ends."""
    ear, logger = _Ear(), logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield ear.said
    finally:
        logger.removeHandler(ear)


def _why(said: list[str], url: str) -> str:
    if not said:
        return ""
    text = said[-1]
    for secret in notify_urls.secrets_of(url):
        text = text.replace(secret, "***")
    return f": {' '.join(text.split())[:_SHOWN]}"


@cache
def _trust() -> ssl.SSLContext:
    """Return whom https receivers are trusted by; reading that takes longer than an alert may."""
    return httpx.create_ssl_context()


def _drain(answer: httpx.Response) -> None:
    """Read what came, so that the connection can be used again; an endless answer is left."""
    size = 0
    for piece in answer.iter_raw():
        size += len(piece)
        if size > MOST_ANSWER_BYTES:
            return


def _outcome_of(answer: httpx.Response) -> Outcome:
    status = answer.status_code
    said = f"it answered {status} {answer.reason_phrase}".rstrip()
    if answer.is_success:
        return Outcome(How.DELIVERED, said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT):
        return Outcome(How.SERVER, said, _pause(answer.headers.get("Retry-After", "")))
    return Outcome(How.REFUSED, said)


def _pause(text: str) -> float:
    return min(float(text), LONGEST_PAUSE) if text.isascii() and text.isdigit() else 0.0


def _cause(error: Exception) -> str:
    """Return what the system said, without the address: refused, unreachable, a name that is not known."""
    text = str(error)
    return text.partition("] ")[2] or text.split(":", maxsplit=1)[0] or type(error).__name__
