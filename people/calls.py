"""Calls of Rekognition by way of the workers, who keep the limits and hold the credentials.

Each call is a frame in a mailbox of its own, in front of the queue as a photo is, and is forgotten after its answer.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pipeline import keys
from pipeline.broker import Broker, is_loopback
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.clock import Clock
from pipeline.entities import Frame, Operation, Policy
from pipeline.errors import ProviderError
from pipeline.jobs import FrontQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import FLIGHT_SECONDS, Mailbox
from pipeline.presence import Process, living
from pipeline.results import Results

log = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
_BLOCK_SECONDS = 5.0  # below the socket's timeout
_PAGE = 200
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG that Rekognition takes; `width` and `height` are pixels of it upright."""

    data: bytes = field(repr=False)
    width: int
    height: int


NO_PICTURE = Picture(b"", 0, 0)


class CallError(ProviderError):
    """A call that failed: `kind` as in workers/rekognition.py, and `silent`, `no_worker` where there was no answer at all."""

    def __init__(self, message: str, kind: str = "server") -> None:
        super().__init__(message)
        self.kind = kind


def new_mailbox() -> str:
    """Return the id of a mailbox that nobody else has."""
    return f"{PHOTO_PREFIX}{uuid.uuid4().hex}"


class Calls:
    """Asks Rekognition; every method may raise redis.RedisError."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._quick: Any = broker.scripts
        self._blocking: Any = broker.jobs
        self._clock = clock
        self._mailbox = Mailbox(broker.scripts, FrontQueue(broker.jobs))
        self._results = Results(broker.scripts)

    def call(
        self, operation: Operation, options: Mapping[str, Any], picture: Picture = NO_PICTURE, mailbox: str = ""
    ) -> dict[str, Any]:
        """Return what Rekognition answers; raises CallError. `mailbox` is a new one's id, where somebody has to know it."""
        mailbox = mailbox or new_mailbox()
        after = self._results.last_id()
        try:
            self._offer(mailbox, operation, options, picture)
            entry, result = self._wait_for(mailbox, after)
        finally:
            self.forget(mailbox)
        self._results.redact(entry, mailbox, self._clock.now(), result)  # nobody else waits for it
        if result.get("error"):
            raise _failure(operation, result["error"])
        return result

    def scope(self) -> str | None:
        """Return who answers the living workers (`Provider.scope`), None while there is no worker."""
        workers = sorted(living(self._quick, "worker"), key=lambda process: -process.started_at)
        return next((str(found) for worker in workers if (found := worker.details.get("scope"))), None)

    def servers(self) -> set[str]:
        """Return where the living workers have local Rekognition servers: each keeps faces of its own."""
        return {place for worker in living(self._quick, "worker") if (place := _local_server(worker))}

    def forget(self, mailbox: str) -> None:
        """Take back a call that no worker has begun, and keep nothing of one that is over."""
        self._mailbox.forget(mailbox)

    def give_up(self, mailbox: str) -> None:
        """Take back a call, and wait until a worker that has begun it is done with it."""
        self.forget(mailbox)
        deadline = time.monotonic() + FLIGHT_SECONDS + 1
        while not self._mailbox.drained(mailbox) and time.monotonic() < deadline:
            threading.Event().wait(_LOOK_SECONDS)
        self.forget(mailbox)

    def _offer(self, mailbox: str, operation: Operation, options: Mapping[str, Any], picture: Picture) -> None:
        if not any(worker.details.get("alive") for worker in living(self._quick, "worker")):
            raise CallError("no worker is running, so nobody would ask Rekognition: start `rekstream work`", "no_worker")
        if operation != Operation.DETECT_FACES and len(servers := self.servers()) > 1:
            raise CallError(
                f"the workers ask {len(servers)} local Rekognition servers ({', '.join(sorted(servers))}), "
                "each with faces of its own: give all of them one with --endpoint-url",
                "split",
            )
        ledger = Ledger()
        frame = Frame(
            camera=mailbox,
            number=ledger.sample(),
            captured_at=self._clock.now(),
            jpeg=picture.data,
            width=picture.width,
            height=picture.height,
            attributes=("DEFAULT",),
            operation=operation,
            options=options,
        )
        self._mailbox.offer(frame, ledger.statement(frame.number), Policy.EVERY)

    def _wait_for(self, mailbox: str, after: str) -> tuple[bytes, dict[str, Any]]:
        """Return the id and the content of the mailbox's result; other cameras' are passed over unread."""
        name, deadline = mailbox.encode(), time.monotonic() + ANSWER_SECONDS
        last: bytes | str = after
        while (left := deadline - time.monotonic()) > 0:
            block = max(1, int(min(left, _BLOCK_SECONDS) * 1000))
            answer = self._blocking.xread({keys.RESULTS: last}, block=block, count=_PAGE)
            for last, values in _entries(answer):
                if values.get(b"camera") == name:
                    return bytes(last), dict(json.loads(values[b"result"]))
        raise CallError(f"Rekognition gave no answer within {ANSWER_SECONDS:g} s: are the workers busy? Try again", "silent")


def _local_server(worker: Process) -> str:
    """Return where the server is that a worker asks, '' for one that is not local; a loopback address is its machine's."""
    endpoint = str(worker.details.get("endpoint") or "")
    if not str(worker.details.get("scope", "")).startswith("local|") or not endpoint:
        return ""
    is_here = is_loopback(urlsplit(endpoint).hostname or "")
    return f"{endpoint} on {worker.host}" if is_here else endpoint


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    if not answer:
        return []
    return list(answer[0][1] if isinstance(answer, list) else next(iter(answer.values()))[0])


def _failure(operation: Operation, error: Mapping[str, Any]) -> CallError:
    message = str(error.get("Message", "")).rstrip(".")
    return CallError(f"Rekognition refused {operation} ({error.get('Code')}): {message}", str(error.get("Kind") or "request"))
