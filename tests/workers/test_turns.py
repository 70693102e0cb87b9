"""Jobs that wait for small limits hold few threads, and none is forgotten."""

from __future__ import annotations

from workers.turns import Turns

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
