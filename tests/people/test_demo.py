"""The demo's two people at a camera, from pixels to visits: real local Rekognition, worker, people process and API.

The demo is filmed faster than it plays: each frame says when it was taken, and the next comes once it is analysed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from dashboard.settings import DashboardSettings
from pipeline import keys
from pipeline.entities import Frame, Policy
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.results import Results
from producer.sources.demo import Scene, load_portraits
from rekstream import environment
from rekstream.local import DEMO_FOLDER
from tests.dashboard.support import Api, dashboard, until
from tests.people.conftest import Chain
from tests.rekognition_local.people import picture
from tests.vision.scenes import ASTRONAUT, HOPPER

GRACE, EILEEN = "Grace Hopper", "Eileen Collins"
FPS = 0.5
SIZE = 960, 540
STAYS = {GRACE: [(0, 24), (36, 60)], EILEEN: [(0, 34), (46, 60)]}  # of producer/sources/demo.py, in seconds of the film
SLACK = 3.5  # in which somebody who comes or goes is too small to be found


class Film:
    """Lets the demo be seen by a camera; its `began` lies so long ago that all of it is past."""

    def __init__(self, chain: Chain, camera: str, seconds: float) -> None:
        self._camera = camera
        self._scene = Scene(load_portraits(DEMO_FOLDER), *SIZE)
        self._ledger = Ledger()
        self._mailbox = Mailbox(chain.broker.scripts, JobQueue(chain.broker.jobs))
        self._results = Results(chain.broker.scripts)
        self.began = time.time() - seconds

    def play(self, first: float, last: float) -> None:
        for step in range(round(first * FPS), round(last * FPS)):
            self._show(step / FPS)

    def _show(self, at: float) -> None:
        after = self._results.last_id()
        jpeg = cv2.imencode(".jpg", self._scene.draw(at))[1].tobytes()
        number = self._ledger.sample()
        frame = Frame(self._camera, number, self.began + at, jpeg, *SIZE)
        until(lambda: self._mailbox.offer(frame, self._ledger.statement(number), Policy.EVERY) is not Offer.FULL)
        until(lambda: self._results.read(after, limit=1, camera=self._camera)[0])


@contextmanager
def people_of(chain: Chain, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `rekstream people`, a process of its own that can be killed."""
    command = [sys.executable, "-m", "rekstream", "people", "--redis", chain.redis_url, "--data", str(data)]
    told = {"REKSTREAM_LOCAL_URL": str(chain.provider.endpoint_url)}
    with subprocess.Popen(command, env={**environment.of_server(), **told}) as process:
        try:
            until(lambda: chain.broker.scripts.exists(keys.serving("people")))
            yield process
        finally:
            process.terminate()


def test_leaving_and_coming_back_is_one_visit_each_through_a_kill_and_a_correction_sticks(chain: Chain, tmp_path: Path) -> None:
    film = Film(chain, "hall", 120)
    with dashboard(chain.redis_url, DashboardSettings(data=tmp_path, provider=chain.provider, port=0)) as api:
        with people_of(chain, tmp_path) as process:
            enrol(api, chain)
            film.play(0, 22)
            until(lambda: names(api) == {GRACE, EILEEN})
            process.kill()
        chain.broker.scripts.delete(keys.serving("people"))
        film.play(22, 40)
        with people_of(chain, tmp_path):
            film.play(40, 60)
            until(lambda: all(is_close(visits(api, name, film.began), stays) for name, stays in STAYS.items()))
            not_this_person_sticks(api, film)


def enrol(api: Api, chain: Chain) -> None:
    for name, portrait in ((GRACE, HOPPER), (EILEEN, ASTRONAUT)):
        answer = api.http.post("/api/people", data={"name": name}, files={"image": ("a.jpg", picture(portrait))}, timeout=60)
        assert answer.status_code == 201, answer.text
    until(lambda: b'"people": 2' in (chain.broker.scripts.get(keys.PEOPLE) or b""))


def not_this_person_sticks(api: Api, film: Film) -> None:
    """Who was called Grace by mistake has no name any more, is not named so again, and Eileen keeps hers."""
    (visit,) = api.get("/api/visits", person=GRACE, limit=1)["visits"]
    track = visit["tracks"][-1]
    assert api.http.get(f"/api/tracks/{track}/face.jpg").content[:2] == b"\xff\xd8"
    answer = api.http.delete(f"/api/tracks/{track}/person")
    assert (answer.status_code, answer.json()["Person"], answer.json()["remembered"]) == (200, None, True), answer.text
    assert GRACE not in names(api)
    film.play(60, 64)
    film.play(96, 102)  # both are other tracks by then
    until(lambda: len(api.get("/api/visits", person=EILEEN)["visits"]) == 3)
    assert names(api) == {EILEEN}


def names(api: Api) -> set[str]:
    """Return the names that the newest results show."""
    faces = [face for result in api.get("/api/results", limit=4)["results"] for face in result["FaceDetails"]]
    return {face["Person"]["Name"] for face in faces if "Person" in face}


def visits(api: Api, name: str, began: float) -> list[tuple[float, float]]:
    answer = api.http.get("/api/visits", params={"person": name})
    found: list[dict[str, Any]] = answer.json()["visits"] if answer.is_success else []
    return [(visit["began_at"] - began, visit["ended_at"] - began) for visit in reversed(found)]


def is_close(found: list[tuple[float, float]], expected: list[tuple[int, int]]) -> bool:
    """Say whether these are the stays, give or take the time of coming and going."""
    return len(found) == len(expected) and all(
        abs(began - comes) < SLACK and abs(ended - goes) < SLACK
        for (began, ended), (comes, goes) in zip(found, expected, strict=True)
    )
