"""Visits and corrections over HTTP: the dashboard asks the people process, which is a whole one here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.settings import DashboardSettings
from people.process import PeopleProcess
from pipeline import keys
from pipeline.broker import Broker
from pipeline.names import Names, TrackName
from tests.conftest import Valkey
from tests.dashboard.support import LOCAL, Api, Listener, dashboard, until
from tests.people.seeing import Seeing
from tests.people.support import people_process


@pytest.fixture
def process(broker: Broker, tmp_path: Path) -> Iterator[PeopleProcess]:
    with people_process(broker, tmp_path) as process:
        until(lambda: broker.scripts.exists(keys.serving("people")))
        yield process


@pytest.fixture
def api(process: PeopleProcess, session_valkey: Valkey, tmp_path: Path) -> Iterator[Api]:
    with dashboard(session_valkey.url, DashboardSettings(provider=LOCAL, port=0, data=tmp_path / "state")) as api:
        yield api


def test_this_is_and_not_this_person(api: Api, broker: Broker) -> None:
    """A face is named, every result shows it, the page hears of it; it is taken back, and no result shows it any more."""
    seeing = Seeing(broker)
    seeing.view("door-1", who=7, jpeg=b"a jpeg")
    with Listener(api) as listener:
        seeing.stay("door-1", 0, 1)
        (visit,) = until(lambda: api.get("/api/visits", camera="door")["visits"])
        answer = api.http.post("/api/tracks/door-1/person", json={"person": "Grace Hopper", "enrol": False})
        assert (answer.status_code, answer.json()["Person"]["Name"]) == (200, "Grace Hopper"), answer.text
        assert {face["Person"]["Name"] for one in api.get("/api/results")["results"] for face in one["FaceDetails"]} == {
            "Grace Hopper"
        }
        (named,) = api.get("/api/visits", person="grace hopper")["visits"]
        assert named["id"] == visit["id"]
        assert api.http.delete("/api/tracks/door-1/person").json()["Person"] is None
        assert not any("Person" in face for one in api.get("/api/results")["results"] for face in one["FaceDetails"])
        assert api.get("/api/visits", person="grace hopper") == {"visits": []}
        until(lambda: len([told for told in listener.of("person") if told["track"] == "door-1"]) >= 2)
        assert {told["kind"] for told in listener.of("visit")} >= {"began", "changed", "rejected"}


def test_the_face_of_a_track_is_shown_while_it_is_kept(api: Api, broker: Broker, process: PeopleProcess) -> None:
    """And whoever looks at it is in the audit log."""
    Seeing(broker).view("door-1", who=7, jpeg=b"a jpeg")
    answer = api.http.get("/api/tracks/door-1/face.jpg")
    assert (answer.content, answer.headers["content-type"], answer.headers["cache-control"]) == (
        b"a jpeg",
        "image/jpeg",
        "no-store",
    )
    assert process.house.database.rows("SELECT what FROM audit") == [("view face",)]
    gone = api.http.get("/api/tracks/door-2/face.jpg")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NoPicture")


def test_in_privacy_no_face_is_shown(process: PeopleProcess, broker: Broker, session_valkey: Valkey, tmp_path: Path) -> None:
    Seeing(broker).view("door-1", who=7, jpeg=b"from before")
    settings = DashboardSettings(provider=LOCAL, port=0, data=tmp_path / "state", privacy=True)
    with dashboard(session_valkey.url, settings) as api:
        answer = api.http.get("/api/tracks/door-1/face.jpg")
        assert (answer.status_code, "in privacy none is kept" in answer.text) == (404, True)


def test_unknown_people_are_listed(api: Api, broker: Broker) -> None:
    seeing = Seeing(broker)
    for visit in range(2):
        seeing.view(f"door-{visit}", who=7)
        seeing.stay(f"door-{visit}", 30 * visit, 30 * visit + 4)
    until(lambda: [one["Visits"] for one in api.get("/api/unknowns")["unknowns"]] == [2])


def test_what_is_wrong_is_said_in_one_sentence(api: Api, broker: Broker) -> None:
    """Whatever is wrong names the thing, has a status of its own, and changes nothing."""
    Seeing(broker).frame(0, "door-1")
    until(lambda: api.get("/api/visits")["visits"])
    before = api.get("/api/visits")
    for method, path, body, status, words in (
        ("POST", "/api/tracks/door-9/person", {"person": "Bob"}, 404, "there is no track 'door-9'"),
        ("POST", "/api/tracks/door-1/person", {}, 422, "person 'None': write"),
        ("POST", "/api/tracks/door-1/person", {"person": "Bob", "enroll": False}, 422, "no member 'enroll'"),
        ("POST", "/api/tracks/door-1/person", {"person": "x" * 101}, 422, "write a name"),
        ("POST", "/api/tracks/door-1/person", ["Bob"], 422, ""),
        ("DELETE", "/api/tracks/door-1/person", None, 404, "has no name"),
        ("GET", "/api/visits?person=Nobody", None, 404, "nobody called 'Nobody'"),
        ("GET", "/api/visits?limit=0", None, 422, "limit '0'"),
    ):
        answer = api.http.request(method, path, json=body)
        assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True), answer.text
    assert api.get("/api/visits") == before


def test_without_the_people_process_names_stay_and_questions_say_so(
    broker: Broker, session_valkey: Valkey, tmp_path: Path
) -> None:
    Names(broker.scripts).write({"door-1": TrackName(person={"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.0})})
    Seeing(broker).stay("door-1", 0, 1)
    with dashboard(session_valkey.url, DashboardSettings(provider=LOCAL, port=0, data=tmp_path / "state")) as api:
        assert api.get("/api/results")["results"][0]["FaceDetails"][0]["Person"]["Name"] == "Grace Hopper"
        answer = api.http.get("/api/visits")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "PeopleAway")
