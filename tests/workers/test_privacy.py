"""In privacy no face is kept: neither by workers that were told, nor by those that join, nor when anything fails."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pipeline.broker import Broker
from pipeline.entities import Frame, Policy, Purpose
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.provider import Provider
from pipeline.results import Results
from pipeline.settings import load
from pipeline.shared import Privacy, Shared, SharedSettings
from tests.conftest import wait_until
from tests.dashboard.support import picture
from tests.endpoint import FACE, Endpoint
from tests.workers.test_pool import worker
from workers.privacy import NOTHING, kept_instead

JPEG = picture()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        yield server


def share(broker: Broker, *, privacy: bool) -> None:
    settings = load(privacy=privacy)
    SharedSettings(broker.scripts).write(Shared.of(settings, Provider.of(settings)))


def frame(camera: str = "a", **members: object) -> Frame:
    return Frame(camera, 1, time.time(), JPEG, 320, 240, **members)  # type: ignore[arg-type]  # by name


def everything(broker: Broker) -> list[bytes]:
    """Return whatever Redis holds in hashes: mailboxes, frames in hand, newest pictures."""
    names = [name for name in broker.scripts.keys("*") if broker.scripts.type(name) == b"hash"]  # type: ignore[union-attr]
    return [value for name in names for value in broker.scripts.hvals(name)]  # type: ignore[union-attr]


def test_it_is_on_until_redis_says_otherwise_and_stays_what_it_was_when_redis_is_emptied(broker: Broker) -> None:
    privacy = Privacy(broker.scripts, told=False)
    assert privacy.is_on
    privacy.look()
    assert not privacy.is_on
    share(broker, privacy=True)
    privacy.look()
    assert privacy.is_on
    broker.scripts.flushall()
    privacy.look()
    assert privacy.is_on
    share(broker, privacy=False)
    privacy.look()
    assert not privacy.is_on


def test_who_was_told_does_not_ask(broker: Broker) -> None:
    share(broker, privacy=False)
    privacy = Privacy(broker.scripts, told=True)
    privacy.look()
    assert privacy.is_on


def test_what_cannot_be_covered_is_not_kept(broker: Broker) -> None:
    on = Privacy(broker.scripts, told=True)
    assert kept_instead(on, Purpose.TEST, frame(), {"FaceDetails": [FACE]}) not in (None, NOTHING, JPEG)
    assert kept_instead(on, Purpose.TEST, frame(operation="DetectLabels"), {"Labels": []}) == NOTHING
    for response in ({}, {"FaceDetails": [1]}, {"FaceDetails": [{}]}, {"FaceDetails": [{"BoundingBox": {"Left": "x"}}]}):
        assert kept_instead(on, Purpose.TEST, frame(), response) == NOTHING
    assert kept_instead(on, Purpose.TEST, Frame("a", 1, 0.0, b"no jpeg", 320, 240), {"FaceDetails": [FACE]}) == NOTHING


def test_nothing_changes_without_privacy(broker: Broker) -> None:
    off = Privacy(broker.scripts, told=False)
    off.look()
    assert kept_instead(off, Purpose.TEST, frame(), {"FaceDetails": [FACE]}) is None


@pytest.mark.parametrize("kept", [b"", b"covered"])
def test_the_mailbox_keeps_what_it_is_given_in_place_of_the_frame(broker: Broker, kept: bytes) -> None:
    mailbox, ledger = Mailbox(broker.scripts, JobQueue(broker.jobs)), Ledger()
    mailbox.offer(frame(), ledger.statement(ledger.sample()), Policy.LATEST)
    token = broker.scripts.hget("rekstream:box:a", "token")
    taken = mailbox.take("a", token.decode())  # type: ignore[union-attr]  # redis-py types it as sync-or-async
    assert taken
    mailbox.finish(taken, "analysed", {"seq": 1, "captured_at": 1.0, "width": 1, "height": 1}, kept)
    newest = Results(broker.scripts).newest_frame("a")
    assert (newest.jpeg if newest else b"") == kept
    assert not any(JPEG in value for value in everything(broker))


def test_a_worker_that_joins_follows_and_keeps_only_what_is_covered(broker: Broker, endpoint: Endpoint) -> None:
    """A failed analysis keeps no picture in any case."""
    share(broker, privacy=True)
    endpoint.behave = lambda number: "ok" if number == 1 else "picture"
    mailbox, ledger = Mailbox(broker.scripts, JobQueue(broker.jobs)), Ledger()
    with worker(broker._url, endpoint.url):
        for camera in ("a", "b"):
            mailbox.offer(frame(camera), Ledger().statement(ledger.sample()), Policy.LATEST)
            wait_until(lambda camera=camera: Results(broker.scripts).latest(1, camera))
        newest = [Results(broker.scripts).newest_frame(camera) for camera in ("a", "b")]
    assert newest[0]
    assert newest[0].jpeg != JPEG
    assert newest[0].jpeg.startswith(b"\xff\xd8\xff")
    assert newest[1] is None
    assert not any(JPEG in value for value in everything(broker))
