"""What a producer's /metrics tell of its cameras, read from their reports when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus


class CameraCollector(Collector):
    """Tells Prometheus the cameras that the producer of this name has; may raise redis.RedisError."""

    def __init__(self, registry: CameraRegistry, producer: str, clock_error: Callable[[], float]) -> None:
        self._registry = registry
        self._producer = producer
        self._clock_error = clock_error

    def collect(self) -> Iterator[Metric]:
        """Read the reports now."""
        reported = self._registry.statuses(camera.id for camera in self._registry.all()).values()
        mine = [status for status in reported if status.producer == self._producer]
        state = GaugeMetricFamily(
            "rekstream_camera_state", "1 for the state that the camera is in, 0 for the others", labels=["camera", "state"]
        )
        for status in mine:
            for each in CameraState:
                state.add_metric([status.camera, each], status.state is each)
        yield state
        yield _counted("reconnects", "Times that the camera was opened again", mine)
        yield _counted("stalls", "Times that the camera stopped delivering while it was connected", mine)
        fps = GaugeMetricFamily("rekstream_capture_fps", "Frames a second that the camera delivers", labels=["camera"])
        for status in mine:
            fps.add_metric([status.camera], status.capture_fps)
        yield fps
        gated = [status for status in mine if status.gate_sees]
        yield _gate("passed", "Frames a second that the camera's gate let pass in the last 10 s", gated)
        yield _gate("saved", "Frames a second that the camera's gate found no call worth in the last 10 s", gated)
        yield GaugeMetricFamily(
            "rekstream_clock_error_seconds",
            "The most by which this process's clock can differ from Redis's",
            value=self._clock_error(),
        )

    def describe(self) -> Iterable[Metric]:
        """Describe nothing beforehand, so that registering does not ask Redis."""
        return ()


def _gate(what: str, help_text: str, statuses: list[CameraStatus]) -> Metric:
    family = GaugeMetricFamily(f"rekstream_gate_{what}_per_second", help_text, labels=["camera"])
    for status in statuses:
        family.add_metric([status.camera], getattr(status, f"gate_{what}"))
    return family


def _counted(what: str, help_text: str, statuses: list[CameraStatus]) -> Metric:
    family = CounterMetricFamily(f"rekstream_camera_{what}", help_text, labels=["camera"])
    for status in statuses:
        family.add_metric([status.camera], getattr(status, what))
    return family
