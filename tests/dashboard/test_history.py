"""Charts without Prometheus: what is kept of the processes' metrics, and that it is computed as Prometheus does."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, generate_latest

from dashboard.charts import CHARTS
from dashboard.history import SLOTS, History
from dashboard.plotter import LocalSource
from dashboard.queries import Grid, Level, Line, Quantile, Query, Rate, Times, Total
from dashboard.scraper import Scrape, figures
from pipeline.metrics import STAGES, WorkerMetrics
from tests.conftest import wait_until

CALLS = Rate("calls_total", ("outcome",))
ALL_CALLS = Rate("calls_total")
THREADS = Level("threads", ("state",))
MOST = Level("limit", together="max")
MEDIAN = Quantile(0.5, "age")


def history(*queries: Query, slots: int = SLOTS) -> History:
    return History([need for query in queries for need in query.needs(())], slots)


def scrape(values: dict[str, float], name: str = "a") -> Scrape:
    return Scrape(name, values)


def at(kept: History, query: Query, moment: float, window: float = 20.0) -> list[Line]:
    return query.lines(kept, {}, Grid(np.array([moment]), window))


def value(kept: History, query: Query, moment: float, window: float = 20.0) -> float:
    (line,) = at(kept, query, moment, window)
    return float(line.values[0])


def test_a_rate_is_the_growth_of_all_processes_together() -> None:
    """Two workers at 2 and 3 calls a second make 5."""
    kept = history(ALL_CALLS)
    for moment in range(0, 30, 5):
        kept.add(moment, [scrape({"calls_total": 2.0 * moment}, "a"), scrape({"calls_total": 100 + 3.0 * moment}, "b")])
    assert value(kept, ALL_CALLS, 25) == pytest.approx(5.0)
    assert value(kept, Times(60, ALL_CALLS), 25) == pytest.approx(300.0)


def test_a_counter_that_fell_began_anew_in_its_process() -> None:
    """A process that began again at 0 and counts 10 since then grew by 10, whatever the others did."""
    kept = history(ALL_CALLS)
    kept.add(0, [scrape({"calls_total": 500}, "a"), scrape({"calls_total": 20}, "b")])
    kept.add(10, [scrape({"calls_total": 10}, "a"), scrape({"calls_total": 30}, "b")])
    assert value(kept, ALL_CALLS, 10, 10) == pytest.approx(2.0)


def test_a_process_that_is_new_counts_from_its_first_sample_on() -> None:
    """What it counted before nobody can place in time; a series that is new in a known process began at 0."""
    kept = history(CALLS)
    kept.add(0, [scrape({'calls_total{outcome="ok"}': 5})])
    known = {'calls_total{outcome="ok"}': 15.0, 'calls_total{outcome="bad"}': 3.0}
    kept.add(10, [scrape(known), scrape({'calls_total{outcome="ok"}': 9_000}, "new")])
    kept.add(20, [scrape(known), scrape({'calls_total{outcome="ok"}': 9_020}, "new")])
    lines = {line.labels["outcome"]: float(line.values[0]) for line in at(kept, CALLS, 20, 20)}
    assert lines["ok"] == pytest.approx(30 / 20)
    growth = kept.grouped("calls_total", ("outcome",), {})[("bad",)]
    assert growth.tolist() == [0.0, 3.0, 0.0], "it stood at 0 when the process was seen without it"
    assert lines["bad"] == pytest.approx(3 / 20)


def test_a_process_that_does_not_answer_for_a_while_loses_no_count() -> None:
    """Its counters stand where they stood, and it is named as not reached."""
    kept = history(ALL_CALLS)
    kept.add(0, [scrape({"calls_total": 0})])
    kept.add(5, [Scrape("a", None)])
    assert kept.unreached == ["a"]
    kept.add(10, [scrape({"calls_total": 40})])
    assert kept.unreached == []
    assert value(kept, ALL_CALLS, 10, 10) == pytest.approx(4.0)


def test_a_process_that_babbles_spoils_nobody_elses_figures() -> None:
    """What is no series, or a bucket without a bound, is not taken; the process is named as one that could not be read."""
    kept = history(ALL_CALLS, MEDIAN)
    for moment, babble in ((0, "calls_total{"), (5, 'age_bucket{le="much"}'), (10, 'calls_total{a="b')):
        kept.add(moment, [scrape({"calls_total": 7.0, babble: 1.0}, "b"), scrape({"calls_total": 2.0 * moment}, "a")])
        assert kept.unreached == ["b"]
    assert value(kept, ALL_CALLS, 10, 10) == pytest.approx(2.0)
    assert kept.bounds("age_bucket") == []


def test_a_process_that_makes_up_ever_new_series_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one may tell at once are no metrics; what is remembered of earlier ones is bounded, too."""
    monkeypatch.setattr("dashboard.scraper.MOST_SERIES", 10)
    monkeypatch.setattr("dashboard.history.MOST_SERIES", 10)
    with pytest.raises(ValueError, match="more than 10 series"):
        figures("\n".join(f'calls_total{{a="{number}"}} 1' for number in range(11)), {"calls_total"})
    kept = history(ALL_CALLS)
    for moment in range(20):
        kept.add(moment, [scrape({f'calls_total{{a="{moment}.{number}"}}': 1.0 for number in range(10)})])
    assert sum(map(len, kept._before.values())) <= 10


