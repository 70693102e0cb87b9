"""Ages and stages: percentiles within 2 % of any mixture, however the results come in."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.latency import AGE, SLOT, Sketch, Sketches, latency, latency_between, merged
from history.schema import minutes
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.prices import built_in
from rekstream.report.figures import Period, figures_of
from rekstream.report.page import page
from tests.conftest import wait_until
from tests.history.support import history_process, publish, rows

AT = 1_795_000_210


def sketch_of(seconds: Sequence[float]) -> Sketch:
    sketch = Sketch()
    for one in seconds:
        sketch.add(one)
    return sketch


def exact(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[max(1, math.ceil(share * len(seconds))) - 1]


@given(st.lists(st.floats(0.0005, 600), min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_right_within_two_percent(seconds: list[float], share: float) -> None:
    assert sketch_of(seconds).percentile(share) == pytest.approx(exact(seconds, share), rel=0.0201)


def test_parts_say_together_what_the_whole_says() -> None:
    times = [random.Random(1).lognormvariate(-1, 0.8) for _ in range(500)]
    parts = [Sketches.unpacked(packed(times[start : start + 50])) for start in range(0, 500, 50)]
    whole, together = sketch_of(times), merged(parts)[AGE]
    assert (together.count, together.longest, together.buckets) == (500, max(times), whole.buckets)
    assert together.mean == pytest.approx(sum(times) / 500)


def packed(seconds: Sequence[float]) -> bytes:
    sketches = Sketches()
    sketches[AGE].merge(sketch_of(seconds))
    return sketches.packed()


def test_nothing_has_no_percentile() -> None:
    assert (Sketch().percentile(0.5), Sketch().mean) == (None, None)


def test_times_that_are_none_count_as_no_time() -> None:
    sketches = Sketches()
    sketches.hear(Result("1-0", "door", 1, 10.0, 9.0, 1, 1, "local", stages={"queue": float("nan"), "limit": -1.0}))
    assert [sketches[name].sum for name in (AGE, "queue", "limit")] == [0.0, 0.0, 0.0]
    assert sketches[AGE].percentile(0.5) == 0.0


def test_both_databases_put_batches_together_by_slot_and_camera(broker: Broker, tmp_path: Path, url: str) -> None:
    """Also what a report makes of them."""
    with history_process(broker, tmp_path, database=url) as process:
        for batch in range(2):
            for camera, ago in (("door", 0.2), ("hall", 0.4), ("door", 0.6)):
                publish(broker, camera, at=AT + batch - ago, provider="aws us-east-1", stages={"service": ago})
            wait_until(lambda batch=batch: sum(row["calls"] for row in rows(process, minutes)) == 3 * (batch + 1))
        assert len(rows(process, latency)) == 2
        with process.database.reading() as connection:
            door = latency_between(connection, AT - SLOT, AT + SLOT, ["door"])
            found = figures_of(connection, Period.around(AT - 3600, AT + 3600, AT + 7200), built_in(), "us-east-1")
    (sketches,) = door.values()
    assert (sketches["service"].count, sketches["service"].sum, sketches["service"].longest) == (4, 1.6, 0.6)
    assert (found.latency_of_all["service"].count, found.total.results, list(found.cameras)) == (6, 6, ["door", "hall"])
    assert found.presence["door"] == {1_795_000_200: 0.2}  # one minute of five
    assert page(found).startswith("<!DOCTYPE html>")
