"""Films of an entrance for the gate: the clips' two people come and go, and it is known to the frame when a face is there.

They are drawn by `tests/clips.py` and written as H.264 of 1080p. Each face keeps its height while it walks, sways as people do
who walk, and is turned to the side or tilted a little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.clips import FULL_HD, Clip, Person, Stand
from tests.vision.scenes import ASTRONAUT, HOPPER

FPS = 3
WIDTH, HEIGHT = FULL_HD
FACES = (40, 48, 60, 80, 120, 200, 320)  # pixels high
SHORTEST_SECONDS = 1.0
FIRST_SECONDS = 6.0

Rgb = NDArray[np.uint8]
Walk = Callable[[float], Stand | None]


@dataclass(frozen=True, slots=True)
class Film:
    """A clip, and what else the camera has to do with: more `grain` (levels), a mount that trembles by `shake` pixels.

    `behind` are people who are seen from behind: heads without faces.
    """

    clip: Clip
    grain: float = 0.0
    shake: float = 0.0
    behind: tuple[Walk, ...] = ()

    def appearances(self) -> list[tuple[str, float, float]]:
        """Return whose face is wholly in the picture from when to when, where that lasts a second or longer."""
        found = []
        for person in self.clip.people:
            alone = Clip("", self.clip.seconds, (person,))
            there = [at for at in self._moments() if any(face.hidden == 0 for face in alone.faces(at, FULL_HD))]
            if not person.is_poster and there and there[-1] - there[0] >= SHORTEST_SECONDS:
                found.append((person.who, there[0], there[-1]))
        return found

    def pictures(self) -> Iterator[Rgb]:
        """Yield its pictures, FPS a second."""
        grains = [np.random.default_rng(n).normal(0, self.grain, (HEIGHT, WIDTH)).astype(np.int16) for n in range(3)]
        pushes = np.random.default_rng(5).normal(0, self.shake, (round(self.clip.seconds * FPS), 2))
        for number, at in enumerate(self._moments()):
            picture = self.clip.shot(at, FULL_HD).rgb
            for walk in self.behind:
                _draw_behind(picture, walk(at), self.clip.light(at))
            if self.shake:
                push = np.hstack([np.eye(2), pushes[number][:, None]])
                picture = np.asarray(cv2.warpAffine(picture, push, FULL_HD, borderMode=cv2.BORDER_REPLICATE), np.uint8)
            if self.grain:
                picture = np.clip(picture + grains[number % len(grains)][..., None], 0, 255).astype(np.uint8)
            yield picture

    def write(self, path: Path) -> None:
        """Write it as H.264, a key frame every other second, with as many bits a picture as a camera of 5 Mbit/s spends."""
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "superfast", "g": str(2 * FPS)})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.bit_rate = 5_000_000 * FPS // 15
            stream.codec_context.time_base = Fraction(1, FPS)
            for picture in self.pictures():
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))

    def _moments(self) -> list[float]:
        return [number / FPS for number in range(round(self.clip.seconds * FPS))]


def all_films() -> list[Film]:
    """Return nine films in which each of FACES comes once: in every light, quick and slow, with a poster, among others."""
    return [
        Film(_passers("calm", 1)),
        Film(_passers("much grain", 2), grain=9.0),
        Film(_passers("dark", 3, light=lambda _: 0.2), grain=2.0),
        Film(_passers("a lamp goes on and off", 4, light=lambda at: 0.5 if at % 50 > 25 else 1.0)),
        Film(_passers("dusk", 5, light=lambda at: max(0.3, 1 - at / 250))),
        Film(_passers("the camera trembles", 6), shake=2.0),
        Film(_passers("in a hurry", 7, lasting=1.3)),
        Film(_passers("slowly", 8, lasting=5.0, every=55.0)),
        Film(_passers("a poster hangs there", 9, poster=True)),
        Film(_passers("others go by, seen from behind", 10), behind=_from_behind(11)),
    ]


def _passers(name: str, seed: int, *, lasting: float = 3.0, every: float = 36.0, poster: bool = False, **clip: Any) -> Clip:
    """Return a clip through which each of FACES goes once, one after the other, `every` so many seconds."""
    random = np.random.default_rng(seed)
    people = []
    for number, height in enumerate(random.permutation(FACES)):
        begin = FIRST_SECONDS + every * number + float(random.uniform(0, every - lasting - 3))
        people.append(Person((HOPPER, ASTRONAUT)[number % 2], _walk(random, begin, lasting, height / HEIGHT)))
    if poster:
        people.append(Person(HOPPER, lambda _: Stand(0.9, 0.25, 0.12), is_poster=True))
    return Clip(name, FIRST_SECONDS + every * len(FACES), tuple(people), **clip)


def _from_behind(seed: int) -> tuple[Walk, ...]:
    random = np.random.default_rng(seed)
    return tuple(_walk(random, 12.0 + 20 * number, 3.0, height / HEIGHT) for number, height in enumerate((*FACES, *FACES[2:])))


def _walk(random: np.random.Generator, begin: float, lasting: float, height: float) -> Walk:
    """Return a walk across half of the picture; the face is turned to where it goes, as far as it is still to be seen."""
    start, goal, level = (float(random.uniform(low, high)) for low, high in ((0.2, 0.4), (0.6, 0.8), (0.3, 0.6)))
    if random.uniform() < 1 / 2:
        start, goal = goal, start
    yaw, roll = float(random.uniform(-25, 25)), float(random.uniform(-10, 10))

    def walk(at: float) -> Stand | None:
        share = (at - begin) / lasting
        if not 0 <= share <= 1:
            return None
        step = 0.006 * math.sin(2 * math.pi * 1.8 * at)
        return Stand(start + (goal - start) * share, level + step, height, yaw, roll)

    return walk


def _draw_behind(picture: Rgb, stand: Stand | None, light: float) -> None:
    if stand is None:
        return
    middle, height = (round(stand.x * WIDTH), round(stand.y * HEIGHT)), stand.height * HEIGHT
    hair, coat = ([round(light * tone) for tone in tones] for tones in ((52, 40, 34), (60, 66, 92)))
    below = middle[0], round(middle[1] + 2.4 * height)
    cv2.ellipse(picture, below, (round(height), round(2 * height)), 0, 0, 360, coat, -1)
    cv2.ellipse(picture, middle, (round(0.6 * height), round(0.8 * height)), 0, 0, 360, hair, -1)