def test_a_quantile_is_interpolated_within_its_bucket_as_prometheus_does() -> None:
    """10 below 0.1, 30 from 0.1 to 0.2, none above: the median lies at a third of the second bucket."""
    kept = history(MEDIAN)
    for moment, times in ((0, 0), (10, 1)):
        buckets = {"0.1": 10.0, "0.2": 40.0, "0.5": 40.0, "+Inf": 40.0}
        kept.add(moment, [scrape({f'age_bucket{{le="{le}"}}': times * count for le, count in buckets.items()})])
    assert value(kept, MEDIAN, 10, 10) == pytest.approx(0.1 + 0.1 / 3)
    assert value(kept, Quantile(0.1, "age"), 10, 10) == pytest.approx(0.04)
    assert value(kept, Total(MEDIAN), 10, 10) == pytest.approx(0.1 + 0.1 / 3)


def test_a_bucket_into_which_nothing_fell_still_bounds_the_next() -> None:
    """All from 0.1 to 0.2: the median is 0.15, not 0.1; beyond the last bound only the bound is known."""
    kept = history(MEDIAN)
    for moment, count in ((0, 0.0), (10, 8.0)):
        kept.add(moment, [scrape({'age_bucket{le="0.1"}': 0, 'age_bucket{le="0.2"}': count, 'age_bucket{le="+Inf"}': count})])
    assert value(kept, MEDIAN, 10, 10) == pytest.approx(0.15)
    kept.add(20, [scrape({'age_bucket{le="0.1"}': 0, 'age_bucket{le="0.2"}': 8, 'age_bucket{le="+Inf"}': 20})])
    assert value(kept, MEDIAN, 20, 10) == pytest.approx(0.2)


def test_no_observation_is_no_value() -> None:
    """Where nothing was measured there is a gap, not a nought."""
    kept = history(MEDIAN, THREADS, ALL_CALLS)
    kept.add(0, [scrape({"calls_total": 4, 'threads{state="idle"}': 2})])
    assert at(kept, MEDIAN, 0) == []
    assert math.isnan(value(kept, ALL_CALLS, 0))
    kept.add(5, [scrape({"calls_total": 4})])
    kept.add(10, [scrape({"calls_total": 4})])
    assert value(kept, ALL_CALLS, 10) == 0
    assert value(kept, THREADS, 4) == 2
    assert math.isnan(value(kept, THREADS, 5)), "a gauge is gone with its process"
    assert math.isnan(value(kept, ALL_CALLS, 60)), "nothing was read for longer than the window"


