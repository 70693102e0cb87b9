"""A producer as a process of its own, its cameras as its children, on a real Valkey."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, CameraState, Preview
from pipeline.jobs import JobQueue
from pipeline.mailbox import Mailbox
from pipeline.previews import PreviewListener, PreviewPublisher
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess, rtsp_camera
from tests.conftest import Valkey, wait_until

ROOT = Path(__file__).parents[2]
PASSWORD = "s3cr3t"

_PRODUCE = """
import logging, signal, sys, threading
from pathlib import Path
from producer.fleet import FleetSettings, run
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
url, producers = sys.stdin.readline().split()
settings = FleetSettings(url, demo_folder=Path("rekstream/demo"), log_level=logging.WARNING)
run(settings, stop, lambda: int(producers))
"""


class Producer:
    """One machine's producer."""

    def __init__(self, url: str, producers: int = 1) -> None:
        command = [sys.executable, "-c", _PRODUCE]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True, start_new_session=True)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{url} {producers}\n")
        self._process.stdin.flush()
        self.me = psutil.Process(self._process.pid)

    @property
    def captures(self) -> list[psutil.Process]:
        """The capture processes: the children of the fork server; one that ends meanwhile is left out."""
        return [child for child in self.me.children(recursive=True) if parent_of(child) not in (None, self.me.pid)]

    @property
    def family(self) -> list[psutil.Process]:
        """All processes of this producer, itself included."""
        return [self.me, *self.me.children(recursive=True)]

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 5) -> float:
        """Wait for its end and return how long that took."""
        began = time.monotonic()
        self._process.communicate(timeout=seconds)
        return time.monotonic() - began


@pytest.fixture
def produce(session_valkey: Valkey, broker: Broker) -> Iterator[Callable[..., Producer]]:
    """Start producers on the empty Valkey; none survives the test."""
    started: list[Producer] = []

    def start(producers: int = 1) -> Producer:
        started.append(Producer(session_valkey.url, producers))
        return started[-1]

    yield start
    family = [process for producer in started if producer.me.is_running() for process in producer.family]
    for process in family:
        process.kill()
    for producer in started:
        producer.wait()


class House:
    """The list of cameras and what is known of them."""

    def __init__(self, broker: Broker) -> None:
        self.registry = CameraRegistry(broker.scripts)
        self.mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))

    def states(self, *cameras: str) -> list[CameraState]:
        return [status.state for status in self.registry.statuses(cameras).values()]

    def sampled(self, camera: str) -> int:
        return self.mailbox.balance(camera).sampled

    def all_live(self, *cameras: str) -> bool:
        return set(self.states(*cameras)) == {CameraState.LIVE}


@pytest.fixture
def house(broker: Broker) -> House:
    """The empty house."""
    return House(broker)


