"""From frames to searches, with real workers, a real Valkey, and the local Rekognition server with a collection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy, Purpose, Result
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.metrics import WorkerMetrics
from pipeline.results import Results
from pipeline.shared import Privacy
from pipeline.tracks import Faces
from rekognition_local.server import Server
from tests.clips import CLIPS, HD, Shot
from tests.conftest import wait_until
from tests.endpoint import FACE, Endpoint
from tests.rekognition_local.people import picture
from tests.vision.scenes import ASTRONAUT, HOPPER, jpeg
from tests.workers.test_pool import Cameras, WorkerProcess, ready, worker
from vision.embedding import distance
from vision.faces import FaceEngine
from vision.pictures import decode
from workers.rules import Rules
from workers.tracking import Tracking

COLLECTION = "staff"


def client_of(url: str) -> Any:
    return boto3.client("rekognition", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A local Rekognition server with one collection, in which both people are."""
    with Server() as running:
        client = client_of(running.url)
        client.create_collection(CollectionId=COLLECTION)
        for who in (HOPPER, ASTRONAUT):
            client.index_faces(CollectionId=COLLECTION, Image={"Bytes": picture(who)}, ExternalImageId=who)
        client.close()
        yield running


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(seconds=0.02) as running:
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
        return [result for result in Results(self.broker.scripts).latest(1000, self.camera) if result.error is None]

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


class Room:
    """Tracking as a worker has it, with what DetectFaces says of each frame, and nobody who would answer the searches."""

    def __init__(self, broker: Broker, server: Server, *, privacy: bool = False) -> None:
        self.broker = broker
        self.mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self.metrics = WorkerMetrics(CollectorRegistry())
        private = Privacy(broker.scripts, told=privacy)
        private.look()
        self.tracking = Tracking(broker.scripts, self.mailbox, private, self.metrics.tracking_failures)
        self._client = client_of(server.url)

    def see(self, shot: Shot, rules: Rules = Rules()) -> list[dict[str, Any]]:  # noqa: B008  # frozen
        """Return the faces of a frame as they are published."""
        frame = Frame("cam", 1, NOW + shot.at, jpeg(shot.rgb), *HD)
        answer = self._client.detect_faces(Image={"Bytes": frame.jpeg}, Attributes=["DEFAULT"])
        seen = self.tracking.follow(frame, rules, rules.told(frame, {"FaceDetails": answer["FaceDetails"]}))
        self.tracking.look_closer(seen)
        return list(seen.told["FaceDetails"])

    def searched(self) -> list[str]:
        return [box for box in self.mailbox.cameras() if keys.is_derived(box)]

    @property
    def failures(self) -> float:
        return float(self.metrics.tracking_failures._value.get())


NOW = 1_795_000_000.0


def test_a_face_is_kept_as_its_best_view_also_where_nobody_is_enrolled(broker: Broker, server: Server) -> None:
    room, shot = Room(broker, server), CLIPS["two"].shot(1.0)
    faces = room.see(shot)
    assert len(faces) == 2
    for face in faces:
        view = Faces(broker.scripts).of(face["Track"])
        assert view is not None
        assert (view.camera, view.captured_at, view.box) == ("cam", NOW + 1.0, face["BoundingBox"])
        who = min(shot.faces, key=lambda one, face=face: abs(one.box.left - face["BoundingBox"]["Left"])).who
        portrait = FaceEngine().analyse(decode(picture(who)), vectors=True)[0].vector
        cut, *_ = FaceEngine().analyse(decode(view.jpeg), vectors=True)  # the largest, which is what a search looks for
        assert distance(cut.vector, portrait) < 0.5
        assert distance(np.frombuffer(view.vector, np.float32), portrait) < 0.5
    assert room.searched() == []
    assert room.failures == 0


def test_an_audience_is_followed_and_nothing_of_a_face_is_kept_or_searched(broker: Broker, server: Server) -> None:
    enrol(broker)
    room = Room(broker, server)
    tracks = [{face["Track"] for face in room.see(shot, Rules(Purpose.AUDIENCE))} for shot in CLIPS["two"].film(HD, fps=1)]
    assert len(set.union(*tracks)) == 2
    assert room.searched() == []
    assert broker.scripts.keys(keys.face("*")) == []