def test_gauges_of_several_processes_are_added_or_the_largest_counts() -> None:
    """Threads add up; a limit that all tell is one."""
    kept = history(THREADS, MOST)
    kept.add(0, [scrape({'threads{state="idle"}': 2, "limit": 7}, "a"), scrape({'threads{state="idle"}': 3, "limit": 5}, "b")])
    assert value(kept, THREADS, 0) == 5
    assert value(kept, MOST, 0) == 7


def test_only_samples_of_the_last_hour_are_kept() -> None:
    """After the ring is full the oldest go, and times still rise."""
    kept = history(ALL_CALLS, slots=10)
    for moment in range(25):
        kept.add(float(moment), [scrape({"calls_total": 2.0 * moment})])
    assert list(kept.times()) == [float(moment) for moment in range(15, 25)]
    assert value(kept, ALL_CALLS, 24, 5) == pytest.approx(2.0)


def test_a_clock_that_was_set_back_begins_the_charts_anew() -> None:
    """Samples of a future that is not, would hide those of now for as long as they are kept."""
    kept = history(ALL_CALLS)
    for moment in (5000, 5005, 100, 110):
        kept.add(float(moment), [scrape({"calls_total": 3.0 * (moment % 5000)})])
    assert kept.times().tolist() == [100, 110]
    assert value(kept, ALL_CALLS, 110, 10) == pytest.approx(3.0)


def test_what_is_gone_for_an_hour_is_forgotten() -> None:
    """Cameras that come and go do not fill the memory."""
    kept = history(Level("fps", ("camera",)), slots=10)
    for moment in range(40):
        kept.add(float(moment), [scrape({f'fps{{camera="cam{moment}"}}': 25.0})])
    assert kept.rows() < 22


def test_a_metric_cannot_be_put_together_in_two_ways() -> None:
    """One row cannot hold the sum and the largest."""
    with pytest.raises(ValueError, match="limit is put together as"):
        history(MOST, Level("limit"))


class Busy(History):
    """A history to which another thread adds just when it is asked for its times."""

    def times(self) -> NDArray[np.float64]:
        thread = threading.Thread(target=self.add, args=(99.0, [AGES]))
        thread.start()
        thread.join(0.1)
        return super().times()


AGES = scrape({f'age_bucket{{le="{bound}"}}': 5.0 for bound in ("0.1", "0.2", "+Inf")})


def test_samples_that_come_while_a_chart_is_computed_wait_for_it() -> None:
    """All that a query asks is of the same times."""
    kept = Busy(MEDIAN.needs(()))
    for moment in (0.0, 5.0):
        kept.add(moment, [AGES])
    (line,) = LocalSource(kept).lines(MEDIAN, None, Grid(np.array([5.0]), 20.0))
    assert math.isnan(line.values[0])
    wait_until(lambda: kept.rows() and History.times(kept).tolist() == [0, 5, 99])


def forty_cameras() -> Iterator[str]:
    """Yield what a worker that serves 40 cameras says, time after time."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    chance = np.random.default_rng(1)
    typical = dict(zip(STAGES, (0.004, 0.03, 0.01, 0.03, 0.3, 0.002), strict=True))
    while True:
        for camera in range(40):
            for stage, seconds in typical.items():
                for spread in chance.lognormal(0, 0.5, 5):
                    metrics.stage_seconds.labels(f"camera{camera}", stage).observe(seconds * spread)
            metrics.result_age_seconds.labels(f"camera{camera}").observe(0.38 * chance.lognormal(0, 0.3))
        yield generate_latest(registry).decode()


def test_forty_cameras_take_as_much_memory_as_the_docs_say_however_many_workers_there_are() -> None:
    """Rows belong to cameras, not to processes, and take 14 MB at most."""
    texts = forty_cameras()
    one, four = (History(need for chart in CHARTS for need in chart.needs()) for _ in range(2))
    for moment in range(3):
        said = figures(next(texts), one.metrics)
        one.add(moment * 5.0, [Scrape("worker", said)])
        four.add(moment * 5.0, [Scrape(f"worker {number}", said) for number in range(4)])
    assert one.rows() == four.rows()
    assert one.rows() * SLOTS * 4 < 14e6
