"""From frames to searches, with real workers, a real Valkey, and the local Rekognition server with a collection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import boto3
import pytest

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy, Result
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.results import Results
from rekognition_local.server import Server
from tests.clips import CLIPS, HD, Shot
from tests.conftest import wait_until
from tests.rekognition_local.people import picture
from tests.vision.scenes import ASTRONAUT, HOPPER, jpeg
from tests.workers.test_pool import worker

COLLECTION = "staff"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A local Rekognition server with one collection, in which both people are."""
    with Server() as running:
        client = boto3.client(
            "rekognition", "us-east-1", endpoint_url=running.url, aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_collection(CollectionId=COLLECTION)
        for who in (HOPPER, ASTRONAUT):
            client.index_faces(CollectionId=COLLECTION, Image={"Bytes": picture(who)}, ExternalImageId=who)
        client.close()
        yield running


class Film:
    """Offers the frames of a clip as a camera would, one after the other."""

    def __init__(self, broker: Broker, camera: str = "cam") -> None:
        self.camera = camera
        self.broker = broker
        self.mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self.started = time.time()
        self.truth: dict[float, Shot] = {}
        self._ledger = Ledger()

    def show(self, name: str, fps: float, since: float = 0.0, seconds: float = 60.0) -> None:
        """Offer the frames of a part of a clip, each when the one before has its result."""
        clip = CLIPS[name]
        for number in range(round(min(clip.seconds - since, seconds) * fps)):
            self.offer(clip.shot(since + number / fps, HD))
            wait_until(lambda: self.mailbox.drained(self.camera))

    def offer(self, shot: Shot) -> None:
        at = self.started + shot.at
        self.truth[at] = shot
        frame = Frame(self.camera, self._ledger.sample(), at, jpeg(shot.rgb), *HD)
        statement = self._ledger.statement()
        self.mailbox.offer(frame, statement, Policy.LATEST)
        self._ledger.confirm(statement)

    def results(self) -> list[Result]:
        return Results(self.broker.scripts).latest(1000, self.camera)

    def searches(self) -> list[Result]:
        """All searches of faces of this camera that have come out."""
        return [
            result
            for result in Results(self.broker.scripts).latest(1000)
            if result.camera.startswith(f"{self.camera}:") and result.operation == "SearchFacesByImage"
        ]

    def whose(self) -> dict[str, set[str]]:
        """Return who was in truth where each track was said to be."""
        found: dict[str, set[str]] = {}
        for result in self.results():
            for face in result.response["FaceDetails"]:
                box = face["BoundingBox"]
                middle = box["Left"] + box["Width"] / 2
                truth = [one for one in self.truth[result.captured_at].faces if one.hidden < 0.5]
                for one in truth:
                    if abs(one.box.left + one.box.width / 2 - middle) < one.box.width / 2:
                        found.setdefault(face["Track"], set()).add(one.who)
        return found


def enrol(broker: Broker, people: int = 2, changed: float = 0.0) -> None:
    """Tell workers who can be found, as the people process does."""
    about = {"collection": COLLECTION, "people": people, "show": 80.0, "changed": changed}
    broker.scripts.set(keys.PEOPLE, json.dumps(about), ex=60)


def found(search: Result) -> str:
    return str(search.response["FaceMatches"][0]["Face"]["ExternalImageId"])


def test_everyone_in_the_frame_is_searched_once_a_person_and_not_once_a_frame(broker: Broker, server: Server) -> None:
    enrol(broker)
    film = Film(broker)
    with worker(broker._url, server.url):
        film.show("crossing", fps=4)
        wait_until(lambda: all(film.mailbox.drained(box) for box in film.mailbox.cameras()))
    whose, searches = film.whose(), film.searches()
    assert sorted(map(sorted, whose.values())) == [
        [ASTRONAUT],
        [HOPPER],
    ]
    faces = sum(len(result.response["FaceDetails"]) for result in film.results())
    assert faces > 30
    assert len(searches) <= 5
    for search in searches:
        assert {found(search)} == whose[search.response["Track"]]
        assert search.response["Weight"] > 0.3
        assert search.camera == f"cam:{search.response['Track'].removeprefix('cam-')}"
    assert {search.response["Track"] for search in searches} == set(whose)
