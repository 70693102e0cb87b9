"""What must not be lost is put back into an emptied Redis; what was removed stays removed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dashboard.keeper import Keeper
from dashboard.settings import DashboardSettings
from dashboard.state import StateFile
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.errors import CameraExists, UnknownCamera
from tests.conftest import Valkey
from tests.dashboard.support import Api, camera, dashboard, put_cameras, until

URL = "rtsp://admin:s3cr3t@10.0.0.7/main"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    file = StateFile(tmp_path)
    yield file
    file.close()


def ids(api: Api) -> list[str]:
    return [shown["id"] for shown in api.get("/api/cameras")["cameras"]]


def test_cameras_come_back_after_a_restart_of_redis(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """Those added through the API and those given come back within a second, with their changes and passwords."""
    broker = Broker(own_valkey.url)
    settings = dataclasses.replace(settings, given=(camera("given"), camera("unwanted")))
    with dashboard(own_valkey.url, settings) as api:
        assert ids(api) == ["given", "unwanted"]
        api.http.post("/api/cameras", json={"id": "door", "url": URL})
        api.http.post("/api/cameras", json={"id": "gone", "url": "demo"})
        put_cameras(broker, camera("configured"))
        until(lambda: "configured" in ids(api))
        for removed in ("gone", "unwanted"):
            assert api.http.delete(f"/api/cameras/{removed}").status_code == 204
        api.http.patch("/api/cameras/door", json={"fps": 2})
        api.http.patch("/api/cameras/given", json={"paused": True})
        until(lambda: _has_seen_everything(api, broker))
        own_valkey.kill()
        answer = api.http.get("/api/cameras")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "BrokerError"
        assert answer.elapsed.total_seconds() < 1
        own_valkey.start()
        until(lambda: api.http.get("/api/cameras").is_success and len(ids(api)) == 3, patience=3)
        shown = {shown["id"]: shown for shown in api.get("/api/cameras")["cameras"]}
    assert set(shown) == {"configured", "door", "given"}
    assert shown["door"]["fps"] == 2
    assert shown["given"]["paused"] is True
    registry = CameraRegistry(Broker(own_valkey.url).scripts)
    assert registry.get("door").url == URL
    broker.close()


def test_stored_cameras_outlive_the_dashboard_and_given_ones_do_not(
    session_valkey: Valkey, broker: Broker, settings: DashboardSettings
) -> None:
    """Another dashboard over the same data folder puts back what was added, not what was given."""
    with dashboard(session_valkey.url, dataclasses.replace(settings, given=(camera("given"),))) as api:
        api.http.post("/api/cameras", json={"id": "door", "url": URL})
        assert ids(api) == ["door", "given"]
    broker.scripts.flushall()
    with dashboard(session_valkey.url, settings) as api:
        assert ids(api) == ["door"]


def test_what_is_there_already_is_not_overwritten(broker: Broker, state: StateFile) -> None:
    """Whoever put a camera into Redis meanwhile knows better."""
    state.keep(camera("door", fps=1.0))
    put_cameras(broker, camera("door", fps=9.0))
    Keeper(broker.scripts, state, [camera("gate")]).look()
    assert [(known.id, known.fps) for known in CameraRegistry(broker.scripts).all()] == [("door", 9.0), ("gate", 5.0)]


def test_an_emptied_redis_is_noticed_although_somebody_wrote_to_it(broker: Broker, state: StateFile) -> None:
    """The marker tells, not the version of the list: others may have put cameras first."""
    keeper = Keeper(broker.scripts, state)
    keeper.add(camera("door"))
    broker.scripts.flushall()
    put_cameras(broker, camera("gate"))
    keeper.look()
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["door", "gate"]


def test_a_change_right_after_the_loss_finds_its_camera(broker: Broker, state: StateFile) -> None:
    """Add, change and remove look first whether something has to be put back."""
    keeper = Keeper(broker.scripts, state)
    keeper.add(camera("door"))
    keeper.add(camera("gate"))
    broker.scripts.flushall()
    keeper.change(camera("door", fps=1.0))
    broker.scripts.flushall()
    keeper.remove("gate")
    broker.scripts.flushall()
    with pytest.raises(CameraExists):
        keeper.add(camera("door"))
    with pytest.raises(UnknownCamera):
        keeper.remove("gate")
    assert [(known.id, known.fps) for known in state.cameras()] == [("door", 1.0)]


def test_given_cameras_may_be_set_anew(broker: Broker, state: StateFile) -> None:
    """`set_given` says what is put back from now on, and leaves Redis alone."""
    keeper = Keeper(broker.scripts, state, [camera("old")])
    keeper.look()
    keeper.set_given([camera("new")])
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["old"]
    broker.scripts.flushall()
    keeper.look()
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["new"]


def test_a_given_camera_that_was_removed_stays_removed(broker: Broker, state: StateFile) -> None:
    """Even if Redis is lost right after the removal."""
    keeper = Keeper(broker.scripts, state, [camera("given"), camera("other")])
    keeper.look()
    keeper.remove("given")
    broker.scripts.flushall()
    keeper.look()
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["other"]


def test_a_camera_that_cannot_be_read_is_passed_over(
    broker: Broker, state: StateFile, caplog: pytest.LogCaptureFixture
) -> None:
    """One broken entry does not keep the others from being remembered."""
    keeper = Keeper(broker.scripts, state)
    keeper.look()
    broker.scripts.hset("rekstream:cameras", "odd", "{}")
    put_cameras(broker, camera("door"))
    keeper.look()
    broker.scripts.flushall()
    keeper.look()
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["door"]
    assert "passed over" in caplog.text


def test_a_full_disk_is_logged_and_live_analysis_goes_on(
    broker: Broker, state: StateFile, caplog: pytest.LogCaptureFixture
) -> None:
    """A camera that cannot be stored is added all the same, and written as soon as that is possible."""
    keeper = Keeper(broker.scripts, state)
    with caplog.at_level(logging.WARNING):
        state._database.execute("PRAGMA query_only = ON")
        keeper.add(camera("door"))
    assert "cannot be written into the state file" in caplog.text
    assert [known.id for known in CameraRegistry(broker.scripts).all()] == ["door"]
    assert state.cameras() == []
    state._database.execute("PRAGMA query_only = OFF")
    keeper.look()
    assert [known.id for known in state.cameras()] == ["door"]


def test_nothing_changes_while_redis_is_away(own_valkey: Valkey, state: StateFile) -> None:
    """A change that Redis did not take is not stored either."""
    broker = Broker(own_valkey.url)
    keeper = Keeper(broker.scripts, state)
    own_valkey.kill()
    with pytest.raises(redis.RedisError):
        keeper.add(camera("door"))
    assert state.cameras() == []
    broker.close()
    own_valkey.start()


def _has_seen_everything(api: Api, broker: Broker) -> bool:
    """Wait until the keeper had a round after the last change: it renews its marker in each."""
    (marker,) = broker.scripts.keys("rekstream:keeper:*")
    broker.scripts.expire(marker, 100)
    return until(lambda: int(broker.scripts.ttl(marker)) > 100)