def test_in_privacy_no_picture_of_a_face_stays_and_people_are_searched_all_the_same(broker: Broker, server: Server) -> None:
    enrol(broker)
    room = Room(broker, server, privacy=True)
    faces = room.see(CLIPS["two"].shot(1.0))
    assert len(room.searched()) == 2
    for face in faces:
        view = Faces(broker.scripts).of(face["Track"])
        assert view is not None
        assert (view.jpeg, len(view.vector)) == (b"", 512)


def test_faces_that_do_not_count_have_no_track(broker: Broker, server: Server) -> None:
    enrol(broker)
    room, left_half = Room(broker, server), ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    faces = room.see(CLIPS["two"].shot(1.0), Rules(zones=(left_half,)))
    assert sorted(("Track" in face, "Ignored" in face) for face in faces) == [(False, True), (True, False)]
    assert len(room.searched()) == 1


def test_a_frame_that_shows_nobody_is_remembered_and_a_camera_where_nobody_ever_was_keeps_nothing(
    broker: Broker, server: Server
) -> None:
    room = Room(broker, server)
    room.see(CLIPS["empty"].shot(1.0))
    assert not broker.scripts.exists(keys.tracks("cam"))
    room.see(CLIPS["two"].shot(2.0))
    room.see(CLIPS["empty"].shot(3.0))
    assert json.loads(broker.scripts.hget(keys.tracks("cam"), "state") or b"")["at"] == NOW + 3.0


