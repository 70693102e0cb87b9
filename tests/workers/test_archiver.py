"""Archiving never holds analysis up: what cannot be written waits within bounds, is dropped by cause, and is said."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from dashboard.settings import DashboardSettings
from pipeline import keys
from pipeline.archive import AWAY, PICTURE, RESULT, Archive, ArchiveError, ArchiveSettings, Item
from pipeline.archive_ledger import ArchiveLedger
from pipeline.archives import open_archive
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose, Result
from pipeline.metrics import ArchiveMetrics
from pipeline.presence import Presence
from pipeline.results import Results
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, dashboard
from tests.endpoint import Endpoint
from tests.workers.test_pool import Cameras, worker
from tests.workers.test_privacy import JPEG, share
from workers import archiver as room
from workers.archiver import Archiver


class Slow:
    """An archive that does as it is told: works, waits, or fails."""

    place = identity = "there"

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.error: ArchiveError | None = None
        self.written: list[str] = []

    def write(self, item: Item, jpeg: bytes, result: bytes, sent: str = "") -> None:
        self.may_go.wait(10)
        if self.error:
            raise self.error
        self.written.append(item.id)

    def close(self) -> None:
        pass


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE", 0.01)


@pytest.fixture
def start(slow: Any) -> Iterator[Callable[..., Archiver]]:
    started: list[Archiver] = []

    def begin(may_keep: Callable[[str, bool], bool] = lambda camera, is_covered: True) -> Archiver:
        started.append(Archiver(slow, 1, may_keep, ArchiveMetrics(registry)))
        started[-1].start()
        return started[-1]

    registry = CollectorRegistry()
    begin.registry = registry  # type: ignore[attr-defined]  # for `dropped`
    yield begin
    slow.may_go.set()
    for each in started:
        each.stop()


def dropped(start: Any) -> dict[str, int]:
    families = {family.name: family for family in start.registry.collect()}
    found = families["rekstream_archive_dropped"].samples
    return {each.labels["cause"]: int(each.value) for each in found if each.name.endswith("_total")}


def result(number: int = 0, camera: str = "door") -> Result:
    return Result(f"1-{number}", camera, 1, 1_795_000_000.0, 1_795_000_000.3, 640, 480, "local")


def test_more_than_the_archive_takes_is_dropped_without_waiting(
    start: Any, slow: Slow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 5 * (room.RESULT_BYTES + 1000))
    archiver = start()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            archiver.keep(result(number), b"x" * 1000, is_covered=False)
    assert time.monotonic() - began < 1
    assert dropped(start) == {"slow": 95}
    (record,) = caplog.records
    assert record.message.startswith("the archive there takes fewer frames than come: those that cannot wait are dropped")
    slow.may_go.set()
    wait_until(lambda: len(slow.written) == 5)


def test_a_failure_that_passes_is_tried_again_and_said_once(start: Any, slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    slow.error = ArchiveError("the archive there cannot be written to", AWAY)
    slow.may_go.set()
    archiver = start()
    with caplog.at_level(logging.WARNING):
        archiver.keep(result(1), b"jpeg", is_covered=False)
        wait_until(lambda: archiver.details["why"])
        archiver.keep(result(2), b"jpeg", is_covered=False)
        slow.error = None
        wait_until(lambda: slow.written == ["1-1", "1-2"])
    assert dropped(start) == {}
    assert archiver.details == {"place": "there", "identity": "there", "waiting": 0, "why": ""}
    assert [record.message for record in caplog.records] == [
        "the archive there cannot be written to; live analysis goes on, and frames that cannot wait are dropped and counted",
        "frames are archived again in there; 0 were not",
    ]


def test_what_failed_for_too_long_is_dropped_by_its_cause(start: Any, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE_SECONDS", 0.05)
    slow.error = ArchiveError("the archive there cannot be written to", "denied")
    slow.may_go.set()
    archiver = start()
    archiver.keep(result(), b"jpeg", is_covered=False)
    wait_until(lambda: dropped(start) == {"denied": 1})


def test_rules_are_asked_again_before_a_frame_is_written(start: Any, slow: Slow) -> None:
    keeps = {"door": False, "yard": True}
    archiver = start(lambda camera, is_covered: keeps[camera] or is_covered)
    slow.may_go.set()
    archiver.keep(result(1), b"jpeg", is_covered=False)
    archiver.keep(result(2, "yard"), b"jpeg", is_covered=False)
    archiver.keep(result(3), b"jpeg", is_covered=True)
    wait_until(lambda: slow.written == ["1-2", "1-3"])
    assert dropped(start) == {"rules": 1}


def test_what_is_of_no_camera_is_refused(start: Any, slow: Slow) -> None:
    archiver = start()
    archiver.keep(result(1, "../etc"), b"jpeg", is_covered=False)
    assert dropped(start) == {"refused": 1}


def test_a_stop_writes_what_waits(start: Any, slow: Slow) -> None:
    archiver = start()
    for number in range(5):
        archiver.keep(result(number), b"jpeg", is_covered=False)
    threading.Timer(0.1, slow.may_go.set).start()
    archiver.stop()
    assert len(slow.written) == 5
    assert dropped(start) == {"stopped": 0}


def folder_of(path: Path) -> Archive:
    return open_archive(ArchiveSettings(folder=path))


def items_of(path: Path) -> list[Item]:
    archive = folder_of(path)
    return [item for camera in archive.cameras() for item in archive.items(camera)]


def test_a_worker_archives_what_may_be_kept_with_its_result(broker: Broker, tmp_path: Path) -> None:
    """As it came, then covered, once privacy was said to all; of an audience never. Where that cannot be, analysis goes on."""
    cameras, frames = Cameras(broker, 2), tmp_path / "frames"
    CameraRegistry(broker.scripts).put([Camera("cam0", "demo", 5), Camera("cam1", "demo", 5, purpose=Purpose.AUDIENCE)])
    frames.write_text("this is a file")
    with Endpoint() as endpoint, worker(broker._url, endpoint.url, archive=frames) as process:
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 3)
        (told,) = wait_for(lambda: broker.scripts.hvals(keys.ARCHIVE_WAITING))
        assert int(told) >= 1  # a kill would take them along
        frames.unlink()
        cameras.offer_until(lambda: len(items_of(frames)) >= 3)
        share(broker, privacy=True)
        cameras.jpeg = JPEG
        cameras.offer_until(lambda: any(is_covered(frames, item) for item in items_of(frames)))
        said = process.close()
    assert broker.scripts.hlen(keys.ARCHIVE_WAITING) == 0
    assert said.count(f"the archive {frames} cannot be used (Not a directory): name a folder with --archive") == 1
    assert "live analysis goes on" in said
    assert cameras.add_up()
    archive, results = folder_of(frames), Results(broker.scripts).latest(1000)
    assert archive.cameras() == ["cam0"]
    of_door = {found.id: found for found in results if found.camera == "cam0"}
    for item in items_of(frames):
        assert archive.read(item, PICTURE) != JPEG or not is_covered(frames, item)
        kept = json.loads(archive.read(item, RESULT) or b"")
        assert kept == json.loads(json.dumps(of_door[item.id].as_json())) | {"Covered": is_covered(frames, item)}
    assert archive.read(items_of(frames)[0], PICTURE) == b"jpeg"


def wait_for(ask: Callable[[], Any]) -> Any:
    """Return what an answer is once it is something."""
    wait_until(ask)
    return ask()


def test_what_waited_in_a_killed_worker_is_counted_once_and_told(
    session_valkey: Valkey, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.parts.COUNT_SECONDS", 0.05)
    alive = Presence(broker.scripts, "worker", "1")
    alive.start()
    wait_until(lambda: broker.scripts.exists(keys.process("worker", alive.name)))
    for name, waiting in (("killed", 7), (alive.name, 5), ("idle", 1)):
        ArchiveLedger(broker.scripts).tell(name, waiting)
    ledger = ArchiveLedger(broker.scripts)
    ledger.tell("idle", 2)
    ledger.tell("idle", 0)
    settings = DashboardSettings(data=tmp_path, provider=LOCAL, port=0)
    with dashboard(session_valkey.url, settings) as api, dashboard(session_valkey.url, replace(settings, data=tmp_path / "2")):
        wait_until(lambda: broker.scripts.hkeys(keys.ARCHIVE_WAITING) == [alive.name.encode()])
        told = [notice["text"] for notice in api.get("/api/notices")["notices"] if notice["kind"] == "archive"]
        assert set(told) <= {"about 7 frames were not archived: the worker in which they waited was killed"}
        assert 'rekstream_archive_dropped_total{cause="killed"} 7.0' in api.http.get("/metrics").text
    alive.stop()


def is_covered(path: Path, item: Item) -> bool:
    return bool(json.loads(folder_of(path).read(item, RESULT) or b"{}").get("Covered"))
