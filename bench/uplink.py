"""The uplink as the bottleneck: 8 x 15/s of 720p through TLS, 40 ms there and back and 20 Mbit/s for all, 50 calls/s allowed.

    python -m bench.uplink

One run with the rule by which JPEG quality yields to a slow uplink, one with a worker that keeps silent about its uploads.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench import proxy, rig
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Result
from pipeline.results import Results
from tests.cameras.clips import SIZES

HEAD = [
    "quality",
    "results/s",
    "refused",
    "JPEG bytes a frame",
    "age p50/p95 ms",
    "upload p50 ms",
    "service p50 ms",
    "bottleneck",
]
CAMERAS = [f"cam{number}" for number in range(8)]
FPS, ALLOWED = 15.0, 50.0
REFUSED_ABOVE = 5000.0  # the line lets calls through in bunches, which a strict quota would refuse: another matter
ONE_WAY_SECONDS, UPLINK_BITS = 0.02, 20e6
SETTLING_SECONDS = 12.0  # from quality 85 to 55 are three steps, two seconds apart at least
SILENT = "from workers import pool; pool.UplinkMedian.publish = lambda self: None"


def main(seconds: float = 15.0) -> None:
    rig.wait_until_quiet()
    print(rig.head(HEAD), flush=True)
    print(rig.row(run("stays at 85", SILENT, seconds)), flush=True)
    print(rig.row(run("yields", "", seconds)), flush=True)


def run(name: str, patch: str, seconds: float) -> list[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        rig.valkey() as url,
        rig.strict(REFUSED_ABOVE) as service,
        slow_line(service, Path(folder)) as (endpoint, trust),
        rig.cameras(SIZES["720"], len(CAMERAS)) as cameras,
        dashboard(url, endpoint, Path(folder)) as api,
        rig.part("produce", redis=url),
        rig.part("work", redis=url, endpoint_url=endpoint, tps=ALLOWED, environment=trust, patch=patch),
    ):
        broker = Broker(url)
        CameraRegistry(broker.scripts).put(Camera(name, url, FPS) for name, url in zip(CAMERAS, cameras, strict=True))
        rig.wait_for_results(broker, 8)
        first = frame_bytes(broker)
        time.sleep(SETTLING_SECONDS)
        rig.figures(service, "/reset")
        start = rig.redis_now(broker)
        time.sleep(seconds)
        end = rig.redis_now(broker)
        last, verdict = frame_bytes(broker), httpx.get(f"{api}/api/stats").json()["bottleneck"]
        refused = rig.figures(service)["refused"]
        results = rig.results_between(broker, start, end)
        broker.close()
    ages = rig.ages_of(results, end - start)
    return [
        name,
        f"{ages.per_second:.1f}",
        f"{refused:.0f}",
        f"{first / 1e3:.0f} KB first, {last / 1e3:.0f} KB at the end",
        f"{ages.p50 * 1e3:.0f} / {ages.p95 * 1e3:.0f}",
        f"{stage(results, 'upload') * 1e3:.0f}",
        f"{stage(results, 'service') * 1e3:.0f}",
        f"{verdict['what']}: {verdict['why']}",
    ]


@contextlib.contextmanager
def slow_line(service: str, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the address at which the service is reached by TLS over the line, and the environment that trusts it."""
    certificate, key = proxy.make_certificate(folder)
    port = service.rsplit(":", 1)[1]
    line = [port, str(ONE_WAY_SECONDS), str(UPLINK_BITS), str(certificate), str(key)]
    with rig.printing_its_port("bench.proxy", *line) as slow_port:
        yield f"https://127.0.0.1:{slow_port}", {"AWS_CA_BUNDLE": str(certificate)}


@contextlib.contextmanager
def dashboard(url: str, endpoint: str, folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with rig.part("dashboard", redis=url, endpoint_url=endpoint, port=port, data=folder / "data"):
        yield f"http://127.0.0.1:{port}"


def frame_bytes(broker: Broker) -> float:
    """Return the median size of the cameras' newest analysed frames."""
    newest = [Results(broker.scripts).newest_frame(camera) for camera in CAMERAS]
    return statistics.median(len(frame.jpeg) for frame in newest if frame)


def stage(results: list[Result], name: str) -> float:
    return statistics.median([result.stages[name] for result in results if name in result.stages] or [0.0])


if __name__ == "__main__":
    rig.run(main)
