"""Jobs that wait for small limits hold few threads, and none is forgotten."""

from __future__ import annotations

import threading
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import redis

from pipeline.keys import labels_mailbox
from workers.analyze import Analyzer
from workers.pool import places_of_searches
from workers.turns import LABELS_PLACES, Turns, TurnsByKind

JOBS = [("cam:1", "a"), ("cam:2", "b"), ("cam:3", "c"), ("cam:4", "d")]


def test_so_many_are_let_in_and_the_others_follow_in_order() -> None:
    turns = Turns(2)
    assert [turns.enter(job) for job in JOBS] == [True, True, False, False]
    assert [turns.leave() for _ in JOBS] == [JOBS[2], JOBS[3], None, None]
    assert [turns.enter(job) for job in JOBS] == [True, True, False, False]


def test_who_waits_keeps_its_lease_and_what_is_stale_waits_no_more() -> None:
    turns = Turns(1)
    for job in JOBS:
        turns.enter(job)
    held: list[str] = []
    turns.renew(lambda camera, token: held.append(camera) or (None if token == "c" else "SearchFacesByImage"))
    assert held == ["cam:2", "cam:3", "cam:4"]
    assert turns.waiting() == [JOBS[1], JOBS[3]]


def test_the_line_is_no_longer_than_there_are_mailboxes() -> None:
    turns = Turns(1)
    turns.enter(("cam:1", "a"))
    for token in "bcdefg":
        turns.enter(("cam:2", token))
    assert turns.waiting() == [("cam:2", "g")]


def test_a_job_that_breaks_off_gives_its_turn_back() -> None:
    """Redis hiccups once while others wait in line: they are served, and so is who comes later."""
    broken, served = [True], []

    class Hiccups:
        def hold(self, camera: str, token: str) -> None:
            if broken:
                broken.pop()
                analyzer.analyze("cam:9", "z")  # meanwhile another one gets in line
                raise redis.ConnectionError("gone for a moment")
            served.append(camera)

    nothing: Any = SimpleNamespace(now=lambda: 0.0)
    parts = {field.name: nothing for field in fields(Analyzer)}
    analyzer = Analyzer(**{**parts, "mailbox": Hiccups(), "turns": TurnsByKind(1)})
    for number in range(4):
        analyzer.analyze(f"cam:{number}", "a")
    assert served == ["cam:9", "cam:1", "cam:2", "cam:3"]
    assert analyzer.turns.waiting() == []


def test_labels_that_are_held_back_stop_no_search() -> None:
    """Their operation may be denied, or slow: the one thread that waits for it is not one of those that search."""
    held_back, served = threading.Event(), []

    class Held:
        def hold(self, camera: str, token: str) -> None:
            if camera == labels_mailbox("cam"):
                waits.set()
                held_back.wait(10)
            served.append(camera)

    waits = threading.Event()
    nothing: Any = SimpleNamespace(now=lambda: 0.0)
    parts = {field.name: nothing for field in fields(Analyzer)}
    analyzer = Analyzer(**{**parts, "mailbox": Held(), "turns": TurnsByKind(1)})
    thread = threading.Thread(target=analyzer.analyze, args=(labels_mailbox("cam"), "a"))
    thread.start()
    assert waits.wait(10)
    analyzer.analyze(labels_mailbox("yard"), "b")
    analyzer.analyze("cam:1", "c")
    assert served == ["cam:1"]
    assert analyzer.turns.waiting() == [(labels_mailbox("yard"), "b")]
    held_back.set()
    thread.join()
    assert served == ["cam:1", labels_mailbox("cam"), labels_mailbox("yard")]


def test_of_three_threads_and_more_some_stay_for_the_cameras() -> None:
    for threads in (3, 4, 8, 64):
        assert 1 <= places_of_searches(threads) + LABELS_PLACES < threads
    assert places_of_searches(4) == 2  # two who come together are searched together
