"""Forgetting: out of everything that tells of a person, and a search that proves it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dashboard.settings import DashboardSettings
from people import process as process_module
from people import rooms
from people.house import Room
from pipeline import keys
from pipeline.broker import Broker
from pipeline.names import Names
from pipeline.results import Results
from tests.conftest import wait_until
from tests.dashboard.support import dashboard
from tests.people.conftest import Chain, People, running
from tests.rekognition_local.people import picture
from tests.vision.scenes import ASTRONAUT, HOPPER


def _see(broker: Broker, camera: str, faces: list[dict[str, Any]], **members: object) -> str:
    """Publish a result as workers do, with its picture as the camera's newest; return its id."""
    now = time.time()
    result = {"seq": 1, "captured_at": now, "answered_at": now, "width": 9, "height": 9, "FaceDetails": faces, **members}
    entry: Any = broker.scripts.xadd(
        keys.RESULTS, {"camera": camera, "published_at": f"{now:.6f}", "result": json.dumps(result, separators=(",", ":"))}
    )
    about = {"jpeg": b"a face", "meta": "{}", "seq": 1, "result_id": entry}
    broker.scripts.hset(keys.newest(camera), mapping=about)
    return str(entry.decode())


def _worst(people: People) -> set[str]:
    return {frame["id"] for frame in people.api.get("/api/worst")["worst"]}


def test_other_dashboards_forget_too_and_who_stays_is_nobody(people: People, tmp_path: Path) -> None:
    """Whoever asked: what any dashboard keeps of the person goes; later results of the same track are no trace of them."""
    grace = people.add("Grace Hopper").json()
    with people.process.house.database.transaction():
        people.process.house.database.execute("INSERT INTO attic VALUES (?)", grace["id"])
    settings = DashboardSettings(data=tmp_path, provider=people.chain.provider, port=0)
    with dashboard(people.chain.redis_url, settings) as other:
        hers = _see(people.chain.broker, "hall", [{"Track": "door-7"}])
        wait_until(lambda: hers in {frame["id"] for frame in other.get("/api/worst")["worst"]})
        assert people.api.http.delete(f"/api/people/{grace['id']}").status_code == 204
        assert not people.chain.broker.scripts.exists(keys.newest("hall"))
        wait_until(lambda: hers not in {frame["id"] for frame in other.get("/api/worst")["worst"]})


class Attic(Room):
    """A room that keeps something of people."""

    tables: ClassVar[tuple[str, ...]] = ("CREATE TABLE IF NOT EXISTS attic (person TEXT NOT NULL) STRICT",)
    is_stubborn: ClassVar[bool] = False

    def forget(self, person_id: str) -> Mapping[str, int]:
        if self.is_stubborn:
            return {"boxes": 0}
        with self.house.database.transaction():
            return {"boxes": self.house.database.execute("DELETE FROM attic WHERE person = ?", person_id).rowcount}

    def remaining(self, person_id: str) -> Mapping[str, int]:
        return {"boxes": self.house.database.rows("SELECT count(*) FROM attic WHERE person = ?", person_id)[0][0]}

    def tracks_of(self, person_id: str) -> Sequence[str]:
        """Return the tracks of a month."""
        return [f"door-{n}" for n in range(5000)] if self.remaining(person_id)["boxes"] else []


