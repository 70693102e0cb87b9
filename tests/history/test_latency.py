"""Ages and stages: percentiles within 2 % of any mixture, however the results come in."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.latency import AGE, Sketch, Sketches, merged
from pipeline.entities import Result


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
