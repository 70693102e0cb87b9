"""Questions that one process puts to another over Redis, and their answers, such as the dashboard's to the people process.

    ask ──> list of ids ──> take ──> (it is done) ──> answer, or refuse ──> ask returns, or raises

A request is a key of its own that expires: one that nobody took in time is gone, its pictures with it. Errors travel by name.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline import errors, keys
from pipeline.broker import Broker
from pipeline.errors import HistoryAway, PartAway, PeopleAway, RekstreamError, SettingsError

PEOPLE, HISTORY = "people", "history"  # topics: what the processes of these names serve
_AWAY: Mapping[str, type[PartAway]] = {PEOPLE: PeopleAway, HISTORY: HistoryAway}

ASK_SECONDS = 20.0
ANSWER_SECONDS = 30.0
SERVING_SECONDS = 10.0
BLOCK_SECONDS = 5.0  # below the socket's timeout
MOST_WAITING = 64
MOST_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One question: `what` names it (people.list), `members` belong to it, `who` asks (session, token, this machine)."""

    id: str
    what: str
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)
    who: str = ""


class Requests:
    """The requests of one topic in Redis; every method may raise redis.RedisError."""

    def __init__(self, broker: Broker, topic: str = PEOPLE) -> None:
        self._quick: Any = broker.scripts
        self._blocking: Any = broker.jobs
        self._topic = topic
        self._away = _AWAY.get(topic, PartAway)
        self._waiting = keys.requests(topic)
        self._serving = keys.serving(topic)

    def ask(
        self, what: str, members: Mapping[str, Any] | None = None, who: str = "", seconds: float = ASK_SECONDS
    ) -> dict[str, Any]:
        """Have a question answered and return the answer.

        Raises what the other side raised, PeopleAway (HistoryAway …, by the topic) when nobody is there or nobody answered
        within `seconds`, SettingsError for a question that is too large.
        """
        text = json.dumps({"what": what, "members": dict(members or {}), "who": who})
        if len(text) > MOST_BYTES:
            raise SettingsError(
                f"{len(text):,} bytes are too much for one question: {MOST_BYTES:,} are taken, send fewer pictures"
            )
        self._check_somebody_serves()
        request = uuid.uuid4().hex
        try:
            self._put(request, text, seconds)
            return self._wait_for(request, seconds)
        finally:
            self._forget(request)

    def serve(self) -> None:
        """Say that this topic is served, for SERVING_SECONDS: also while nobody is free to take anything."""
        self._quick.set(self._serving, "1", px=int(SERVING_SECONDS * 1000))

    def take(self, seconds: float) -> Request | None:
        """Return the oldest request, waiting up to `seconds` for it."""
        found = self._blocking.blpop([self._waiting], timeout=min(seconds, BLOCK_SECONDS))
        if found is None:
            return None
        name = found[1].decode()
        text = self._quick.getdel(keys.request(name))
        return None if text is None else Request(name, **json.loads(text))

    def answer(self, request: Request, reply: Mapping[str, Any]) -> None:
        """Hand an answer to whoever asked."""
        self._reply(request, {"answer": dict(reply)})

    def refuse(self, request: Request, error: RekstreamError) -> None:
        """Let whoever asked meet this error."""
        kind = next(kind for kind in type(error).__mro__ if hasattr(errors, kind.__name__))  # one that the other side knows
        self._reply(request, {"error": {"kind": kind.__name__, "message": str(error)}})

    def close(self) -> None:
        """Say that the topic is served no longer."""
        self._quick.delete(self._serving)

    def _check_somebody_serves(self) -> None:
        if not self._quick.exists(self._serving):
            raise self._away(f"the {self._topic} process is not running: start `rekstream {self._topic}`, or see its log")
        if self._quick.llen(self._waiting) >= MOST_WAITING:
            raise self._away(f"{MOST_WAITING} questions wait for the {self._topic} process already: ask again in a moment")

    def _put(self, request: str, text: str, seconds: float) -> None:
        life = int(seconds * 1000)
        pipe = self._quick.pipeline()
        pipe.set(keys.request(request), text, px=life)
        pipe.rpush(self._waiting, request)
        pipe.pexpire(self._waiting, int(2 * ANSWER_SECONDS * 1000 + life))
        pipe.execute()

    def _wait_for(self, request: str, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            found = self._blocking.blpop([keys.reply(request)], timeout=min(left, BLOCK_SECONDS))
            if found is not None:
                return _answer_of(json.loads(found[1]))
        raise self._away(
            f"the {self._topic} process did not answer within {seconds:g} s: is it busy, or did it end? See its log"
        )

    def _reply(self, request: Request, reply: Mapping[str, Any]) -> None:
        pipe = self._quick.pipeline()
        pipe.rpush(keys.reply(request.id), json.dumps(reply))
        pipe.pexpire(keys.reply(request.id), int(ANSWER_SECONDS * 1000))
        pipe.execute()

    def _forget(self, request: str) -> None:
        pipe = self._quick.pipeline()
        pipe.lrem(self._waiting, 0, request)
        pipe.delete(keys.request(request), keys.reply(request))
        pipe.execute()


def _answer_of(reply: Mapping[str, Any]) -> dict[str, Any]:
    if "error" not in reply:
        return dict(reply["answer"])
    kind = getattr(errors, str(reply["error"]["kind"]), RekstreamError)
    is_ours = isinstance(kind, type) and issubclass(kind, RekstreamError)
    raise (kind if is_ours else RekstreamError)(str(reply["error"]["message"]))
