"""A capture with a gate, a label clock and a schedule: on real video, and with the accounts of the real mailbox."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.broker import Broker
from pipeline.clock import SystemClock
from pipeline.entities import Camera, CameraState, Frame, Gate, Operation, Policy
from pipeline.jobs import JobQueue
from pipeline.keys import labels_mailbox
from pipeline.mailbox import Mailbox, Offer
from producer.capture import Capture
from producer.gate import gate_of
from producer.sources import open_source
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess
from tests.clips import CLIPS, write_video
from tests.conftest import wait_until
from tests.producer.test_capture import is_in
from tests.producer.test_gate import somebody
from tests.producer.witness import RunningCapture, Witness

FPS = 5.0
HERE, UNTIL = 2.0, 3.0  # seconds of the film in which somebody is there
SECONDS = 5.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of an empty room through which somebody walks for a second."""
    return write_video(tmp_path_factory.mktemp("film") / "a.mp4", somebody(HERE, UNTIL, seconds=SECONDS), (640, 360))


@pytest.fixture(scope="module")
def empty_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the empty room."""
    clip = replace(CLIPS["empty"], seconds=SECONDS)
    return write_video(tmp_path_factory.mktemp("empty") / "a.mp4", clip, (640, 360))


def camera(path: Path | str, policy: Policy = Policy.EVERY, **rules: object) -> Camera:
    return replace(Camera("front_door", str(path), fps=FPS, policy=policy), **rules)  # type: ignore[arg-type]  # by their names


def read_to_the_end(wanted: Camera) -> Witness:
    with RunningCapture(wanted, gate=gate_of(wanted)) as seen:
        seen.wait_for(is_in(CameraState.ENDED), 20)
    return seen


def faces(seen: Witness) -> list[Frame]:
    return [frame for frame in seen.frames if frame.camera == "front_door"]


# --- gate ---


def test_only_frames_with_a_face_leave_and_all_are_accounted_for(film: Path) -> None:
    """Each sampled frame is either offered or dropped, with the reason."""
    seen = read_to_the_end(camera(film, gate=Gate.FACE))
    offered = [frame.number for frame in faces(seen)]
    assert {11, 12, 13, 14, 15} <= set(offered) <= set(range(11, 20))
    last = seen.settled[-1]
    assert last.number == SECONDS * FPS
    assert sum(last.drops.values()) == last.number - len(offered)
    assert last.drops["no_motion"] > 5


def test_the_accounts_of_the_real_mailbox_add_up(film: Path, broker: Broker) -> None:
    """Nobody analyses anything: what passed waits, or was superseded; the gate's part is dropped by cause."""
    wanted = camera(film, Policy.LATEST, gate=Gate.FACE)
    mailbox, stop, witness = Mailbox(broker.scripts, JobQueue(broker.jobs)), threading.Event(), Witness()
    capture = Capture(
        wanted,
        open_camera=open_source,
        outbox=mailbox,
        clock=SystemClock(),
        report=witness.report,
        gate=gate_of(wanted),
    )
    thread = threading.Thread(target=capture.run, args=[stop])
    thread.start()
    wait_until(lambda: mailbox.balance("front_door").dropped.get("no_motion", 0) > 3)
    stop.set()
    thread.join()
    balance = mailbox.balance("front_door")
    assert balance.adds_up
    assert balance.sampled == capture.ledger.statement().number
    assert balance.in_flight + balance.superseded >= 1


def test_the_status_says_what_the_gate_sees_and_saves(rtsp: CameraProcess) -> None:
    """The RTSP camera shows two people who move all the time; without a gate nothing is said."""
    wanted = camera(rtsp.url("720"), Policy.LATEST, gate=Gate.FACE)
    with RunningCapture(wanted, gate=gate_of(wanted)) as seen:
        seen.wait_for(lambda seen: seen.statuses and seen.statuses[-1].gate_sees == "2 faces", 10)
        seen.wait_for(lambda seen: seen.statuses[-1].gate_passed > 2, 5)
    assert seen.statuses[-1].gate_sees == ""  # it is off now
    with RunningCapture(camera(rtsp.url("360"), Policy.LATEST)) as seen:
        seen.wait_for(is_in(CameraState.LIVE), 10)
        seen.wait_for_frames(3)
    assert {(status.gate_sees, status.gate_passed, status.gate_saved) for status in seen.statuses} == {("", 0.0, 0.0)}


# --- labels ---


