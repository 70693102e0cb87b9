"""Metrics that stand in Redis already, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard import frames
from pipeline.archive_ledger import KILLED, ArchiveLedger
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.jobs import JobQueue
from pipeline.mailbox import Mailbox
from pipeline.presence import living
from pipeline.spending import Purse, Spending


class FrameCollector(Collector):
    """Tells Prometheus the frame counters of all cameras, the queue and the workers; may raise redis.RedisError."""

    def __init__(self, broker: Broker, clock_error: Callable[[], float]) -> None:
        self._connection = broker.scripts
        self._clock_error = clock_error
        self._registry = CameraRegistry(broker.scripts)
        self._jobs = JobQueue(broker.jobs)
        self._mailbox = Mailbox(broker.scripts, self._jobs)
        self._purse = Purse(broker.scripts)
        self._archive = ArchiveLedger(broker.scripts)

    def collect(self) -> Iterator[Metric]:
        """Read the counters now."""
        counters = frames.balances(self._mailbox, [camera.id for camera in self._registry.all()])
        yield from _frame_families(counters)
        yield GaugeMetricFamily("rekstream_queue_length", "Jobs that no worker thread has taken yet", value=len(self._jobs))
        yield GaugeMetricFamily(
            "rekstream_worker_processes", "Worker processes alive", value=len(living(self._connection, "worker"))
        )
        yield _lost_family(self._archive.lost())
        yield from _budget_families(self._purse.read())
        yield GaugeMetricFamily(
            "rekstream_clock_error_seconds",
            "The most by which this process's clock can differ from Redis's",
            value=self._clock_error(),
        )

    def describe(self) -> Iterable[Metric]:
        """Describe nothing beforehand, so that registering does not ask Redis."""
        return ()


def registry_of(broker: Broker, clock_error: Callable[[], float]) -> CollectorRegistry:
    """Return the dashboard's registry, which collects from Redis when it is scraped."""
    registry = CollectorRegistry()
    registry.register(FrameCollector(broker, clock_error))
    return registry


def _frame_families(counters: frames.Balances) -> Iterator[Metric]:
    for name, help_text in (
        ("sampled", "Frames sampled from the camera"),
        ("superseded", "Sampled frames that a newer one replaced before they were taken"),
        ("analysed", "Frames that Rekognition answered"),
    ):
        family = CounterMetricFamily(f"rekstream_frames_{name}", help_text, labels=["camera"])
        for camera, balance in counters.items():
            family.add_metric([camera], getattr(balance, name))
        yield family
    yield _by_cause("dropped", "Sampled frames that were given up before a worker had them", counters)
    yield _by_cause("failed", "Frames whose analysis failed", counters)
    in_flight = GaugeMetricFamily("rekstream_frames_in_flight", "Frames that wait or are with a worker", labels=["camera"])
    for camera, balance in counters.items():
        in_flight.add_metric([camera], balance.in_flight)
    yield in_flight


def _lost_family(lost: int) -> Metric:
    """Return what workers count by other causes themselves; none of those that were killed can."""
    help_text = "Frames that were to be archived, and were not"
    family = CounterMetricFamily("rekstream_archive_dropped", help_text, labels=["cause"])
    family.add_metric([KILLED], lost)
    return family


def _budget_families(spending: Spending | None) -> Iterator[Metric]:
    """Yield limit and spending of the budget; both are 0 where nothing is paid, so that a query of them is never empty."""
    limit, spent = (spending.limit_dollars, spending.spent_dollars) if spending else (0.0, 0.0)
    yield GaugeMetricFamily("rekstream_budget_limit_dollars", "The most that may be spent in this period; 0 without one", limit)
    yield GaugeMetricFamily("rekstream_budget_spent_dollars", "What was spent in the budget's period", spent)


def _by_cause(name: str, help_text: str, counters: frames.Balances) -> Metric:
    family = CounterMetricFamily(f"rekstream_frames_{name}", help_text, labels=["camera", "cause"])
    for camera, balance in counters.items():
        for cause, count in getattr(balance, name).items():
            family.add_metric([camera, cause], count)
    return family
