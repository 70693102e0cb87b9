"""Jobs that wait for small limits hold few threads, and none is forgotten."""

from __future__ import annotations

from workers.turns import Turns


def test_so_many_are_let_in_and_the_others_follow_in_order() -> None:
    turns = Turns(2)
    jobs = [("cam:1", "a"), ("cam:2", "b"), ("cam:3", "c"), ("cam:4", "d")]
    assert [turns.enter(job) for job in jobs] == [True, True, False, False]
    assert [turns.leave() for _ in jobs] == [jobs[2], jobs[3], None, None]
    assert [turns.enter(job) for job in jobs] == [True, True, False, False]
