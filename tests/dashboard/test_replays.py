"""Archived frames are shown again on the page, and nobody else hears of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from dashboard import replays
from pipeline import keys
from pipeline.archive import Archive, ArchiveSettings, Item
from pipeline.archives import open_archive
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from pipeline.names import Names, TrackName
from pipeline.results import Results
from pipeline.settings import load
from pipeline.shared import Shared, SharedSettings
from rekstream import replay
from rekstream.client import Client, ServerError
from rekstream.replay import Span, show_again
from tests.dashboard.support import FACE, Api, Listener, picture, until
from tests.dashboard.watching import viewing
from vision.pictures import inspect

AT = 1_795_000_000.5
JPEG = picture()


def archived(number: int = 0, **members: Any) -> dict[str, Any]:
    """Return the JSON of an archived result."""
    return {
        "id": f"1795000000800-{number}", "camera": "door", "seq": 7, "width": 320, "height": 240, "age_seconds": 0.3,
        "captured_at": AT + number, "published_at": AT + number + 0.3, "provider": "aws us-east-1", "worker": "w:1",
        "operation": "DetectFaces", "stages": {"service": 0.2}, "FaceDetails": [{**FACE, "Track": "door-9"}], "error": None,
        "Covered": False,
    } | members  # fmt: skip


def send(api: Api, about: object, jpeg: bytes = JPEG, camera: str = "door") -> Any:
    return api.http.post(f"/api/replays/{camera}", files={"image": jpeg}, data={"result": json.dumps(about)})


def cameras(api: Api) -> dict[str, Any]:
    return {camera["id"]: camera for camera in api.get("/api/cameras")["cameras"]}


def test_a_frame_is_shown_with_its_result_as_a_camera_of_its_own(api: Api, broker: Broker) -> None:
    Names(broker.scripts).write({"door-9": TrackName({"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.0})})
    with Listener(api) as listener, viewing(api, **{"replay-door": "frame"}) as viewer:
        until(lambda: listener.of("stats"))
        assert send(api, archived()).json() == {"camera": "replay-door"}
        (result,) = until(lambda: listener.of("result"))
        shown = viewer.next()
    assert result["Replayed"] == {"camera": "door", "captured_at": AT, "published_at": AT + 0.3}
    assert result["provider"] == "aws us-east-1"
    assert result["FaceDetails"][0]["Person"]["Name"] == "Grace Hopper"
    assert result["published_at"] - result["captured_at"] == pytest.approx(0.3)
    assert shown.jpeg == JPEG
    assert shown.header["result_id"] == result["id"]
    assert cameras(api)["replay-door"]["status"]["state"] == "live"


def test_nobody_counts_it(api: Api, broker: Broker) -> None:
    for number in range(3):
        send(api, archived(number))
    assert Results(broker.scripts).latest(10) == []
    assert api.get("/api/results")["results"] == []
    stats = api.get("/api/stats")
    assert stats["frames"]["analysed"] == stats["frames"]["sampled"] == 0
    assert api.get("/api/worst")["worst"] == []
    assert not broker.scripts.exists(keys.tracks("replay-door"))


def test_a_replay_that_ends_leaves_nothing(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    send(api, archived())
    assert api.http.delete("/api/replays/door").status_code == 204
    assert cameras(api) == {}
    assert not broker.scripts.exists(keys.newest("replay-door"))
    assert api.http.delete("/api/replays/door").status_code == 204
    monkeypatch.setattr(replays, "SILENT_SECONDS", 0.1)
    send(api, archived())
    until(lambda: not cameras(api))


def test_in_privacy_faces_are_covered_first(api: Api, broker: Broker) -> None:
    SharedSettings(broker.scripts).write(Shared("local", "us-east-1", privacy=True))
    until(lambda: api.get("/api/stats")["privacy"])
    assert send(api, archived()).status_code == 200
    frame = Results(broker.scripts).newest_frame("replay-door")
    assert frame is not None
    assert frame.jpeg != JPEG
    assert (frame.width, frame.height) == (inspect(JPEG).width, inspect(JPEG).height)
    assert send(api, archived(FaceDetails=[{}])).json()["error"]["code"] == "PictureError"


def test_what_is_no_archived_result_is_refused(api: Api) -> None:
    refused: list[tuple[object, str]] = [
        ({}, "is not one that was archived"),
        ([1], "is not one that was archived"),
        (archived(captured_at="soon"), "is not one that was archived"),
        (archived(captured_at=float("nan")), "says no time"),
        (archived(operation="DetectLabels"), "only these are shown again"),
        (archived(error={"Code": "x"}), "only these are shown again"),
    ]
    for about, says in refused:
        answer = send(api, about)
        assert (answer.status_code, says in answer.json()["error"]["message"]) == (422, True), answer.text
    assert cameras(api) == {}


def test_other_bad_input_is_refused(api: Api) -> None:
    answer = api.http.post("/api/replays/door", files={"image": JPEG}, data={"result": "{"})
    assert "no JSON" in answer.json()["error"]["message"]
    assert send(api, archived(), b"no picture").status_code == 422
    assert send(api, archived(), camera="UP").status_code == 422
    assert cameras(api) == {}


def fill(folder: Path, *numbers: int) -> Archive:
    archive = open_archive(ArchiveSettings(folder=folder))
    for number in numbers:
        about = archived(number)
        archive.write(Item("door", about["captured_at"], about["id"]), JPEG, json.dumps(about).encode())
    return archive


def test_frames_come_as_far_apart_as_they_were_but_for_long_gaps() -> None:
    items = [Item("door", AT + seconds, "1-0") for seconds in (0, 1, 1.5, 600)]
    due = [when for _, when in replay._paced(iter(items), speed=10)]
    assert [later - earlier for earlier, later in pairwise(due)] == pytest.approx([0.1, 0.05, replay.LONGEST_GAP])


def test_the_command_shows_an_archive(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LONGEST_GAP", 0.1)
    monkeypatch.setattr(replay, "LATE_SECONDS", 30.0)
    fill(tmp_path / "frames", 0, 1, 2, 600)
    with Listener(api) as listener:
        until(lambda: listener.of("stats"))
        assert show_again(str(tmp_path / "frames"), load(), Client(api.url), Span(AT + 1, AT + 700, speed=10), Event()) == 0
        told = until(lambda: len(found := listener.of("result")) == 3 and found)
    assert capsys.readouterr().out == "3 frames were shown again (door as replay-door), 0 skipped to keep the pace, 0 refused\n"
    assert [result["Replayed"]["captured_at"] for result in told] == [AT + 1, AT + 2, AT + 600]
    assert cameras(api) == {}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"place": "nowhere"}, "nowhere is no folder: name the one that was given as --archive"),
        ({"cameras": ["yard"]}, "nothing of camera 'yard' is archived at"),
        ({"until": AT}, "between these times"),
        ({"place": "s3://frames"}, "let AWS answer with --aws if that is meant"),
    ],
    ids=["folder", "camera", "times", "aws"],
)
def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path: Path, told: dict[str, Any], says: str) -> None:
    fill(tmp_path / "frames", 0)
    place = told.get("place", str(tmp_path / "frames"))
    span = Span(0.0, told.get("until", AT + 9), told.get("cameras", ()))
    with pytest.raises(SettingsError, match=says):
        show_again(place, load(), Client("http://127.0.0.1:9"), span, Event())


def test_without_a_running_system_it_says_how_to_start_one(tmp_path: Path) -> None:
    fill(tmp_path / "frames", 0)
    with pytest.raises(ServerError, match="start it with `rekstream up`"):
        show_again(str(tmp_path / "frames"), load(), Client("http://127.0.0.1:9"), Span(0.0, AT + 9), Event())
