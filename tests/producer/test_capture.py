"""One camera's life, with a real camera that is wronged in every way, and with a Redis that comes and goes."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import redis

from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry, Lease
from pipeline.clock import SystemClock
from pipeline.entities import Camera, CameraState, Policy
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from producer.capture import Capture, Outcome
from producer.sources import Source, open_source
from producer.sources.base import Image, Moment, Picture, Pixels
from producer.sources.stream import open_stream
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess, rtsp_camera
from tests.conftest import Valkey, wait_until
from tests.producer.witness import RunningCapture, Witness, stamp_of

FREEZE_SEEN_SECONDS = 5.0
BACK_SECONDS = 5.0
FPS = 5.0


def camera(url: str, policy: Policy = Policy.LATEST, fps: float = FPS) -> Camera:
    return Camera("front_door", url, fps=fps, policy=policy, attributes=("SMILE",))


def is_in(state: CameraState, message: str = "") -> Callable[[Witness], bool]:
    return lambda seen: seen.state is state and message in seen.message


# --- what a camera may do to us ---


def test_frames_come_at_the_rate_asked_for_and_fresh(rtsp: CameraProcess) -> None:
    """Five a second, numbered without a gap, each a tenth of a second old at most, and the status says what it is."""
    with RunningCapture(camera(rtsp.url("720"))) as seen:
        frames = seen.wait_for_frames(11)
        seen.wait_for(lambda seen: seen.statuses[-1].capture_fps > 0, 3)
    assert [frame.number for frame in frames] == list(range(1, 12))
    steps = np.diff([frame.captured_at for frame in frames])
    assert np.mean(steps[1:]) == pytest.approx(1 / FPS, abs=0.06)
    assert {(frame.width, frame.height, frame.attributes) for frame in frames} == {(1280, 720, ("SMILE",))}
    ages = [(frame.captured_at - rtsp.started - (stamp_of(frame) or 0) / 25) % 2.0 for frame in frames]
    assert sorted(ages)[5] < 0.5
    status = seen.statuses[-2]
    assert (status.codec, status.width, status.height, status.reconnects) == ("h264", 1280, 720, 0)
    assert status.capture_fps == pytest.approx(25, abs=8)
    assert seen.state is CameraState.OFF


def test_a_camera_that_is_down_at_first(clips: Clips) -> None:
    """It is said what is wrong, and the camera is live within 5 s of its start."""
    late = rtsp_camera({"360": clips.video("360")})
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        late.port = reserved.getsockname()[1]
    with RunningCapture(camera(late.url("360"))) as seen:
        seen.wait_for(is_in(CameraState.CONNECTING, "nothing listens"), 3)
        with late:
            assert seen.wait_for(lambda seen: seen.frames, BACK_SECONDS) < BACK_SECONDS
            seen.wait_for(is_in(CameraState.LIVE), 2)
    assert seen.statuses[-2].reconnects == 0


def test_a_camera_that_dies_and_comes_back(fragile: CameraProcess) -> None:
    """Frames again within 5 s of its return, numbered on, and a reconnect counted."""
    with RunningCapture(camera(fragile.url("360"))) as seen:
        seen.wait_for_frames(2)
        fragile.kill()
        seen.wait_for(is_in(CameraState.CONNECTING), 3)
        fragile.start()
        frames = seen.wait_for_frames(1, BACK_SECONDS)
        seen.wait_for(lambda seen: seen.state is CameraState.LIVE and seen.statuses[-1].reconnects == 1, 2)
    assert frames[0].number == len(seen.frames) - len(seen.frames[seen.frames.index(frames[0]) :]) + 1


def test_a_camera_that_freezes_and_thaws(fragile: CameraProcess) -> None:
    """Seen as stalled within 5 s, with no stale frame for a new one, and back within 5 s of the thaw."""
    with RunningCapture(camera(fragile.url("360"))) as seen:
        seen.wait_for_frames(2)
        fragile.freeze()
        frozen = time.monotonic()
        seen.wait_for(is_in(CameraState.STALLED), FREEZE_SEEN_SECONDS + 4.0)
        assert time.monotonic() - frozen < FREEZE_SEEN_SECONDS + 4.0  # up to a second until it is reported
        before = len(seen.frames)
        fragile.thaw()
        seen.wait_for(lambda seen: len(seen.frames) > before, BACK_SECONDS)
        seen.wait_for(lambda seen: seen.state is CameraState.LIVE and seen.statuses[-1].stalls == 1, 2)


def test_a_wrong_password(clips: Clips) -> None:
    """The state says so, the message does not repeat it, and nothing hammers the camera."""
    locked = rtsp_camera({"360": clips.video("360")}, "--auth", "admin:right")
    with locked, RunningCapture(camera(locked.url("360", "admin:wr0ng"))) as seen:
        seen.wait_for(is_in(CameraState.UNAUTHORIZED, "refuses"), 3)
    assert "wr0ng" not in repr(seen.statuses)


def test_a_path_that_is_not_there(rtsp: CameraProcess) -> None:
    """The state says so."""
    with RunningCapture(camera(rtsp.url("nowhere"))) as seen:
        seen.wait_for(is_in(CameraState.NOT_FOUND, "no such path"), 3)


def test_another_resolution(rtsp: CameraProcess) -> None:
    """The capture goes on, in the new size, without a new connection."""
    with RunningCapture(camera(rtsp.url("switch"))) as seen:
        seen.wait_for(lambda seen: {frame.width for frame in seen.frames} == {640, 1280}, 6)
        seen.wait_for(is_in(CameraState.LIVE), 2)
    assert seen.statuses[-1].reconnects == 0


def test_garbage_and_pictures_in_turn(rtsp: CameraProcess) -> None:
    """The capture lives through the noise, says what is wrong, and takes the next pictures."""
    open_camera = partial(open_impatiently, read_seconds=0.6)
    with RunningCapture(camera(rtsp.url("garbage")), open_camera=open_camera) as seen:
        seen.wait_for(lambda seen: seen.frames, 7)
        seen.wait_for(is_in(CameraState.CONNECTING, "no picture"), 7)
        seen.wait_for_frames(1, 8)
    assert all(stamp_of(frame) is not None for frame in seen.frames)


def open_impatiently(what: Camera, read_seconds: float) -> Source:
    return open_stream(what.url, read_seconds=read_seconds)


def test_at_most_one_attempt_a_second() -> None:
    """A camera that drops every connection is not hammered."""
    attempts: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=slam, args=(server, attempts), daemon=True).start()
        with RunningCapture(camera(f"rtsp://127.0.0.1:{server.getsockname()[1]}/main")) as seen:
            seen.wait_for(lambda _: len(attempts) >= 3, 8)
    assert min(np.diff(attempts)) >= 1.0


def slam(server: socket.socket, attempts: list[float]) -> None:
    """Accept and close, and remember when."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        attempts.append(time.monotonic())
        connection.close()


