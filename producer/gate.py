"""What a sampled frame needs before a call is spent on it: something that moves, or a face.

gate: motion   passes while something moves, and while the background is not known yet.
gate: face     passes while a face is seen, looked for at native size where something moves, and in the whole picture at
               first, after a pause, when the picture became another one, and each 30 s. A face is told by its place and
               its look there (`_Face`):
               one that is new or looks different passes at once, each time;
               one that came, or moved, and does not change any more passes each 5 s for five minutes (somebody stands
               there: visits must not break off), then each ten minutes, as one does that never changed (a poster);
               in between its place alone is compared, which costs next to nothing;
               one that was seen less than 0.9 s ago where something still moves passes, too: somebody turned away.
               So while one was seen less than 0.45 s ago where something moves, nothing is looked for.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import entities
from pipeline.entities import Camera, Saved
from producer.encoder import LONGEST_SIDE as LONGEST_SENT
from producer.finder import Finder, NetFinder, Searcher, cut, inside, is_same_place, overlap
from producer.masks import covered
from producer.motion import LONGEST_SIDE, Background, Motion, Region
from producer.sources.base import Grey, Picture

STILL_SECONDS = 600.0
STANDING_EACH_SECONDS, STANDING_SECONDS = 5.0, 300.0
WHOLE_EACH_SECONDS = 30.0
RECENT_SECONDS = 0.9
BELIEVED_SECONDS = 0.45  # the frame passes whatever a search would find: it can wait, and costs a half to a tenth
WHOLE_AGAIN_SECONDS = 1.0  # between two looks at the whole picture, however restless it is
SMALLEST_FACE = 24  # pixels of a picture as it is sent; Rekognition finds faces from about 40
NEARLY = 0.8  # of the smallest face: measured twice, a face is not always the same size
ZONE_MARGIN = 0.05  # of the picture's height
LOOK_SIDE, LOOK_CONTRAST, LEAST_CONTRAST = 16, 32.0, 8.0
CHANGED_LEVELS, GRAINS = 2.5, 2.0  # of 255, by which a place looks different, and how often the grain on top
FIGURES_SECONDS = 10.0
MARGIN, LEAST_MARGIN, MOST_MARGIN = 0.5, 32, 160  # around what moves: of its size, and pixels
MOST_FACES = 50
_A_TRIFLE = 1e-6


class Gate(Protocol):
    """Says which frames are worth a call, and what it saw."""

    def look(self, picture: Picture, at: float) -> Saved | None:
        """Return why the frame is not worth a call, None when it is; raises PictureError.

        `at` is when it was captured, in seconds on the film's own axis.
        """
        ...

    @property
    def sees(self) -> str:
        """What is there now, in a word or two; '' before the first picture, and for an open gate."""
        ...

    @property
    def moved_at(self) -> float:
        """When something was last seen to move, on the axis of `look`."""
        ...


class OpenGate:
    """Lets every frame pass, and looks at none."""

    sees = ""
    moved_at = math.inf

    def look(self, picture: Picture, at: float) -> None:  # noqa: ARG002  # as every gate
        """Return None."""
        return


def gate_of(camera: Camera, *, is_film: bool = True, finder: Callable[[], Finder] = NetFinder) -> Gate:
    """Return the gate that a camera asks for; pictures that are no film (`is_film`) have nothing that moves."""
    if camera.gate is entities.Gate.OFF or (camera.gate is entities.Gate.MOTION and not is_film):
        return OpenGate()
    if camera.gate is entities.Gate.MOTION:
        return MotionGate(camera)
    return FaceGate(camera, Searcher(finder()), is_film=is_film)


class MotionGate:
    """Lets frames pass in which something moves inside of the zones."""

    def __init__(self, camera: Camera) -> None:
        self._watch = _Watch(camera, is_film=True)
        self.sees = ""

    @property
    def moved_at(self) -> float:
        """When something was last seen to move."""
        return self._watch.moved_at

    def look(self, picture: Picture, at: float) -> Saved | None:
        """Return NO_MOTION when nothing moves."""
        motion = self._watch.look(picture, at)
        is_moving = bool(motion.regions) or not motion.is_known
        self.sees = "something moves" if is_moving else "nothing moves"
        return None if is_moving else Saved.NO_MOTION


class FaceGate:
    """Lets frames pass in which a face is to be seen inside of the zones that was not told of lately."""

    def __init__(self, camera: Camera, searcher: Searcher, *, is_film: bool, still_seconds: float = STILL_SECONDS) -> None:
        self._watch = _Watch(camera, is_film=is_film)
        self._is_film = is_film
        self._searcher = searcher
        self._still_seconds = still_seconds
        self._smallest = max(SMALLEST_FACE, NEARLY * camera.smallest_face)
        self._faces: list[_Face] = []
        self._whole_at = -math.inf
        self.sees = ""

    @property
    def moved_at(self) -> float:
        """When something was last seen to move."""
        return self._watch.moved_at

    def look(self, picture: Picture, at: float) -> Saved | None:
        """Return why no face in the picture is worth a call, None when one is."""
        motion = self._watch.look(picture, at)
        sought = [face for face in self._faces if face.compare(motion, at, self._still_seconds)]
        is_whole = self._is_whole_due(motion, at)
        believed = [face for face in sought if face.believe(at)] if not is_whole else []
        if is_whole or (not believed and (sought or motion.regions)):
            self._search(picture, motion, [face.place for face in sought] + list(motion.regions), at, is_whole=is_whole)
        passes = any(face.is_worth_it(at) for face in self._faces)
        self._faces = [face for face in self._faces if not face.is_gone(at)][-MOST_FACES:]
        for face in self._faces if passes else ():
            face.passed_at = at
        self.sees = _people(sum(face.is_there for face in self._faces))
        return None if passes else self._why(motion)

    def _why(self, motion: Motion) -> Saved:
        if self._faces:
            return Saved.STILL_FACE
        return Saved.NO_FACE if motion.regions or not motion.is_known else Saved.NO_MOTION

    def _is_whole_due(self, motion: Motion, at: float) -> bool:
        pause = WHOLE_EACH_SECONDS if motion.is_known else WHOLE_AGAIN_SECONDS
        return not (self._is_film and 0 <= at - self._whole_at < pause - _A_TRIFLE)

    def _search(self, picture: Picture, motion: Motion, places: list[Region], at: float, *, is_whole: bool) -> None:
        image = picture.bgr()
        scale = image.shape[1] / motion.smooth.shape[1]
        if is_whole:
            self._whole_at = at
            found = self._searcher.whole(image)
        else:
            found = self._searcher.within(image, [_widened(place, scale) for place in places])
        least = self._smallest * max(1.0, max(image.shape[:2]) / LONGEST_SENT)
        for face in found:
            place = _small(face, scale)
            if face.height >= least and self._watch.counts_at(place):
                self._take_over(place, motion, at)

    def _take_over(self, place: Region, motion: Motion, at: float) -> None:
        known = next((face for face in self._faces if is_same_place(face.place, place)), None)
        if known is None:
            self._faces.append(_Face(place, motion, at))
        else:
            known.found(place, motion, at)


class _Watch:
    """What moves inside of the zones of one camera."""

    def __init__(self, camera: Camera, *, is_film: bool) -> None:
        self._zones = camera.zones
        self._is_film = is_film
        self._period = 1 / camera.fps
        self._background = Background(self._period)
        self._counts: NDArray[np.uint8] | None = None
        self.moved_at = -math.inf

    def look(self, picture: Picture, at: float) -> Motion:
        """Return what is new in the picture; of pictures that are no film nothing is ever known."""
        grey = picture.grey(LONGEST_SIDE)
        if self._zones and (self._counts is None or self._counts.shape != grey.shape):
            self._counts = _with_margin(covered(self._zones, grey.shape[1], grey.shape[0]))
        if not self._is_film:
            return Motion(False, (), grey)
        motion = self._background.compare(grey, at, self._counts)
        if motion.regions or not motion.is_known:
            self.moved_at = at
        return motion

    def counts_at(self, place: Region) -> bool:
        """Say whether the middle of a place in the small picture lies where faces count."""
        if self._counts is None:
            return True
        height, width = self._counts.shape
        middle = inside(Region(place.left + place.width // 2, place.top + place.height // 2, 1, 1), width, height)
        return bool(self._counts[middle.top, middle.left])


class _Face:
    """A face that was found: its place in the small picture, its look there, and when it was seen, changed and passed."""

    def __init__(self, place: Region, motion: Motion, at: float) -> None:
        self.place = place
        self.passed_at = -math.inf
        self._look = _look_of(motion.smooth, place)
        self._seen_at = at
        self._changed_at = at if any(overlap(place, region) for region in motion.regions) else -math.inf
        self._is_found = self._is_sought = self._looks_new = True

    @property
    def is_there(self) -> bool:
        """Whether it was seen in this picture, or nothing has changed at its place."""
        return self._is_found or not self._is_sought

    def compare(self, motion: Motion, at: float, still_seconds: float) -> bool:
        """Compare its place with what it looked like; return whether it has to be looked for there."""
        each = STANDING_EACH_SECONDS if at - self._changed_at < STANDING_SECONDS else still_seconds
        is_due = not 0 <= at - self.passed_at < min(each, still_seconds) - _A_TRIFLE
        self._looks_new = _differs(_look_of(motion.smooth, self.place), self._look, motion.grain)
        self._is_found, self._is_sought = False, self._looks_new or is_due
        if not self._is_sought:
            self._seen_at = at
        return self._is_sought

    def believe(self, at: float) -> bool:
        """Take it for seen where something moves, and it was seen a moment ago; return whether it was."""
        self._is_found = self._looks_new and 0 <= at - self._seen_at < BELIEVED_SECONDS
        return self._is_found

    def found(self, place: Region, motion: Motion, at: float) -> None:
        """Note that it was seen."""
        self._is_found, self._seen_at = True, at
        if self._looks_new:
            self.place, self._look, self._changed_at = place, _look_of(motion.smooth, place), at

    def is_gone(self, at: float) -> bool:
        """Say whether it was looked for, and not seen any more for a while."""
        return not self.is_there and at - self._seen_at >= RECENT_SECONDS

    def is_worth_it(self, at: float) -> bool:
        """Say whether a picture that shows it, or where it just was and still moves, is worth a call."""
        is_turned_away = self._looks_new and at - self._seen_at < RECENT_SECONDS
        return self._is_sought and (self._is_found or is_turned_away)


class Tally:
    """Counts what a gate let pass and what it saved in the last seconds; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: deque[tuple[float, bool]] = deque()
        self._began: float | None = None

    def note(self, now: float, *, passed: bool) -> None:
        """Count one look at `now`, seconds on a steady clock."""
        with self._lock:
            self._began = now if self._began is None else self._began
            self._looks.append((now, passed))

    def per_second(self, now: float) -> tuple[float, float]:
        """Return how many frames a second passed and were saved in the last FIGURES_SECONDS."""
        with self._lock:
            while self._looks and self._looks[0][0] <= now - FIGURES_SECONDS:
                self._looks.popleft()
            seconds = min(FIGURES_SECONDS, max(1.0, now - (now if self._began is None else self._began)))
            passed = sum(passed for _, passed in self._looks)
            return round(passed / seconds, 2), round((len(self._looks) - passed) / seconds, 2)