def test_labels_are_asked_on_their_own_clock_from_their_own_mailbox(film: Path) -> None:
    """Each second, of every fifth frame of this film, besides what is asked of faces; numbered for themselves."""
    seen = read_to_the_end(camera(film, labels=1.0))
    asked = [frame for frame in seen.frames if frame.camera == labels_mailbox("front_door")]
    assert len(faces(seen)) == SECONDS * FPS
    assert [frame.number for frame in asked] == [1, 2, 3, 4, 5]
    assert {frame.operation for frame in asked} == {Operation.DETECT_LABELS}
    assert {tuple(frame.options.items()) for frame in asked} == {(("MaxLabels", 20), ("MinConfidence", 55))}
    assert {frame.jpeg for frame in asked} <= {frame.jpeg for frame in faces(seen)}
    assert all((frame.width, frame.height) == (640, 360) and frame.captured_at for frame in asked)


def test_an_unchanged_scene_is_not_labelled_again(empty_film: Path, film: Path) -> None:
    """Where a gate watches it; once its background is known."""
    times = {}
    for path in (empty_film, film):
        seen = read_to_the_end(camera(path, labels=1.0, gate=Gate.FACE))
        times[path] = [frame.number for frame in seen.frames if frame.operation == Operation.DETECT_LABELS]
    assert len(times[empty_film]) <= 3
    assert len(times[film]) > len(times[empty_film])


def test_labels_that_redis_does_not_take_hold_up_no_face(film: Path) -> None:
    """Their mailbox may be full, or the answer be lost: the faces go on, and the labels' own accounts add up later."""
    wanted = camera(film, labels=1.0)
    running = RunningCapture(wanted)
    running.witness.answer = lambda frame: Offer.FENCED if frame.operation == Operation.DETECT_LABELS else Offer.ENQUEUED
    with running as seen:
        seen.wait_for(is_in(CameraState.ENDED), 20)
    assert len(faces(seen)) == SECONDS * FPS
    assert seen.settled[-1].number == 5


# --- schedule ---


class WallClock:
    """A clock on the wall that a test turns."""

    def __init__(self, hour: int) -> None:
        self.now = datetime(2026, 11, 23, hour, 0)  # noqa: DTZ001  # a Monday, local time

    def __call__(self) -> datetime:
        return self.now


def test_a_camera_rests_outside_of_its_times_and_comes_back(rtsp: CameraProcess) -> None:
    """It is closed, says until when, and is sampled again when its time has come, numbered on; that is no reconnect."""
    clock = WallClock(7)
    wanted = camera(rtsp.url("360"), Policy.LATEST, schedule="mon-fri 08:00-18:00")
    with RunningCapture(wanted, wall_clock=clock) as seen:
        seen.wait_for(is_in(CameraState.OFF, "resting until Mon 08:00"), 3)
        assert not seen.frames
        clock.now = clock.now.replace(hour=8)
        first = seen.wait_for_frames(2)
        clock.now = clock.now.replace(hour=18)
        seen.wait_for(is_in(CameraState.OFF, "resting until Tue 08:00"), 3)
        before = len(seen.frames)
        clock.now = clock.now.replace(day=24, hour=9)
        second = seen.wait_for_frames(1)
        seen.wait_for(is_in(CameraState.LIVE), 3)
        assert seen.statuses[-1].reconnects == 0
    assert first[0].number == 1
    assert second[0].number >= before


def test_who_rests_can_be_stopped_and_shows_nobody_anything(rtsp: CameraProcess) -> None:
    """Previews are closed, too, and asked for by nobody meanwhile."""
    audience = Onlookers()
    running = RunningCapture(
        camera(rtsp.url("360"), Policy.LATEST, schedule="08:00-09:00"), wall_clock=WallClock(10), audience=audience
    )
    with running as seen:
        seen.wait_for(is_in(CameraState.OFF, "resting"), 3)
        seen.wait_for(lambda seen: len(seen.statuses) > 2, 5)
    assert (audience.looks, audience.closed) == (0, 2)


def test_a_file_that_is_read_is_read_to_its_end(clips: Clips) -> None:
    """It begins in its time, and is not torn apart by the end of it."""
    clock = WallClock(8)
    wanted = camera(clips.video("360"), schedule="08:00-09:00")
    with RunningCapture(wanted, wall_clock=clock) as seen:
        seen.wait_for_frames(1)
        clock.now = clock.now.replace(hour=9)
        seen.wait_for(is_in(CameraState.ENDED), 15)
    assert len(seen.frames) == 10


class Onlookers:
    """An audience that counts how often it is asked for."""

    def __init__(self) -> None:
        self.looks = self.closed = 0

    def wants(self) -> bool:
        return False

    def put(self, sample: object) -> None:
        raise AssertionError("nobody wanted it")

    def look(self) -> None:
        self.looks += 1

    def close(self) -> None:
        self.closed += 1