class Clockwork:
    """A source that shows a grey picture every 10 ms, or fails as told."""

    codec, paced, patience = "grey", False, 0.5

    def __init__(self, frames: int = 10**6, shape: tuple[int, int] = (100, 100), surprise: Exception | None = None) -> None:
        self._left = frames
        self._image: Image = np.full((*shape, 3), 128, np.uint8)
        self._surprise = surprise

    def advance(self) -> Moment | None:
        if self._surprise:
            raise self._surprise
        threading.Event().wait(0.01)
        self._left -= 1
        return Moment(self._image.shape[1], self._image.shape[0], None) if self._left >= 0 else None

    def picture(self) -> Picture:
        return Pixels(self._image)

    def close(self) -> None:
        pass


def test_a_surprise_from_a_library_is_survived() -> None:
    """Whatever a source raises, the camera is tried again."""
    sources = itertools.chain([Clockwork(surprise=RuntimeError("odd"))], itertools.repeat(Clockwork()))
    with RunningCapture(camera("demo"), open_camera=lambda _: next(sources)) as seen:
        seen.wait_for_frames(1)
    assert seen.statuses[0].state in (CameraState.CONNECTING, CameraState.LIVE)


class Hanging(Clockwork):
    """A source that gets stuck inside its library after three frames."""

    def advance(self) -> Moment | None:
        moment = super().advance()
        if self._left <= 0:
            threading.Event().wait(4)
        return moment


def test_a_source_that_hangs_in_its_library_is_seen_as_stalled() -> None:
    """The reporter notices what the stuck thread cannot tell."""
    with RunningCapture(camera("demo"), open_camera=lambda _: Hanging(3)) as seen:
        seen.wait_for(is_in(CameraState.STALLED, "hanging"), 3)


# --- what becomes of the frames ---


