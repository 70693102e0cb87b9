"""Threads that answer the questions that others put to a process, such as that of people."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import redis

from pipeline.broker import Broker
from pipeline.errors import RekstreamError
from pipeline.requests import Request, Requests
from pipeline.texts import check_texts

log = logging.getLogger(__name__)

Answer = Callable[[Request], Mapping[str, Any]]
"""Answers one kind of question with what JSON can hold; raises RekstreamError, which whoever asked will meet."""

AT_ONCE = 8
TAKE_SECONDS = 0.5
PAUSE_SECONDS = 0.5


class Answering:
    """Answers AT_ONCE questions of a topic at a time until `stop` is set; Redis may come and go.

    A question with a text that no database takes is refused.

    `count` is told of each question: its name, and ok or the name of the error that it ended in.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        answers: Mapping[str, Answer],
        count: Callable[[str, str], None],
        may_serve: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._may_serve = may_serve
        self._topic = topic
        self._requests = Requests(broker, topic)
        self._answers = answers
        self._tell = count
        self._stop = stop
        self._threads = [threading.Thread(target=self._run, name=f"answering {n}", daemon=True) for n in range(AT_ONCE)]

    def start(self) -> None:
        """Begin to take questions."""
        for thread in self._threads:
            thread.start()

    def serve(self) -> None:
        """Let others know that questions are answered, while they are; called about once a second."""
        if self._may_serve() and not self._stop.is_set():
            self._requests.serve()

    def join(self, seconds: float) -> None:
        """Take no more questions, once the stop is set, and wait up to `seconds` for those that are being answered."""
        try:
            if self._may_serve():
                self._requests.close()
        except redis.RedisError as error:
            log.debug("left to expire: %s", error)
        for thread in self._threads:
            thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._may_serve():
                self._stop.wait(PAUSE_SECONDS)
                continue
            try:
                request = self._requests.take(TAKE_SECONDS)
                if request is not None:
                    self._serve(request)
            except redis.RedisError as error:
                log.debug("questions: %s", error)
                self._stop.wait(PAUSE_SECONDS)

    def _serve(self, request: Request) -> None:
        try:
            answer = self._answer(request)
        except RekstreamError as error:
            self._count(request, type(error).__name__)
            self._requests.refuse(request, error)
        except redis.RedisError as error:
            self._count(request, "redis")
            self._requests.refuse(request, RekstreamError(f"Redis went away meanwhile ({error}): ask again"))
        except Exception:  # the question's boundary: whoever asked shall not wait for nothing
            log.exception("%s failed", request.what)
            self._count(request, "fault")
            self._requests.refuse(request, RekstreamError(f"{request.what} failed by a fault of this program: see its log"))
        else:
            self._count(request, "ok")
            self._requests.answer(request, answer)

    def _answer(self, request: Request) -> Mapping[str, Any]:
        answer = self._answers.get(request.what)
        if answer is None:
            raise RekstreamError(
                f"the {self._topic} process does not know {request.what!r}: is it older than who asks? Start it again"
            )
        check_texts(request.members)
        return answer(request)

    def _count(self, request: Request, outcome: str) -> None:
        known = request.what if request.what in self._answers else "unknown"
        self._tell(known, outcome)