@pytest.fixture(scope="module")
def home(chain: Chain, _hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """People with an attic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_module, "ROOMS", (*rooms.ROOMS, Attic))
        patch.setattr(process_module, "TABLES", (*rooms.TABLES, *Attic.tables))
        with running(chain, tmp_path_factory.mktemp("people"), f"test-{uuid.uuid4().hex[:8]}") as found:
            yield found


def test_a_person_is_removed_from_everywhere_and_searches_find_nothing(people: People) -> None:
    grace = people.add("Grace Hopper", picture(HOPPER), picture(HOPPER, "light")).json()
    eileen = people.add("Eileen Collins", picture(ASTRONAUT)).json()
    broker = people.chain.broker
    names = Names(broker.scripts)
    seen: dict[str, list[str]] = {}
    for camera, person in (("door", grace), ("yard", eileen)):
        track, face = f"{camera}-1", {"FaceId": person["faces"][0]["id"], "UserId": person["id"]}
        found = {"operation": "SearchFacesByImage", "FaceMatches": [{"Similarity": 99.5, "Face": face}], "Weight": 1.0}
        broker.scripts.hset(keys.face(track), mapping={"camera": camera, "jpeg": b"a crop"})
        seen[camera] = [
            _see(broker, camera, [{"Track": track}]),
            _see(broker, f"{camera}:1", [], Track=track, **found),
        ]
    hers, searched = seen["door"]
    others = seen["yard"][0]
    wait_until(lambda: names.of(["door-1", "yard-1"]).keys() == {"door-1", "yard-1"})
    wait_until(lambda: {hers, others} <= _worst(people))

    files = {"image": ("a.jpg", picture(HOPPER, "dark"), "image/jpeg")}
    answer = people.api.http.post("/api/people/Grace Hopper/forget", files=files, timeout=60)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["name"], done["unreachable"]) == ("Grace Hopper", [])
    assert set(done["remaining"].values()) == {0}, done
    assert {"faces", "users", "names", "results", "pictures", "people", "audit", "matches"} <= done["remaining"].keys()
    assert {what: done["removed"][what] for what in ("faces", "users", "names", "results", "people")} == {
        "faces": 2,
        "users": 1,
        "names": 1,
        "results": 2,
        "people": 1,
    }
    assert done["removed"]["pictures"] == 3  # the newest of the door and of its search, and the crop

    left = {result.id for result in Results(broker.scripts).latest()}
    assert others in left
    assert not {hers, searched} & left
    assert hers not in _worst(people)  # the dashboard's own memory
    assert people.users() == [eileen["id"]]
    assert names.of(["door-1", "yard-1"]).keys() == {"yard-1"}
    assert broker.scripts.exists(keys.newest("yard"), keys.face("yard-1")) == 2
    assert people.api.http.get("/api/people/Grace Hopper").status_code == 404
    log = people.api.get("/api/audit")["audit"]
    assert log[0]["what"] == "forget"
    assert grace["id"] not in json.dumps(log)
    for path in people.data.glob("people.sqlite*"):
        assert not [trace for trace in (b"Grace", grace["id"].encode()) if trace in path.read_bytes()], path


def test_without_a_worker_forgetting_is_said_to_be_unfinished_and_goes_on_later(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure in the middle is said; nobody is recognised as the person meanwhile; saying it again finishes it."""
    grace = people.add("Grace Hopper", picture(HOPPER)).json()
    with monkeypatch.context() as patch:
        patch.setattr("people.calls.living", lambda *_: [])
        failed = people.api.http.delete(f"/api/people/{grace['id']}")
        assert (failed.status_code, failed.json()["error"]["code"]) == (502, "ProviderError")
        assert "is recognised no more, but not all is deleted yet (no worker is running" in failed.json()["error"]["message"]
        shown = people.api.get(f"/api/people/{grace['id']}")
        assert (shown["forgetting"], shown["enrolled"]) == (True, False)
    assert people.api.http.delete(f"/api/people/{grace['id']}").status_code == 204
    assert (people.faces(), people.users()) == ([], [])


@pytest.mark.parametrize(("is_stubborn", "removed", "left"), [(False, 1, 0), (True, 0, 1)], ids=["forgets", "keeps"])
def test_the_proof_searches_and_does_not_believe(
    people: People, monkeypatch: pytest.MonkeyPatch, *, is_stubborn: bool, removed: int, left: int
) -> None:
    """What a room did not remove is found by the search, whatever the room said."""
    monkeypatch.setattr(Attic, "is_stubborn", is_stubborn)
    grace = people.add("Grace Hopper").json()
    with people.process.house.database.transaction():
        people.process.house.database.execute("INSERT INTO attic VALUES (?)", grace["id"])
    seen = _see(people.chain.broker, "door", [{"Track": "door-7"}])
    done = people.api.http.post(f"/api/people/{grace['id']}/forget").json()
    assert (done["removed"]["boxes"], done["remaining"]["boxes"]) == (removed, left)
    assert seen not in {result.id for result in Results(people.chain.broker.scripts).latest()}
