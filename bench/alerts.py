"""Alerts: how many a minute reach a local webhook, and how long after the frame that caused them.

    python -m bench.alerts

The first two rows publish results out of nothing, each of which is worth an alert, to a real `rekstream people`. The last is
the whole system: the demo's two people are enrolled and watched for, demo cameras are added one after the other, and each
person's first frame is followed to the webhook, with a local Rekognition that rehearses 300 ms (log-normal, sigma 0.15).
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bench import rig
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from pipeline.requests import Requests
from rekstream.local import free_port
from tests.people.hooks import Hook, Post, face, publish

PER_MINUTE = 1000
MOST_DELAY = 1.5
SERVICE = {"latency": 0.3, "latency_sigma": 0.15}
PEOPLE = {"Grace Hopper": "grace_hopper.jpg", "Eileen Collins": "astronaut.png"}
CAMERAS = 10
THREADS = 16  # as many as wait for a service of 300 ms; without it the local provider has two for each core
EACH_SECONDS = 6.0  # one camera after the other, so that they do not wait for each other more than cameras do


def main(seconds: float = 60.0) -> None:
    print(rig.head(["what", "alerts", "a minute", "delay p50", "p95", "most", "line"]), flush=True)
    rig.wait_until_quiet()
    for name, per_second in ((f"{PER_MINUTE} a minute for {seconds:g} s", PER_MINUTE / 60), (f"{PER_MINUTE} at once", 0.0)):
        count = round(per_second * seconds) or PER_MINUTE
        print(rig.row(load(name, count, per_second)), flush=True)
    rig.wait_until_quiet()
    print(rig.row(from_the_first_frame()), flush=True)


def load(name: str, count: int, per_second: float) -> list[str]:
    """Publish so many alerts' worth of results, evenly or at once; measure from the result's picture to the webhook."""
    with rig.valkey() as url, tempfile.TemporaryDirectory() as data, contextlib.closing(Broker(url)) as broker, Hook() as hook:
        CameraRegistry(broker.scripts).put([Camera("door", "demo", 5.0)])
        with rig.part("people", redis=url, data=data):
            watch(broker, hook.url)
            began = time.time()
            for number in range(count):
                time.sleep(max(0.0, began + number / per_second - time.time()) if per_second else 0.0)
                smile(broker, number)
            rig.wait_until(lambda: len(hook.posts) >= count, 120)
    took = hook.posts[-1].at - began
    line = f">= {PER_MINUTE} a minute" if not per_second else f"p95 <= {MOST_DELAY} s"
    return row(name, [post.at - post.body["captured_at"] for post in hook.posts], len(hook.posts) / took * 60, line)


def watch(broker: Broker, hook: str) -> None:
    rig.wait_until(lambda: broker.scripts.exists(keys.serving("people")), 30)
    Requests(broker).ask("watches.add", {"who": "emotion=HAPPY", "notify": [hook], "cooldown": 0})


def smile(broker: Broker, number: int) -> None:
    """Let one more face smile in two results running, of which the second is of now."""
    now = time.time()
    for at in (now - 0.001, now):
        publish(broker, "door", at, FaceDetails=[face(track=f"door-{number}")])


def from_the_first_frame() -> list[str]:
    """Measure, in the whole system, from the first frame that shows a person to the webhook that names them."""
    with Hook() as hook, system() as api:
        for name, picture in PEOPLE.items():
            enrol(api, name, rig.PORTRAITS / picture)
            said(api.post("/api/watches", json={"who": name, "notify": [hook.url], "cooldown": 0}))
        said(api.put("/api/rehearsal", json=SERVICE))
        delays: list[float] = []
        for number in range(CAMERAS):
            delays += delays_of(api, hook, f"demo{number}")
    return row(f"frame to webhook, 300 ms service, {CAMERAS} demo cameras in turn", delays, 0.0, f"p95 <= {MOST_DELAY} s")


def delays_of(api: httpx.Client, hook: Hook, camera: str) -> list[float]:
    """Let a camera see both people once, and return how long after their tracks' first frames the webhook heard of them."""
    said(api.post("/api/cameras", json={"id": camera, "url": "demo", "fps": 5}))
    deadline = time.monotonic() + 5 * EACH_SECONDS
    while len(posts_of(hook, camera)) < len(PEOPLE) and time.monotonic() < deadline:
        time.sleep(0.1)
    first = first_frames(api, camera)
    said(api.delete(f"/api/cameras/{camera}"))
    time.sleep(1.0)
    return [
        post.at - min(first.get(post.body["track"], post.body["captured_at"]), post.body["captured_at"])
        for post in posts_of(hook, camera)
    ]


def posts_of(hook: Hook, camera: str) -> list[Post]:
    return [post for post in list(hook.posts) if post.body["camera"] == camera and not post.body["test"]]


def first_frames(api: httpx.Client, camera: str) -> dict[str, float]:
    """Return when the first frame was taken that shows a track."""
    first: dict[str, float] = {}
    for result in said(api.get("/api/results", params={"camera": camera, "limit": 1000}))["results"]:
        for found in result.get("FaceDetails", ()):
            first.setdefault(found.get("Track", ""), result["captured_at"])
    return first


@contextlib.contextmanager
def system() -> Iterator[httpx.Client]:
    """Run `rekstream up` with one camera that nobody looks at, and yield its API."""
    port = free_port("127.0.0.1", 0)
    with (
        tempfile.TemporaryDirectory() as data,
        rig.part("up", "demo", "--fps", "0.01", "--threads", str(THREADS), port=port, data=data),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as api,
    ):
        rig.wait_until(lambda: is_ready(api), 60)
        yield api


def is_ready(api: httpx.Client) -> bool:
    try:
        return api.get("/readyz").status_code == 200 and api.get("/api/people").status_code == 200
    except httpx.HTTPError:
        return False


def enrol(api: httpx.Client, name: str, picture: Path) -> None:
    said(api.post("/api/people", data={"name": name}, files={"image": picture.read_bytes()}))


def said(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise SystemExit(answer.text)
    return answer.json() if answer.content else None


def row(name: str, delays: list[float], per_minute: float, line: str) -> list[str]:
    ordered = sorted(delays) or [float("nan")]
    rate = f"{per_minute:.0f}" if per_minute else ""
    return [name, str(len(delays)), rate, *(f"{rig.quantile(ordered, share):.3f} s" for share in (0.5, 0.95, 1.0)), line]


if __name__ == "__main__":
    rig.run(main)
