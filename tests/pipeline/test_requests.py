"""Questions between processes: answered or refused by name, bounded, and gone when nobody took them."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline import keys, requests
from pipeline.broker import Broker
from pipeline.errors import PeopleAway, PersonExists, ProviderError, SettingsError
from pipeline.requests import Requests


class _OfARoom(ProviderError):
    """An error that only the other side knows."""


def _answering(broker: Broker, error: Exception | None = None) -> threading.Thread:
    """Answer the next question with its own members, or with an error."""

    def answer() -> None:
        there = Requests(broker)
        while (request := there.take(1)) is None:
            pass
        there.refuse(request, error) if error else there.answer(request, {**request.members, "who": request.who})  # type: ignore[arg-type]  # ours

    there = Requests(broker)
    there.serve()
    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_an_answer_comes_back_and_nothing_stays(broker: Broker) -> None:
    thread = _answering(broker)
    assert Requests(broker).ask("people.list", {"a": 1}, "token") == {"a": 1, "who": "token"}
    thread.join()
    assert broker.scripts.keys() == [keys.serving("people").encode()]


@pytest.mark.parametrize(
    ("error", "kind"), [(PersonExists("twice"), PersonExists), (_OfARoom("not now"), ProviderError)], ids=["known", "unknown"]
)
def test_an_error_comes_back_as_the_nearest_kind_that_both_sides_know(
    broker: Broker, error: Exception, kind: type[Exception]
) -> None:
    thread = _answering(broker, error)
    with pytest.raises(kind, match=str(error)):
        Requests(broker).ask("people.add")
    thread.join()


def test_nobody_waits_for_nobody(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Requests(broker)
    began = time.monotonic()
    with pytest.raises(PeopleAway, match="is not running"):
        Requests(broker).ask("people.list")
    assert time.monotonic() - began < 1
    there.serve()
    with pytest.raises(PeopleAway, match=r"did not answer within 0\.1 s"):
        Requests(broker).ask("people.list", seconds=0.1)
    assert there.take(0.01) is None  # what nobody waits for is not begun
    monkeypatch.setattr(requests, "MOST_WAITING", 0)
    with pytest.raises(PeopleAway, match="wait for the people process already"):
        Requests(broker).ask("people.list")


def test_a_question_has_bounds(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_BYTES", 100)
    with pytest.raises(SettingsError, match="too much for one question"):
        Requests(broker).ask("people.add", {"pictures": "x" * 100})
