"""Sources looked at on request, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.broker import Broker
from pipeline.checks import CheckRequest, Checks, SourceCheck
from pipeline.errors import redact
from producer.checks import Checker, CheckSettings, look
from producer.probe import FindFaces
from producer.sources.base import Image
from tests.conftest import Valkey
from vision.pictures import decode, inspect


def finds_a_face_when_it_is_red() -> FindFaces:
    """Stand in for the detector: one face where the red channel comes first."""

    def find(rgb: Image) -> list[int]:
        return [rgb.shape[0] // 4] if rgb[..., 0].mean() != rgb[..., 2].mean() else []

    return find


def crashes() -> FindFaces:
    """Stand in for a library that takes its process along."""
    os._exit(7)


@pytest.fixture
def settings(portraits: Path) -> CheckSettings:
    return CheckSettings(finds_a_face_when_it_is_red, portraits)


@pytest.fixture
def checks(broker: Broker, settings: CheckSettings, request: pytest.FixtureRequest) -> Iterator[Checks]:
    """A producer that checks, with the settings changed as the test's parameter says."""
    stop = threading.Event()
    checker = Checker(broker, replace(settings, **getattr(request, "param", {})), stop)
    checker.start()
    yield Checks(broker)
    stop.set()
    checker.join()


def test_a_source_is_seen_and_shown(checks: Checks) -> None:
    """Size, rate, the faces' heights, and a small picture of it."""
    found = checks.ask("demo")
    assert found is not None
    assert found.ok, found.sentence
    assert (found.width, found.height) == (1280, 720)
    assert set(found.faces) == {180}
    assert "faces are about 180 px high, which is enough" in found.sentence
    picture = inspect(found.picture)
    assert (picture.format, picture.width, picture.height) == ("jpeg", 480, 270)


def test_what_is_masked_is_not_shown(checks: Checks) -> None:
    """Neither in the picture nor in what is said of faces: below the mask everything is grey."""
    found = checks.ask("demo", masks=(((0, 0), (1, 0), (1, 1), (0, 1)),))
    assert found is not None
    assert found.faces == ()
    assert decode(found.picture).std() == 0


def test_what_is_wrong_is_a_sentence(checks: Checks) -> None:
    """The source's own, without a password."""
    url = "rtsp://admin:s3cr3t@127.0.0.1:1/x"
    found = checks.ask(url)
    assert found is not None
    assert not found.ok
    assert redact(url) in found.sentence
    assert not found.picture


@pytest.mark.parametrize("checks", [{"longest_seconds": 0.7}], indirect=True)
def test_a_camera_that_hangs_is_given_up(checks: Checks, broker: Broker) -> None:
    """Its process is gone afterwards, and the next check is done."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = checks.ask(f"rtsp://admin:s3cr3t@127.0.0.1:{silent.getsockname()[1]}/x")
    assert found is not None
    assert "did not let itself be read within 0.7 s" in found.sentence
    assert "s3cr3t" not in found.sentence
    assert multiprocessing.active_children() == []


def test_a_producer_that_ends_meanwhile_does_not_blame_the_camera(broker: Broker, settings: CheckSettings) -> None:
    """Nobody is sent to look for a wrong address."""
    stop = threading.Event()
    stop.set()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = look(CheckRequest("a", f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"), settings, stop)
    assert found.sentence == "the producer ended before it had seen anything: try again"


@pytest.mark.parametrize("checks", [{"find_faces": crashes}], indirect=True)
def test_a_crash_is_told(checks: Checks) -> None:
    """It takes nothing but its own process along."""
    found = checks.ask("demo")
    assert found is not None
    assert not found.ok
    assert "ended the check's own process" in found.sentence


def test_a_request_that_nobody_takes_leaves_nothing(broker: Broker) -> None:
    """It comes back empty-handed, and no URL stays in Redis."""
    assert Checks(broker).ask("rtsp://admin:s3cr3t@10.0.0.7/main", seconds=0.2) is None
    assert list(broker.scripts.scan_iter("*check*")) == []


def test_checks_go_on_after_redis_was_away(own_valkey: Valkey, settings: CheckSettings) -> None:
    """The server may be killed and come back empty."""
    broker, stop = Broker(own_valkey.url), threading.Event()
    checker = Checker(broker, settings, stop)
    checker.start()
    own_valkey.kill()
    own_valkey.start()
    found = Checks(broker).ask("demo")
    stop.set()
    checker.join()
    broker.close()
    assert found is not None
    assert found.ok, found.sentence


@pytest.mark.parametrize("text", [{}, {"ok": True}, SourceCheck(ok=True, sentence="x").as_json() | {"faces": 3}])
def test_a_check_of_another_version_is_no_check(text: dict[str, object]) -> None:
    """What cannot be read is refused as such."""
    with pytest.raises(ValueError, match="not a check"):
        SourceCheck.from_json(text)