def test_the_view_of_a_face_is_kept_before_it_is_searched(
    broker: Broker, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever hears the search's answer judges it by that view."""
    enrol(broker)
    room, kept = Room(broker, server), []
    offer = room.mailbox.offer

    def seen_first(frame: Frame, *rest: Any) -> Any:
        kept.append(Faces(broker.scripts).of(str(frame.options["_Track"])))
        return offer(frame, *rest)

    monkeypatch.setattr(room.mailbox, "offer", seen_first)
    room.see(CLIPS["two"].shot(1.0))
    assert [view is not None and len(view.vector) for view in kept] == [512, 512]


def test_who_is_enrolled_while_somebody_is_there_is_looked_for_at_once(broker: Broker, server: Server) -> None:
    room, clip = Room(broker, server), CLIPS["two"]
    room.see(clip.shot(1.0))
    assert room.searched() == []
    enrol(broker, changed=NOW + 1.5)
    room.tracking._looked_at = 0.0  # a second passes
    room.see(clip.shot(2.0))
    assert len(room.searched()) == 2


def test_a_fault_in_following_costs_no_result_and_is_counted(broker: Broker) -> None:
    """Something of another program lies where the tracks are kept."""
    broker.scripts.set(keys.tracks("cam"), "what is this?")
    metrics = WorkerMetrics(CollectorRegistry())
    mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
    tracking = Tracking(broker.scripts, mailbox, Privacy(broker.scripts, told=False), metrics.tracking_failures)
    answer = {"FaceDetails": [FACE]}
    seen = tracking.follow(Frame("cam", 1, time.time(), b"", *HD), Rules(), answer)
    tracking.look_closer(seen)
    assert seen.told == answer
    assert metrics.tracking_failures._value.get() == 1


def test_what_another_version_kept_of_tracks_is_begun_anew(broker: Broker) -> None:
    broker.scripts.hset(keys.tracks("cam"), mapping={"version": "1", "state": '{"shape": "of later"}'})
    metrics = WorkerMetrics(CollectorRegistry())
    mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
    tracking = Tracking(broker.scripts, mailbox, Privacy(broker.scripts, told=False), metrics.tracking_failures)
    seen = tracking.follow(Frame("cam", 1, time.time(), b"", *HD), Rules(Purpose.AUDIENCE), {"FaceDetails": [FACE]})
    assert seen.told["FaceDetails"][0]["Track"].startswith("cam-")
    assert metrics.tracking_failures._value.get() == 0


def test_searches_that_wait_for_a_small_limit_leave_the_threads_to_the_cameras(broker: Broker, endpoint: Endpoint) -> None:
    """Sixty searches at 5/s wait for twelve seconds; frames of cameras go by them as if they were not there."""
    cameras = Cameras(broker, 4)
    told = {"threads": 8, "tps": 100, "region": "eu-central-1"}  # where AWS allows five searches a second
    with worker(broker._url, endpoint.url, **told):
        cameras.offer_until(lambda: ready(broker) and min(cameras.analysed().values()) >= 1)
        for number in range(60):
            offer_search(cameras.mailbox, f"cam0:{number}")
        before, until = cameras.analysed(), time.monotonic() + 3
        since = time.time()
        cameras.offer_until(lambda: time.monotonic() > until)
    lately = [one for one in Results(broker.scripts).latest(1000) if one.published_at > since]
    served = {camera: count - before[camera] for camera, count in cameras.analysed().items()}
    ages = sorted(one.age_seconds for one in lately if one.operation == "DetectFaces")
    searches = [one for one in lately if one.operation == "SearchFacesByImage"]
    assert min(served.values()) >= 15, served  # offered about 20 a second; a thread that waits would serve none
    assert ages[len(ages) // 2] < 0.5
    assert 8 <= len(searches) <= 25  # five a second, and they do come


def test_a_worker_killed_in_the_middle_loses_no_track_for_good(broker: Broker, server: Server) -> None:
    """It dies with frames and searches in its hands; who comes after it goes on with the same tracks, and names everybody."""
    enrol(broker)
    film, clip = Film(broker), CLIPS["two"]
    doomed = WorkerProcess(broker._url, server.url)
    wait_until(lambda: ready(broker), 20)
    for number in range(100):
        film.offer(clip.shot(number / 50))
        if len(film.results()) >= 2:
            break
        time.sleep(0.02)
    doomed.kill()
    doomed.close()
    for box in film.mailbox.cameras():  # the fifteen seconds pass after which what it held is given up
        for token in broker.scripts.zrange(keys.in_flight(box), 0, -1):
            broker.scripts.zadd(keys.in_flight(box), {token: 1})
    with worker(broker._url, server.url):
        film.show("two", fps=5, since=2.5, seconds=1)
    whose = film.whose()
    assert sorted(map(sorted, whose.values())) == [[ASTRONAUT], [HOPPER]]
    state = json.loads(broker.scripts.hget(keys.tracks("cam"), "state") or b"")
    assert {f"cam-{row[0]}" for row in state["tracks"]} == set(whose)
    assert all(film.mailbox.balance(box).adds_up for box in film.mailbox.cameras())


def test_searches_survive_a_throttle_and_the_worker_that_made_them(broker: Broker, server: Server) -> None:
    enrol(broker)
    room = Room(broker, server)
    room.see(CLIPS["two"].shot(1.0))
    boxes = room.searched()
    with Endpoint(lambda number: "throttled", seconds=0.05) as refusing:
        doomed = WorkerProcess(broker._url, refusing.url)
        wait_until(lambda: len(refusing.calls) >= 3)
        doomed.kill()
    doomed.close()
    for box in boxes:  # the fifteen seconds pass after which what it held is given up
        for token in broker.scripts.zrange(keys.in_flight(box), 0, -1):
            broker.scripts.zadd(keys.in_flight(box), {token: 1})
    with worker(broker._url, server.url):
        wait_until(lambda: room.searched() == [])
    answers = [result for result in Results(broker.scripts).latest(100) if result.camera in boxes]
    assert sorted(found(result) for result in answers) == sorted([HOPPER, ASTRONAUT])


def offer_search(mailbox: Mailbox, box: str) -> None:
    ledger = Ledger()
    options = {"CollectionId": COLLECTION, "_Track": box.replace(":", "-")}
    frame = Frame(box, ledger.sample(), time.time(), b"jpeg", 100, 100, operation="SearchFacesByImage", options=options)
    mailbox.offer(frame, ledger.statement(), Policy.LATEST)