def _people(faces: int) -> str:
    return f"{faces} face{'s' if faces > 1 else ''}" if faces else "nobody"


def _with_margin(counts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = 2 * math.ceil(ZONE_MARGIN * counts.shape[0]) + 1
    return np.asarray(cv2.dilate(counts, np.ones((side, side), np.uint8)), np.uint8)


def _widened(place: Region, scale: float) -> Region:
    """Return a place of the small picture in pixels of the whole one, with a margin: of a head, often only an edge moves."""
    across, down = (
        round(min(MOST_MARGIN, max(LEAST_MARGIN, MARGIN * scale * length))) for length in (place.width, place.height)
    )
    left, top = round(place.left * scale) - across, round(place.top * scale) - down
    return Region(left, top, round(place.width * scale) + 2 * across, round(place.height * scale) + 2 * down)


def _small(face: Region, scale: float) -> Region:
    """Return a face of the whole picture in pixels of the small one."""
    sides = (max(1, round(face.width / scale)), max(1, round(face.height / scale)))
    return Region(round(face.left / scale), round(face.top / scale), *sides)


def _look_of(smooth: Grey, place: Region) -> NDArray[np.float32]:
    """Return how a place looks, whatever its size and its light."""
    height, width = smooth.shape
    look = cv2.resize(cut(smooth, inside(place, width, height)), (LOOK_SIDE, LOOK_SIDE), interpolation=cv2.INTER_LINEAR)
    plain = look.astype(np.float32) - np.float32(look.mean())
    return plain * np.float32(LOOK_CONTRAST / max(LEAST_CONTRAST, float(plain.std())))


def _differs(one: NDArray[np.float32], other: NDArray[np.float32], grain: float) -> bool:
    return float(np.abs(one - other).mean()) > CHANGED_LEVELS + GRAINS * grain