def test_pictures_that_are_too_small_are_dropped_and_counted() -> None:
    """Each sampled frame is in the ledger, with its cause."""
    running = RunningCapture(camera("demo", fps=20), open_camera=lambda _: Clockwork(shape=(79, 300)))
    with running as seen:
        seen.wait_for(lambda seen: seen.settled, 3)
    last = seen.settled[-1]
    assert last.number > 0
    assert last.drops == {"too_small": last.number}
    assert not seen.frames


def test_a_frame_nobody_took_in_time_is_counted_as_late() -> None:
    """A mailbox that is slow to answer costs frames, and each is in the ledger."""

    def slow(_: object) -> Offer:
        threading.Event().wait(0.3)
        return Offer.REPLACED

    running = RunningCapture(camera("demo", fps=20), open_camera=lambda _: Clockwork())
    running.witness.answer = slow
    with running as seen:
        seen.wait_for(lambda seen: len(seen.frames) >= 4, 5)
    statement = running.capture.ledger.statement()
    assert statement.drops["late"] > 4
    assert statement.number == statement.drops["late"] + seen.offers


def test_redis_away_is_survived() -> None:
    """Offers fail, frames go on being numbered, and the mailbox gets the next one when it is back."""
    running = RunningCapture(camera("demo", fps=20), open_camera=lambda _: Clockwork())
    running.witness.answer = lambda _: redis.ConnectionError("gone")
    with running as seen:
        seen.wait_for(lambda seen: seen.offers >= 3, 3)
        seen.answer = lambda _: Offer.ENQUEUED
        frame = seen.wait_for_frames(1)[0]
    assert frame.number > 3


def test_a_fenced_offer_ends_the_capture() -> None:
    """Another producer has the camera: this one leaves it, and says nothing more of it."""
    running = RunningCapture(camera("demo", fps=20), open_camera=lambda _: Clockwork())
    running.witness.answer = lambda _: Offer.FENCED
    with running as seen:
        assert running.wait(3) is Outcome.LOST
    assert seen.offers == 1
    assert CameraState.OFF not in [status.state for status in seen.statuses]


class LostClaim:
    """A claim that somebody else took."""

    fence = 3

    def keep(self) -> bool:
        return False


def test_a_lost_lease_ends_the_capture() -> None:
    """Even when no frame is offered."""
    running = RunningCapture(camera("demo"), open_camera=lambda _: Clockwork(), claim=LostClaim())
    with running:
        assert running.wait(3) is Outcome.LOST


# --- files ---


def test_every_frame_of_a_file_is_offered_until_it_is_accepted(clips: Clips) -> None:
    """Policy `every`: a full mailbox is asked again with the same frame, and the end comes when all are analysed."""
    answers: Iterator[Offer | redis.RedisError] = itertools.cycle([Offer.FULL, redis.TimeoutError("slow"), Offer.ENQUEUED])
    running = RunningCapture(camera(str(clips.video("360")), Policy.EVERY))
    running.witness.answer = lambda _: next(answers)
    running.witness.is_drained = False
    with running as seen:
        seen.wait_for(lambda seen: len(seen.frames) == 10, 10)
        assert seen.state is not CameraState.ENDED
        seen.is_drained = True
        seen.wait_for(is_in(CameraState.ENDED), 3)
    assert [frame.number for frame in seen.frames] == list(range(1, 11))
    assert [stamp_of(frame) for frame in seen.frames] == list(range(0, 50, 5))
    assert running.outcome is Outcome.STOPPED


def test_a_file_at_policy_latest_plays_in_real_time_and_ends(clips: Clips) -> None:
    """Two seconds of film take two seconds, and it is not started again."""
    with RunningCapture(camera(str(clips.video("360")))) as seen:
        seen.wait_for(lambda seen: seen.frames, 3)
        took = seen.wait_for(is_in(CameraState.ENDED), 7)
    assert took > 1.5
    assert len(seen.frames) == pytest.approx(9, abs=2)


def test_a_folder_with_broken_pictures_ends_with_the_others(tmp_path: Path, portraits: Path) -> None:
    """What cannot be decoded is dropped and counted, the rest is analysed."""
    for name in ("a", "c"):
        (tmp_path / f"{name}.jpg").write_bytes((portraits / "grace_hopper.jpg").read_bytes())
    (tmp_path / "b.jpg").write_text("text")
    running = RunningCapture(camera(str(tmp_path), Policy.EVERY))
    with running as seen:
        seen.wait_for(is_in(CameraState.ENDED), 5)
    assert [frame.number for frame in seen.frames] == [1, 3]
    assert running.capture.ledger.statement().drops == {"encode": 1}


