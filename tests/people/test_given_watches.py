"""The watches of rekstream.yml are taken over, changed and removed with it; those that people added stay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from people.alerts import Alerts
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from pipeline.requests import Requests
from rekstream import given_watches
from rekstream.given_watches import GivenWatches
from tests.conftest import wait_until
from tests.people.hooks import face, publish
from tests.people.support import people_process

URL = "http://127.0.0.1:9/s3cret"


def watch(who: str, **members: Any) -> dict[str, Any]:
    return {"who": who, "notify": URL, **members}


def test_a_file_is_followed_and_nothing_else_is_touched(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for its person is told of once, and taken when they are there."""
    monkeypatch.setattr(given_watches, "AGAIN_SECONDS", 0.05)
    CameraRegistry(broker.scripts).put([Camera("door", "demo", 5.0)])
    said: list[str] = []
    given = GivenWatches(broker, lambda who, what: said.append(what))
    requests = Requests(broker)

    def kept() -> list[tuple[str, str, float]]:
        return [(one["id"], one["who"], one["cooldown"]) for one in requests.ask("watches.list")["watches"]]

    given.set([watch("unknown"), watch("label=Dog"), watch("Grace Hopper"), watch("emotion=SAD", cameras=["door"])])
    with people_process(broker, tmp_path):
        wait_until(lambda: broker.scripts.exists("rekstream:serving:people"))
        by_hand = requests.ask("watches.add", watch("emotion=SAD", cooldown=5))
        wait_until(lambda: len(kept()) == 4)
        first = kept()
        assert sorted(who for _, who, _ in first) == ["emotion=SAD", "emotion=SAD", "label=Dog", "unknown"]
        assert len(said) == 1
        assert "'Grace Hopper'" in said[0]
        requests.ask("people.add", {"name": "Grace Hopper"})
        wait_until(lambda: len(kept()) == 5)
        given.set([watch("unknown"), watch("label=Dog", cooldown=1), watch("emotion=SAD", cooldown=7)])
        wait_until(lambda: ("label=Dog", 1.0) in [(who, cooldown) for _, who, cooldown in kept()])
        assert sorted(one[1:] for one in kept()) == [("emotion=SAD", 5.0), ("label=Dog", 1.0), ("unknown", 60.0)]
        assert {by_hand["id"]} < {one[0] for one in kept()} & {one[0] for one in first}
        assert said[1:] == [f"watch {by_hand['id']} says the same already: remove it first to change it"]
        given.set([])
        wait_until(lambda: [name for name, _, _ in kept()] == [by_hand["id"]])
    given.stop()
    assert "s3cret" not in str(said)


def test_a_people_process_that_is_away_holds_nobody_up(broker: Broker) -> None:
    """Whoever tends the system hands watches over and goes on at once."""
    broker.scripts.set(keys.serving("people"), "1")  # as if it were there, and never answered
    given = GivenWatches(broker, lambda who, what: None)
    began = time.monotonic()
    given.set([watch("unknown")])
    given.stop()
    assert time.monotonic() - began < 1
    request = Requests(broker).take(5)
    assert request is not None
    assert request.members == {"watches": [watch("unknown")]}
    Requests(broker).answer(request, {"refused": []})
    wait_until(lambda: given._thread is None)


def test_an_entry_whose_camera_is_not_there_for_a_while_keeps_its_watch_and_what_waits(broker: Broker, tmp_path: Path) -> None:
    """As after Redis was emptied, before the cameras are put back."""
    door = Camera("door", "demo", 5.0)
    CameraRegistry(broker.scripts).put([door])
    requests = Requests(broker)
    entry = watch("emotion=HAPPY", cameras=["door"])
    with people_process(broker, tmp_path) as process:
        wait_until(lambda: broker.scripts.exists("rekstream:serving:people"))
        assert requests.ask("watches.give", {"watches": [entry]}) == {"refused": []}
        (before,) = requests.ask("watches.list")["watches"]
        for at in (0.0, 0.2):
            publish(broker, "door", time.time() + at, FaceDetails=[face(track="door-1")])
        wait_until(lambda: requests.ask("watches.list")["watches"][0]["notify"][0]["waiting"] == 1)
        CameraRegistry(broker.scripts).remove("door")
        (room,) = [room for room in process.rooms if isinstance(room, Alerts)]
        wait_until(lambda: not room.cameras.all())
        other = watch("emotion=SAD", cameras=["door"])
        assert "there is no camera 'door'" in requests.ask("watches.give", {"watches": [entry, other]})["refused"][0]
        (after,) = requests.ask("watches.list")["watches"]
        assert (after["id"], after["notify"][0]["waiting"]) == (before["id"], 1)
        assert process.house.database.rows("SELECT count(*) FROM file_watches") == [(1,)]