def parent_of(process: psutil.Process) -> int | None:
    """Return a process's parent, None when it has just ended."""
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def is_there(process: psutil.Process) -> bool:
    """Say whether a process lives; one that nobody has buried yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def demo(name: str, fps: float = 10.0) -> Camera:
    return Camera(name, "demo", fps=fps)


def test_cameras_come_change_pause_and_go(produce: Callable[..., Producer], house: House) -> None:
    """The list is followed while it changes, each camera for itself."""
    house.registry.put([demo("a"), demo("b")])
    producer = produce()
    wait_until(lambda: house.all_live("a", "b"))
    untouched = {process.pid for process in producer.captures}
    house.registry.put([demo("c")])
    wait_until(lambda: house.all_live("a", "b", "c"))
    assert untouched < {process.pid for process in producer.captures}
    house.registry.put([Camera("a", "demo", fps=10.0, paused=True), Camera("b", "/no/such/file", fps=1.0)])
    wait_until(lambda: house.states("a", "b", "c") == [CameraState.OFF, CameraState.NOT_FOUND, CameraState.LIVE])
    house.registry.remove("c")
    wait_until(lambda: len(producer.captures) == 1)


def test_whoever_watches_gets_previews(produce: Callable[..., Producer], house: House, broker: Broker) -> None:
    """Small pictures of the camera come out of its process, and of no other."""
    house.registry.put([demo("a"), demo("b")])
    listener = PreviewListener(broker.jobs)
    listener.watch(frozenset({"a"}))
    produce()
    heard: list[Preview] = []
    wait_until(lambda: heard.extend(filter(None, [listener.next(0.5)])) or len(heard) > 2)
    assert PreviewPublisher(broker.scripts).watchers("b") == 0
    listener.close()
    assert {(preview.camera, preview.width) for preview in heard} == {("a", 640)}


def test_a_capture_that_is_killed_is_started_again(produce: Callable[..., Producer], house: House) -> None:
    """Frames come again within 5 s, and the accounts still add up."""
    house.registry.put([demo("a")])
    producer = produce()
    wait_until(lambda: house.sampled("a") > 5)
    producer.captures[0].kill()
    before = house.sampled("a")
    wait_until(lambda: house.sampled("a") > before + 5, seconds=5)
    assert house.mailbox.balance("a").adds_up


def test_sigterm_ends_everything_within_two_seconds(
    produce: Callable[..., Producer], house: House, fragile: CameraProcess
) -> None:
    """Even with a camera that hangs; the leases are free at once."""
    house.registry.put([demo("a"), Camera("frozen", fragile.url("360"), fps=5.0)])
    producer = produce()
    wait_until(lambda: house.all_live("a", "frozen"))
    fragile.freeze()
    family = producer.family
    producer.send(signal.SIGTERM)
    assert producer.wait() < 2
    wait_until(lambda: not any(map(is_there, family)), seconds=1)
    assert house.registry.lease("a", "another", 4.0) is not None
    assert house.registry.lease("frozen", "another", 4.0) is not None


def test_children_die_with_their_producer(produce: Callable[..., Producer], house: House) -> None:
    """SIGKILL of the producer leaves nothing behind, and another one takes the cameras within 5 s."""
    house.registry.put([demo("a"), demo("b")])
    first = produce()
    wait_until(lambda: house.all_live("a", "b"))
    second = produce()
    wait_until(lambda: len(second.family) > 1)
    family = first.family
    first.send(signal.SIGKILL)
    first.wait()
    before = house.sampled("a"), house.sampled("b")
    wait_until(lambda: not any(map(is_there, family)), seconds=3)
    wait_until(lambda: house.sampled("a") > before[0] + 5 and house.sampled("b") > before[1] + 5, seconds=5)
    assert all(house.mailbox.balance(name).adds_up for name in ("a", "b"))


def test_a_frozen_producer_is_succeeded_and_fenced(produce: Callable[..., Producer], house: House) -> None:
    """When its lease has run out another producer has the camera, and the thawed one leaves it alone."""
    house.registry.put([demo("a")])
    first = produce()
    wait_until(lambda: house.all_live("a"))
    second = produce()
    old = first.captures
    for process in (first.me, *old):
        os.kill(process.pid, signal.SIGSTOP)
    wait_until(lambda: len(second.captures) == 1, seconds=8)
    for process in (first.me, *old):
        os.kill(process.pid, signal.SIGCONT)
    wait_until(lambda: not any(map(is_there, old)), seconds=5)
    before = house.sampled("a")
    wait_until(lambda: house.sampled("a") > before + 5, seconds=3)
    assert len(second.captures) == 1
    assert house.mailbox.balance("a").adds_up


def test_two_producers_share_many_cameras(produce: Callable[..., Producer], house: House) -> None:
    """Each camera is captured by exactly one of them."""
    first, second = produce(), produce()
    wait_until(lambda: len(first.family) > 0 and len(second.family) > 0)
    names = [f"camera{n}" for n in range(4)]
    house.registry.put([demo(name, fps=1.0) for name in names])
    wait_until(lambda: house.all_live(*names), seconds=15)
    assert len(first.captures) + len(second.captures) == len(names)


def test_a_producer_that_joins_late_is_handed_its_part(produce: Callable[..., Producer], house: House) -> None:
    """The first one lets go of what is beyond its share, and each camera goes on at the other."""
    names = [f"camera{n}" for n in range(4)]
    house.registry.put([demo(name, fps=2.0) for name in names])
    first = produce(2)
    wait_until(lambda: len(first.captures) == 4)
    second = produce(2)
    wait_until(lambda: len(first.captures) == len(second.captures) == 2, seconds=15)
    before = [house.sampled(name) for name in names]
    wait_until(lambda: all(house.sampled(name) > count + 2 for name, count in zip(names, before, strict=True)))
    assert len(first.captures) == len(second.captures) == 2
    assert all(house.mailbox.balance(name).adds_up for name in names)


def test_no_argument_shows_a_password(produce: Callable[..., Producer], house: House, clips: Clips) -> None:
    """Neither the fork server's nor a capture's, and the reported status does not either."""
    with rtsp_camera({"360": clips.video("360")}, "--auth", f"admin:{PASSWORD}") as locked:
        house.registry.put([Camera("a", locked.url("360", f"admin:{PASSWORD}"), fps=5.0)])
        producer = produce()
        wait_until(lambda: house.all_live("a"))
        locked.kill()
        wait_until(lambda: house.states("a") == [CameraState.CONNECTING])
        assert PASSWORD not in repr([process.cmdline() for process in producer.family])
        assert PASSWORD not in repr(house.registry.statuses(["a"]))


def test_a_redis_that_comes_back_empty_is_used_again(own_valkey: Valkey) -> None:
    """The captures go on without a new connection to their cameras, under a lease of their own again."""
    broker = Broker(own_valkey.url)
    house = House(broker)
    house.registry.put([demo("a")])
    producer = Producer(own_valkey.url)
    try:
        wait_until(lambda: house.all_live("a"))
        capture = producer.captures[0].pid
        own_valkey.kill()
        own_valkey.start()
        house.registry.put([demo("a")])
        wait_until(lambda: house.all_live("a") and house.sampled("a") > 5)
        assert [process.pid for process in producer.captures] == [capture]
        assert house.registry.lease("a", "another", 4.0) is None
        assert house.mailbox.balance("a").adds_up
    finally:
        producer.send(signal.SIGTERM)
        producer.wait()
        broker.close()
