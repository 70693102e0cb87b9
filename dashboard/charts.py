"""The charts, as data: what each shows and asks. The page, /api/charts and the Grafana dashboard are made from these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashboard.queries import Level, Need, Quantile, Query, Rate, Times, Total
from pipeline.provider import DETECT_FACES

UNAVOIDABLE = ("encode", "upload", "service", "publish")
DETECT = {"operation": (DETECT_FACES,)}
THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException")


class Role(StrEnum):
    """How a line is to be drawn."""

    VALUE = "value"
    FLOOR = "floor"  # below which nothing can go: dotted
    LIMIT = "limit"  # above which nothing may go: dashed


@dataclass(frozen=True, slots=True)
class Series:
    """One query of a chart; `name` is for people and may hold labels: ``{stage}``."""

    name: str
    query: Query
    role: Role = Role.VALUE


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: `unit` is s, frames/s, calls/s, dollars, …; `by_camera` says whether it can show one camera alone."""

    id: str
    title: str
    unit: str
    help: str
    series: tuple[Series, ...]
    by_camera: bool = False

    def needs(self) -> list[Need]:
        """Return what has to be kept of the metrics for this chart."""
        labels = ("camera",) if self.by_camera else ()
        return [need for series in self.series for need in series.query.needs(labels)]


def _quantiles(metric: str) -> tuple[Series, ...]:
    return tuple(Series(f"p{percent}", Quantile(percent / 100, metric)) for percent in (50, 95, 99))


FLOOR = Total(Quantile(0.5, "rekstream_stage_seconds", ("stage",), {"stage": UNAVOIDABLE}))

CHARTS = (
    Chart(
        "age",
        "Age of a result",
        "s",
        "How old the picture is when its result comes out. The floor is what cannot be avoided now: the medians of encode, "
        "upload, service and publish together.",
        (*_quantiles("rekstream_result_age_seconds"), Series("floor", FLOOR, Role.FLOOR)),
        by_camera=True,
    ),
    Chart(
        "display_age",
        "Age on the screen",
        "s",
        "How old the picture is when its boxes are painted, as the browsers that look report it.",
        _quantiles("rekstream_display_age_seconds"),
        by_camera=True,
    ),
    Chart(
        "stages",
        "Stages, p95",
        "s",
        "How long all but the slowest twentieth of the frames spend in each stage.",
        (Series("{stage}", Quantile(0.95, "rekstream_stage_seconds", ("stage",))),),
        by_camera=True,
    ),
    Chart(
        "frames",
        "Frames",
        "frames/s",
        "What becomes of the frames that are sampled.",
        (
            Series("sampled", Rate("rekstream_frames_sampled_total")),
            Series("analysed", Rate("rekstream_frames_analysed_total")),
            Series("superseded", Rate("rekstream_frames_superseded_total")),
            Series("dropped: {cause}", Rate("rekstream_frames_dropped_total", ("cause",))),
            Series("failed: {cause}", Rate("rekstream_frames_failed_total", ("cause",))),
        ),
        by_camera=True,
    ),
    Chart(
        "in_flight",
        "Frames in flight",
        "frames",
        "Frames that wait in a mailbox or are with a worker.",
        (Series("in flight", Level("rekstream_frames_in_flight")),),
        by_camera=True,
    ),
    Chart(
        "calls",
        "Calls of DetectFaces",
        "calls/s",
        "Calls by outcome, and how many the shared limit allows.",
        (
            Series("{outcome}", Rate("rekstream_api_calls_total", ("outcome",), DETECT)),
            Series("allowed", Level("rekstream_rate_limit_per_second", (), DETECT, "max"), Role.LIMIT),
        ),
    ),
    Chart(
        "throttles",
        "Throttled calls",
        "calls/min",
        "Calls that Rekognition refused because there were more than its quota. Each cuts the shared limit.",
        (Series("throttled", Times(60, Rate("rekstream_api_calls_total", (), {"outcome": THROTTLES}))),),
    ),
    Chart(
        "cost",
        "Cost",
        "dollars/h",
        "What the calls of this moment cost in an hour, at the first step's price.",
        (Series("dollars an hour", Times(3600, Rate("rekstream_api_cost_dollars_total"))),),
    ),
    Chart(
        "budget",
        "Spent of the budget",
        "dollars",
        "What was spent in the budget's period; no paid call is made above the limit. Both are 0 where nothing is paid.",
        (
            Series("spent", Level("rekstream_budget_spent_dollars", together="max")),
            Series("limit", Level("rekstream_budget_limit_dollars", together="max"), Role.LIMIT),
        ),
    ),
    Chart(
        "bytes",
        "Pictures sent",
        "bytes/s",
        "Bytes of pictures that go to Rekognition; on the wire base64 makes them a third more.",
        (Series("sent", Rate("rekstream_api_bytes_total")),),
    ),
    Chart(
        "queue",
        "Queue",
        "jobs",
        "Jobs that no thread has taken yet; at most one a camera.",
        (Series("jobs", Level("rekstream_queue_length", together="max")),),
    ),
    Chart(
        "threads",
        "Worker threads",
        "threads",
        "What the threads of all workers do: wait for a slot of the limit, call, or nothing.",
        (Series("{state}", Level("rekstream_worker_threads", ("state",))),),
    ),
    Chart(
        "workers",
        "Worker processes",
        "processes",
        "Worker processes that are alive, on all machines.",
        (Series("processes", Level("rekstream_worker_processes", together="max")),),
    ),
    Chart(
        "cameras",
        "Cameras by state",
        "cameras",
        "How many cameras are in each state.",
        (Series("{state}", Level("rekstream_camera_state", ("state",))),),
    ),
    Chart(
        "capture_fps",
        "Pictures that cameras deliver",
        "pictures/s",
        "What each camera delivers, before sampling.",
        (Series("{camera}", Level("rekstream_capture_fps", ("camera",))),),
        by_camera=True,
    ),
    Chart(
        "reconnects",
        "Reconnects and stalls",
        "a minute",
        "How often cameras were opened again, and how often they stopped delivering while they were connected.",
        (
            Series("reconnects", Times(60, Rate("rekstream_camera_reconnects_total"))),
            Series("stalls", Times(60, Rate("rekstream_camera_stalls_total"))),
        ),
        by_camera=True,
    ),
    Chart(
        "clock",
        "Clock error",
        "s",
        "The most by which any process's clock can differ from Redis's.",
        (Series("at most", Level("rekstream_clock_error_seconds", together="max")),),
    ),
)
BY_ID = {chart.id: chart for chart in CHARTS}