@pytest.mark.parametrize("policy", list(Policy))
def test_a_file_that_is_not_there(policy: Policy) -> None:
    """The state says so, and names it."""
    with RunningCapture(camera("/no/such/film.mp4", policy)) as seen:
        seen.wait_for(is_in(CameraState.NOT_FOUND, "/no/such/film.mp4"), 3)


# --- with the real mailbox ---


def with_redis(broker: Broker, what: Camera, witness: Witness, open_camera: object = open_source) -> Capture:
    registry = CameraRegistry(broker.scripts)
    fence = registry.lease(what.id, "me", 4.0)
    assert fence is not None
    return Capture(
        what,
        open_camera=open_camera,  # type: ignore[arg-type]
        outbox=Mailbox(broker.scripts, JobQueue(broker.jobs)),
        clock=SystemClock(),
        report=witness.report,
        claim=Lease(registry, what.id, "me", fence),
    )


def analyse(broker: Broker, stop: threading.Event) -> None:
    """Be a worker: take what is queued, and finish it."""
    mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
    while not stop.is_set():
        try:
            mailbox.sweep()
            job = broker.scripts.lpop(QUEUE_KEY)
            taken = mailbox.take("front_door", job.decode().rsplit("-", 1)[1]) if isinstance(job, bytes) else None
            if taken is not None:
                mailbox.finish(taken, "analysed", {"seq": taken.seq})
        except redis.RedisError:
            pass
        stop.wait(0.01)


def test_a_file_ends_with_every_frame_analysed(broker: Broker, clips: Clips) -> None:
    """The accounts of the real mailbox show all ten."""
    stop, witness = threading.Event(), Witness()
    capture = with_redis(broker, camera(str(clips.video("360")), Policy.EVERY), witness)
    threads = [threading.Thread(target=capture.run, args=[stop]), threading.Thread(target=analyse, args=[broker, stop])]
    for thread in threads:
        thread.start()
    witness.wait_for(is_in(CameraState.ENDED), 15)
    stop.set()
    for thread in threads:
        thread.join()
    balance = Mailbox(broker.scripts, JobQueue(broker.jobs)).balance("front_door")
    assert (balance.sampled, balance.analysed, balance.in_flight) == (10, 10, 0)


def test_the_accounts_add_up_through_the_death_of_redis(own_valkey: Valkey) -> None:
    """Redis is killed and comes back empty: the capture goes on, what it sampled meanwhile is counted as dropped."""
    broker = Broker(own_valkey.url)
    mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
    stop, witness = threading.Event(), Witness()
    capture = with_redis(broker, camera("demo", fps=20), witness, lambda _: Clockwork())
    thread = threading.Thread(target=capture.run, args=[stop])
    thread.start()
    witness.wait_for(is_in(CameraState.LIVE), 3)
    confirmed = capture.ledger.statement().confirmed_number
    own_valkey.kill()
    wait_until(lambda: capture.ledger.statement().number > confirmed + 10)
    own_valkey.start()
    wait_until(lambda: capture.ledger.statement().confirmed_number > confirmed + 10)
    stop.set()
    thread.join()
    balance = mailbox.balance("front_door")
    assert balance.adds_up
    assert balance.dropped["redis"] >= 10
    assert not capture.ledger.unsettled
    broker.close()


def test_a_successor_fences_the_capture_that_froze(broker: Broker) -> None:
    """A lease that ran out and was taken by another ends the capture, and its frames are not accepted."""
    stop, witness = threading.Event(), Witness()
    capture = with_redis(broker, camera("demo", fps=20), witness, lambda _: Clockwork())
    broker.scripts.delete("rekstream:lease:front_door")
    assert CameraRegistry(broker.scripts).lease("front_door", "another", 30.0)
    assert capture.run(stop) is Outcome.LOST
    assert Mailbox(broker.scripts, JobQueue(broker.jobs)).balance("front_door").sampled == 0


def test_a_ledger_counts_from_one() -> None:
    """The first frame of a capture is number 1."""
    assert Ledger().sample() == 1


def test_sources_are_what_the_capture_expects() -> None:
    """The twin above is a Source."""
    source: Source = Clockwork()
    assert source.codec == "grey"
