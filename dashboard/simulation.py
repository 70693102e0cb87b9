"""Late binding in miniature: what ages and rates come of cameras, one-slot mailboxes, threads, a limit and stage times.

A discrete-event simulation with the rules of the real thing: a sampled frame goes into its camera's mailbox, replacing what
waits there; a job waits first come first served for a thread; the thread waits for its slot of the rate limit (GCRA), takes
the newest frame, uploads it, waits for the service, publishes.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dashboard.window import nearest_rank

T = TypeVar("T")
PACE = 0.995  # of the allowed rate, as workers/lua/reserve.lua has it
SEED = 7
WARM_UP = 0.15  # of the simulated time
_JITTER = 0.05  # of a camera's period: cameras are not metronomes


@dataclass(frozen=True, slots=True)
class Stages:
    """The measured seconds of one frame in the stages that do not depend on waiting."""

    encode: float
    upload: float
    service: float
    publish: float


@dataclass(frozen=True, slots=True)
class Source:
    """A camera: frames sampled a second, and what smaller pictures leave of its encoding and bytes, and of the service."""

    rate: float
    bytes_factor: float = 1.0
    service_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What is simulated; times in seconds.

    `allowed` is calls a second; `overhead` what a job costs its thread before it asks for a slot. `fixed_upload` is the part of
    an upload that does not depend on bytes; with `shared_link` uploads go one after another, each in `link_factor` of its
    measured time. The service answers any number of calls at once, or as many as `cores`; `delay` of its time needs no core,
    the rest is `core_factor` of what was measured.
    """

    sources: tuple[Source, ...]
    threads: int
    allowed: float
    stages: tuple[Stages, ...]
    burst: int = 1
    overhead: float = 0.0
    fixed_upload: float = 0.0
    shared_link: bool = False
    link_factor: float = 1.0
    cores: int | None = None
    delay: float = 0.0
    core_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: ages at publish, the service's and the waiting times, each in order of size; results a second."""

    ages: list[float]
    services: list[float]
    waits: list[float]
    results_per_second: float


def simulate(scene: Scene, seconds: float) -> Outcome:
    """Return what `seconds` of this scene bring, the same for the same scene."""
    return _Run(scene, seconds).outcome()


def quantile(ordered: list[float], share: float) -> float:
    """Return a quantile by nearest rank of values in order; 0 where there are none."""
    return ordered[nearest_rank(len(ordered), round(share * 100))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """A sampled frame, and how long it will take in each stage."""

    source: Source
    captured: float
    stages: Stages

    @property
    def encoded(self) -> float:
        return self.captured + self.stages.encode * self.source.bytes_factor


@dataclass(frozen=True, slots=True)
class _Call:
    """A frame that a thread has taken, and when it had reached the service."""

    frame: _Frame
    taken: float
    arrived: float


@dataclass(slots=True)
class _Run:
    """The state of one simulation; events are handled in the order of their times."""

    scene: Scene
    seconds: float
    _random: random.Random = field(default_factory=lambda: random.Random(SEED))
    _events: list[tuple[float, int, Callable[[float, Any], None], Any]] = field(default_factory=list)
    _number: int = 0
    _boxes: dict[int, _Frame] = field(default_factory=dict)
    _jobs: deque[int] = field(default_factory=deque)
    _idle: int = 0
    _next_slot: float = 0.0
    _link_free: float = 0.0
    _core_free: list[float] = field(default_factory=list)
    _seen: list[tuple[float, float, float]] = field(default_factory=list)

    def outcome(self) -> Outcome:
        scene, since = self.scene, WARM_UP * self.seconds
        self._idle = scene.threads
        self._core_free = [0.0] * (scene.cores or 0)
        for number, source in enumerate(scene.sources):
            self._film(number, self._random.random() / source.rate)
        while self._events and self._events[0][0] < self.seconds:
            now, _, handle, what = heapq.heappop(self._events)
            handle(now, what)
        return Outcome(
            ages=sorted(age for age, _, _ in self._seen),
            services=sorted(service for _, service, _ in self._seen),
            waits=sorted(wait for _, _, wait in self._seen),
            results_per_second=len(self._seen) / (self.seconds - since),
        )

    def _at(self, moment: float, handle: Callable[[float, T], None], what: T) -> None:
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, handle, what))

    def _film(self, number: int, moment: float) -> None:
        """Let a camera sample a frame at `moment`, which is offered when it is encoded, and the next one after it."""
        frame = _Frame(self.scene.sources[number], moment, self._random.choice(self.scene.stages))
        self._at(frame.encoded, self._offered, (number, frame))

    def _offered(self, now: float, offer: tuple[int, _Frame]) -> None:
        number, frame = offer
        self._film(number, frame.captured + (1 + self._random.uniform(-_JITTER, _JITTER)) / frame.source.rate)
        is_empty = number not in self._boxes
        self._boxes[number] = frame
        if is_empty:
            self._jobs.append(number)
            self._start_jobs(now)

    def _start_jobs(self, now: float) -> None:
        while self._idle and self._jobs:
            self._idle -= 1
            self._at(now + self.scene.overhead, self._asks, self._jobs.popleft())

    def _asks(self, now: float, number: int) -> None:
        """Give the job its slot: GCRA, as all threads of all workers share it."""
        spacing = 1 / (self.scene.allowed * PACE)
        slot = max(self._next_slot, now - (self.scene.burst - 1) * spacing)
        self._next_slot = slot + spacing
        self._at(max(now, slot), self._takes, number)

    def _takes(self, now: float, number: int) -> None:
        """Take the newest frame there is, and send it."""
        frame, scene = self._boxes.pop(number), self.scene
        fixed = min(frame.stages.upload, scene.fixed_upload)
        transfer = (frame.stages.upload - fixed) * frame.source.bytes_factor * scene.link_factor
        begins = max(now, self._link_free) if scene.shared_link else now
        self._link_free = begins + transfer
        arrived = begins + transfer + fixed
        self._at(arrived, self._arrives, _Call(frame, now, arrived))

    def _arrives(self, now: float, call: _Call) -> None:
        """Let the service work on the call: at once, or when a core is free."""
        scene, service = self.scene, call.frame.stages.service
        delay = min(scene.delay, service)
        work = (service - delay) * call.frame.source.service_factor * scene.core_factor
        begins = max(now, heapq.heappop(self._core_free)) if scene.cores else now
        if scene.cores:
            heapq.heappush(self._core_free, begins + work)
        self._at(begins + work + delay, self._answered, call)

    def _answered(self, now: float, call: _Call) -> None:
        frame, finished = call.frame, now + call.frame.stages.publish
        if finished > WARM_UP * self.seconds:
            self._seen.append((finished - frame.captured, now - call.arrived, call.taken - frame.encoded))
        self._at(finished, self._done, None)

    def _done(self, now: float, _: None) -> None:
        self._idle += 1
        self._start_jobs(now)
