"""The metrics of every process, by the name under which Prometheus finds them. A registry is handed in; none is global.

What lives in Redis is collected when a process is scraped: frames by dashboard/collector.py, cameras by producer/collector.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

STAGES = ("encode", "queue", "limit", "upload", "service", "publish")
THREAD_STATES = ("waiting", "calling", "idle")

_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0, 2.5, 5.0, 10.0)
_AGE_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_DELAY_BUCKETS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0)


class WorkerMetrics:
    """What a worker process measures: stages, ages, calls, bytes, money, and what its threads do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.stage_seconds = Histogram(
            "rekstream_stage_seconds",
            "Seconds that an analysed frame spent in each stage",
            ["camera", "stage"],
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self.result_age_seconds = Histogram(
            "rekstream_result_age_seconds",
            "Age of the picture when its result was published",
            ["camera"],
            buckets=_AGE_BUCKETS,
            registry=registry,
        )
        self.api_calls = Counter(
            "rekstream_api_calls",
            "Calls of Rekognition by outcome (ok, or the error's name)",
            ["operation", "region", "outcome"],
            registry=registry,
        )
        self.api_bytes = Counter(
            "rekstream_api_bytes",
            "Bytes of pictures sent to Rekognition, before base64",
            ["operation"],
            registry=registry,
        )
        self.api_cost_dollars = Counter(
            "rekstream_api_cost_dollars",
            "Dollars that the calls of this process cost",
            ["operation"],
            registry=registry,
        )
        self.rate_limit_per_second = Gauge(
            "rekstream_rate_limit_per_second",
            "Calls a second that the shared limit allows now; 0 without a limit",
            ["operation"],
            registry=registry,
        )
        self.jobs_refused = Counter(
            "rekstream_jobs_refused", "Jobs on the queue that were not ours, and were not run", registry=registry
        )
        self.tracking_failures = Counter(
            "rekstream_tracking_failures",
            "Frames, or faces of them, that were not followed because of a fault; their results came out all the same",
            registry=registry,
        )
        self.worker_threads = Gauge(
            "rekstream_worker_threads",
            "Threads of this worker process by what they do",
            ["state"],
            registry=registry,
        )
        self.clock_error_seconds = Gauge(
            "rekstream_clock_error_seconds",
            "The most by which this process's clock can differ from Redis's",
            registry=registry,
        )


class ArchiveMetrics:
    """What a worker process that archives measures of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.written = Counter("rekstream_archive_frames", "Frames that were archived with their results", registry=registry)
        self.dropped = Counter(
            "rekstream_archive_dropped", "Frames that were to be archived, and were not", ["cause"], registry=registry
        )
        self.waiting_bytes = Gauge("rekstream_archive_waiting_bytes", "Bytes of frames that wait", registry=registry)
        self.write_seconds = Histogram(
            "rekstream_archive_write_seconds",
            "Seconds that it took to write one frame and its result, or to fail",
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )


class DashboardMetrics:
    """What a dashboard measures itself: how old pictures are when they are seen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.display_age_seconds = Histogram(
            "rekstream_display_age_seconds",
            "Age of the picture when a page had painted its result",
            ["camera"],
            buckets=_AGE_BUCKETS,
            registry=registry,
        )


class PeopleMetrics:
    """What the people process measures itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "rekstream_people_requests",
            "Questions that the people process answered, by outcome (ok, or the error's name)",
            ["what", "outcome"],
            registry=registry,
        )
        self.clock_error_seconds = Gauge(
            "rekstream_clock_error_seconds",
            "The most by which this process's clock can differ from Redis's",
            registry=registry,
        )


class HistoryMetrics:
    """What the history process measures itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "rekstream_history_requests",
            "Questions that the history process answered, by outcome (ok, or the error's name)",
            ["what", "outcome"],
            registry=registry,
        )
        self.results = Counter("rekstream_history_results", "Results that were written to the database", registry=registry)
        self.lost = Counter(
            "rekstream_history_lost", "Results that were gone from Redis before they could be written", registry=registry
        )
        self.batch_seconds = Histogram(
            "rekstream_history_batch_seconds",
            "Seconds that it took to write a batch of results",
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self.writing = Gauge(
            "rekstream_history_writing", "1 while results are written, 0 while they cannot be", registry=registry
        )
        self.behind = Gauge("rekstream_history_behind_results", "Results that wait to be written", registry=registry)
        self.clock_error_seconds = Gauge(
            "rekstream_clock_error_seconds",
            "The most by which this process's clock can differ from Redis's",
            registry=registry,
        )


class AlertMetrics:
    """What the people process measures of alerts; `outbox` returns how many deliveries wait, and how long the oldest has."""

    def __init__(self, registry: CollectorRegistry, outbox: Callable[[], tuple[float, float]]) -> None:
        self.alerts = Counter("rekstream_alerts", "Alerts that were made", ["kind"], registry=registry)
        self.deliveries = Counter(
            "rekstream_deliveries",
            "Tries to deliver an alert to a receiver, and deliveries that are not tried again (given_up)",
            ["outcome"],
            registry=registry,
        )
        self.delay_seconds = Histogram(
            "rekstream_alert_delay_seconds",
            "From the picture of an alert to its delivery",
            ["kind"],
            buckets=_DELAY_BUCKETS,
            registry=registry,
        )
        waiting = Gauge("rekstream_outbox_deliveries", "Deliveries that wait", registry=registry)
        waiting.set_function(lambda: outbox()[0])
        oldest = Gauge("rekstream_outbox_oldest_seconds", "How long the oldest of them has waited", registry=registry)
        oldest.set_function(lambda: outbox()[1])


class MetricsServer:
    """Serves a registry at http://HOST:PORT/metrics until it is stopped; `address` is where."""

    def __init__(self, registry: CollectorRegistry, host: str) -> None:
        started: Any = start_http_server(0, addr=host, registry=registry)
        self._server, self._thread = started
        self.address = f"{host}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
