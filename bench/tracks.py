"""Following people through the clips whose truth is known: who is mixed up, what a frame costs, and which calls it saves.

    python -m bench.tracks

What a worker does with each frame is done here without Redis: tracks found, views judged, faces cut out and made into vectors.
The answers are the local models', and their time does not count. Everybody who is searched is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.timing import cpu_ms
from pipeline.entities import Camera, Frame, Gate
from pipeline.provider import Provider
from pipeline.tracks import Enrolled
from producer.gate import gate_of
from producer.sources.base import Pixels
from rekognition_local.shapes import face_detail
from tests.clips import CLIPS, HD, Clip, SeenFace
from tests.vision.scenes import jpeg
from vision.faces import FaceEngine
from vision.pictures import decode
from workers.closeups import Closeups, recognizer
from workers.rules import Rules
from workers.tracking import Seen
from workers.views import View

RATES = (25.0, 5.0, 1.0, 0.5)
CALLS_AT = (5.0, 1.0)
SINCE = 1_795_000_000.0
DOLLARS = Provider("aws", "us-east-1").dollars_per_call()


@dataclass(slots=True)
class Answered:
    """One frame of a clip, what DetectFaces said of it, and the truth."""

    frame: Frame
    response: dict[str, Any]
    truth: tuple[SeenFace, ...]


@dataclass(slots=True)
class Told:
    """What came of following clips: counts, and milliseconds of CPU by frame."""

    frames: int = 0
    faces: int = 0
    searches: int = 0
    compared: int = 0
    tracks: int = 0
    stays: int = 0
    mixed: int = 0
    seconds: float = 0.0
    follow: list[float] = field(default_factory=list)
    closer: list[float] = field(default_factory=list)

    def __iadd__(self, other: Told) -> Told:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def main() -> None:
    engine = FaceEngine()
    recognizer()
    answered = {(name, fps): list(answers(engine, clip, fps)) for name, clip in CLIPS.items() for fps in RATES}
    print("| results a second | people | faces | tracks | two people as one | faces compared | ms a frame | with views kept |")
    print("|---|---|---|---|---|---|---|---|")
    by_rate = {fps: total(answered, fps) for fps in RATES}
    for fps, told in by_rate.items():
        follow, closer = np.mean(told.follow), np.mean(np.add(told.follow, told.closer))
        print(
            f"| {fps:g} | {told.stays} | {told.faces} | {told.tracks} | {told.mixed} | {told.compared} "
            f"| {follow:.2f} | {closer:.1f} |"
        )
    print(f"\n| calls in a minute of the clips | DetectFaces | SearchFacesByImage | together | $ an hour at {DOLLARS:g} |")
    print("|---|---|---|---|---|")
    for fps in CALLS_AT:
        told = by_rate[fps]
        minutes = told.seconds / 60
        report_calls(f"{fps:g}/s, each face of each frame searched", told.frames / minutes, told.faces / minutes)
        report_calls(f"{fps:g}/s, tracks", told.frames / minutes, told.searches / minutes)
        gated = total({key: passed(answers, fps) for key, answers in answered.items() if key[1] == fps}, fps)
        report_calls(f"{fps:g}/s, tracks and gate", gated.frames / minutes, gated.searches / minutes)


def report_calls(name: str, detections: float, searches: float) -> None:
    together = detections + searches
    print(f"| {name} | {detections:.0f} | {searches:.0f} | {together:.0f} | {together * 60 * DOLLARS:.2f} |")


def passed(answers: list[Answered], fps: float) -> list[Answered]:
    """Return the frames that a gate lets pass."""
    gate = gate_of(Camera("cam", "clip", fps=fps, gate=Gate.FACE))
    pictures = (Pixels(np.ascontiguousarray(decode(one.frame.jpeg)[..., ::-1])) for one in answers)
    return [one for one, picture in zip(answers, pictures, strict=True) if gate.look(picture, one.frame.captured_at) is None]


def answers(engine: FaceEngine, clip: Clip, fps: float) -> Iterator[Answered]:
    """Yield the frames of a clip with what the local models say of them."""
    for shot in clip.film(HD, fps):
        details = [face_detail(face) for face in engine.analyse(shot.rgb)]
        frame = Frame("cam", 1, SINCE + shot.at, jpeg(shot.rgb), *HD)
        yield Answered(frame, {"FaceDetails": details}, shot.faces)


def total(answered: dict[tuple[str, float], list[Answered]], fps: float) -> Told:
    """Follow all clips at one rate."""
    told = Told()
    for name in CLIPS:
        told += follow_clip(answered[name, fps], CLIPS[name])
    return told


def follow_clip(frames: list[Answered], clip: Clip) -> Told:
    """Follow one clip as a worker does, and hold what it says against the truth."""
    told, state, kept = Told(seconds=clip.seconds, stays=len(clip.people)), None, dict[int, bytes]()
    owners: dict[int, set[str]] = defaultdict(set)
    for one in frames:
        seen = seen_of(one, kept, len(frames) / clip.seconds)
        was = state

        def step(seen: Seen = seen, was: str | None = was) -> None:
            nonlocal state
            state = seen.step(was, lambda name: True)

        told.follow.append(cpu_ms(step) if seen.views else 0.0)
        told.compared += seen.closeups.compared if seen.closeups else 0
        told.closer.append(cpu_ms(lambda seen=seen: look_closer(seen, kept)))
        told.frames, told.faces = told.frames + 1, told.faces + len(seen.views)
        told.searches += sum(worth.is_searched for worth in seen.worth.values())
        for view, number in zip(seen.views, seen.numbers, strict=True):
            owners[number or 0] |= {face.who for face in one.truth if face.hidden < 0.5 and overlap(face, view) > 0.3}
    told.tracks, told.mixed = len(owners), sum(len(who) > 1 for who in owners.values())
    return told


def seen_of(one: Answered, kept: dict[int, bytes], fps: float) -> Seen:
    views = [View.of(place, face, HD[1]) for place, face in enumerate(one.response["FaceDetails"])]
    closeups = Closeups(one.frame, views, lambda number: kept.get(number, b""))
    return Seen(one.frame, Rules(fps=fps), one.response, views, Enrolled("people", 2, 80.0), closeups)


def look_closer(seen: Seen, kept: dict[int, bytes]) -> None:
    """Cut out what is searched, and keep the vectors of the best views, as `Tracking.look_closer` does."""
    for face, worth in seen.worth.items():
        assert seen.closeups is not None
        seen.closeups.cut(face)
        vector = seen.closeups.vector(face) if worth.is_best else None
        if vector is not None:
            kept[seen.numbers[face] or 0] = vector.tobytes()


def overlap(face: SeenFace, view: View) -> float:
    """Return the shared part of two boxes over all that they cover."""
    a, b = face.box, view.box
    width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


if __name__ == "__main__":
    main()
