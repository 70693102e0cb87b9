"""The simulation agrees with what was measured on real cameras, workers and a strict server, and with plain arithmetic."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from dashboard.simulation import Scene, Source, Stages, quantile, simulate

DRAWN = random.Random(3)
LIKE_THE_BENCH = tuple(Stages(0.003, 0.004, 0.303 * DRAWN.lognormvariate(0, 0.15), 0.002) for _ in range(300))
STEADY = (Stages(0.0, 0.0, 0.1, 0.0),)


@pytest.mark.parametrize(
    ("rates", "allowed", "threads", "per_second", "p50", "p95"),
    [
        ((15.0,) * 8, 20, 24, 20.0, 0.351, 0.438),
        ((15.0,), 20, 24, 15.1, 0.318, 0.389),
        ((15.0,) + (0.5,) * 7, 20, 24, 16.3, 0.333, 0.484),
        ((2.0,) * 40, 50, 40, 49.1, 0.577, 0.816),
        ((15.0,) * 8, 100, 64, 99.7, 0.348, 0.443),
    ],
)
def test_it_comes_out_as_docs_benchmarks_measured_it(
    rates: tuple[float, ...], allowed: float, threads: int, per_second: float, p50: float, p95: float
) -> None:
    """The rows of late binding in docs/benchmarks.md, with only the service's times given."""
    scene = Scene(tuple(map(Source, rates)), threads, allowed, LIKE_THE_BENCH, overhead=0.004)
    outcome = simulate(scene, 20.0)
    assert outcome.results_per_second == pytest.approx(per_second, rel=0.1)
    assert quantile(outcome.ages, 0.5) == pytest.approx(p50, rel=0.06)
    assert quantile(outcome.ages, 0.95) == pytest.approx(p95, rel=0.12)


def test_no_more_is_answered_than_threads_cores_limit_or_cameras_allow() -> None:
    plenty = Scene((Source(20.0),) * 4, threads=100, allowed=1000.0, stages=STEADY)
    for scene, most in (
        (plenty, 80.0),
        (replace(plenty, allowed=30.0), 30.0 * 0.995),
        (replace(plenty, threads=4), 40.0),
        (replace(plenty, threads=4, overhead=0.1), 20.0),
        (replace(plenty, cores=2), 20.0),
        (replace(plenty, cores=2, delay=0.09), 80.0),
    ):
        assert simulate(scene, 20.0).results_per_second == pytest.approx(most, rel=0.05)


def test_uploads_that_share_a_link_go_one_after_another() -> None:
    scene = Scene((Source(20.0),) * 4, 100, 1000.0, (Stages(0.0, 0.1, 0.1, 0.0),), fixed_upload=0.02, shared_link=True)
    assert simulate(scene, 20.0).results_per_second == pytest.approx(1 / 0.08, rel=0.05)
    halved = replace(scene, sources=(Source(20.0, bytes_factor=0.5),) * 4)
    assert simulate(halved, 20.0).results_per_second == pytest.approx(1 / 0.04, rel=0.05)


def test_a_lone_frame_is_as_old_as_its_stages_are_long() -> None:
    scene = Scene((Source(1.0),), 4, 100.0, (Stages(0.01, 0.02, 0.3, 0.005),), overhead=0.004)
    ages = simulate(scene, 30.0).ages
    assert ages[0] == pytest.approx(0.339) == pytest.approx(ages[-1])


def test_the_same_scene_ends_in_the_same_and_costs_little() -> None:
    scene = Scene((Source(15.0),) * 8, 64, 100.0, LIKE_THE_BENCH)
    began = time.process_time()
    first = simulate(scene, 10.0)
    assert time.process_time() - began < 0.15
    assert simulate(scene, 10.0) == first


@pytest.mark.parametrize(("share", "value"), [(0.5, 2.0), (0.95, 4.0), (0.25, 1.0), (0.0, 1.0)])
def test_quantiles_are_values(share: float, value: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share) == value
    assert quantile([], share) == 0.0
