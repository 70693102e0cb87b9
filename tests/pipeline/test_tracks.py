"""What is kept of people in Redis: changed by one at a time, for minutes, and gone then."""

from __future__ import annotations

import json
import threading
import time

import pytest

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy, TakenFrame
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.tracks import (
    FACE_SECONDS,
    STATE_SECONDS,
    Contended,
    Faces,
    FaceView,
    TrackStates,
    camera_of_track,
    enrolled,
    track_id,
)


def test_of_many_workers_each_change_counts_once(broker: Broker) -> None:
    states = TrackStates(broker.scripts)

    def count() -> None:
        for _ in range(20):
            states.change("cam", lambda state: str(int(state or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broker.scripts.hget(keys.tracks("cam"), "state") == b"120"


def test_who_was_second_looks_again_at_what_the_first_made_of_it(broker: Broker) -> None:
    first, second = TrackStates(broker.scripts), TrackStates(broker.scripts)
    seen: list[str | None] = []

    def step(state: str | None) -> str:
        seen.append(state)
        if len(seen) == 1:
            first.change("cam", lambda before: "theirs")
        return "mine"

    second.change("cam", step)
    assert seen == [None, "theirs"]


def test_a_step_that_changes_nothing_writes_nothing(broker: Broker) -> None:
    TrackStates(broker.scripts).change("cam", lambda state: None)
    assert not broker.scripts.exists(keys.tracks("cam"))


def test_whoever_is_never_first_gives_up_with_a_sentence(broker: Broker) -> None:
    states = TrackStates(broker.scripts)

    def step(state: str | None) -> str:
        states.change("cam", lambda before: "theirs")
        return "mine"

    with pytest.raises(Contended, match="the tracks of cam were changed 50 times by others"):
        states.change("cam", step)


def test_all_of_it_expires(broker: Broker) -> None:
    TrackStates(broker.scripts).change("cam", lambda state: "x")
    Faces(broker.scripts).keep("cam-1", FaceView("cam", 1.0, 0.5, 80.0))
    assert 0 < broker.scripts.ttl(keys.tracks("cam")) <= STATE_SECONDS
    assert 0 < broker.scripts.ttl(keys.face("cam-1")) <= FACE_SECONDS


def test_a_view_is_read_as_it_was_kept_and_replaces_the_one_before(broker: Broker) -> None:
    faces = Faces(broker.scripts)
    box = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
    view = FaceView("front_door", 1_795_000_000.25, 0.75, 88.5, box, b"jpeg", bytes(512))
    faces.keep("front_door-7", view)
    assert faces.of("front_door-7") == view
    assert faces.vector_of("front_door-7") == bytes(512)
    without = FaceView("front_door", 1_795_000_001.0, 0.8, 90.0, box)
    faces.keep("front_door-7", without)
    assert faces.of("front_door-7") == without  # the picture of before is gone: perhaps none may be kept any more
    broker.scripts.expire(keys.face("front_door-7"), 5)
    faces.keep_on("front_door-7")
    assert broker.scripts.ttl(keys.face("front_door-7")) > 5
    faces.forget("front_door-7")
    assert faces.of("front_door-7") is None
    assert faces.vector_of("front_door-7") == b""


def test_a_track_names_its_camera_whatever_that_is_called() -> None:
    assert camera_of_track(track_id("front-door-2", 17)) == "front-door-2"


@pytest.mark.parametrize("told", [None, "", "{}", "[]", "x", '{"collection": "a", "people": 0, "show": 80}'])
def test_nobody_is_searched_where_nobody_is_enrolled_or_nobody_tells(broker: Broker, told: str | None) -> None:
    if told is not None:
        broker.scripts.set(keys.PEOPLE, told)
    assert enrolled(broker.scripts) is None


def test_who_is_enrolled_is_what_the_people_process_told(broker: Broker) -> None:
    broker.scripts.set(keys.PEOPLE, json.dumps({"collection": "staff", "people": 3, "show": 80, "changed": 5.5, "later": 1}))
    known = enrolled(broker.scripts)
    assert known is not None
    assert (known.collection, known.people, known.show, known.changed) == ("staff", 3, 80.0, 5.5)


def test_of_a_thousand_tracks_nothing_stays(broker: Broker) -> None:
    """Served, lost with their worker, or finished when nobody waits for them any more: what they leave expires."""
    mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
    late: list[TakenFrame] = []
    for number in range(1000):
        box, ledger = keys.mailbox_of("cam", number), Ledger()
        mailbox.offer(Frame(box, ledger.sample(), time.time(), b"jpeg", 100, 100), ledger.statement(), Policy.LATEST)
        token = (broker.scripts.hget(keys.box(box), "token") or b"").decode()
        taken = mailbox.take(box, token, seconds=-1.0 if number % 10 == 0 else 15.0)
        assert taken is not None
        if number % 10 == 0:
            late.append(taken)
        else:
            mailbox.finish(taken, "analysed", {"seq": 1}, b"")
        Faces(broker.scripts).keep(track_id("cam", number), FaceView("cam", 1.0, 0.5, 80.0))
    mailbox.sweep()
    assert mailbox.cameras() == []
    for taken in late[::2]:
        assert not mailbox.finish(taken, "analysed", {"seq": 1}, b"").counted
    broker.scripts.delete(keys.RESULTS, QUEUE_KEY, "rq:queues")
    broker.scripts.delete(*broker.scripts.keys("rq:job:*"))  # no worker took them off RQ's books in this test
    assert [key for key in broker.scripts.scan_iter() if broker.scripts.ttl(key) < 0] == []
    assert len(broker.scripts.keys(keys.counts("*"))) == len(late[::2])  # of those who came late; they expire


def test_what_a_camera_derives_otherwise_keeps_its_counts(broker: Broker) -> None:
    mailbox, ledger = Mailbox(broker.scripts, JobQueue(broker.jobs)), Ledger()
    box = keys.labels_mailbox("cam")
    mailbox.offer(Frame(box, ledger.sample(), time.time(), b"jpeg", 100, 100), ledger.statement(), Policy.LATEST)
    taken = mailbox.take(box, (broker.scripts.hget(keys.box(box), "token") or b"").decode())
    assert taken is not None
    mailbox.finish(taken, "analysed", {"seq": 1}, b"")
    mailbox.sweep()
    assert mailbox.balance(box).analysed == 1
    assert broker.scripts.ttl(keys.counts(box)) == -1


def test_a_job_of_a_track_that_waits_in_the_queue_is_not_taken_for_lost(broker: Broker) -> None:
    mailbox, ledger = Mailbox(broker.scripts, JobQueue(broker.jobs)), Ledger()
    box = keys.mailbox_of("cam", 5)
    mailbox.offer(Frame(box, ledger.sample(), time.time(), b"jpeg", 100, 100), ledger.statement(), Policy.LATEST)
    broker.scripts.hset(keys.box(box), "since", 1)  # minutes pass
    mailbox.sweep()
    assert broker.scripts.llen(QUEUE_KEY) == 1
    assert mailbox.balance(box).reenqueued == 0
