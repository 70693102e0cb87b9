"""How well laughs are counted: made sequences with known laughs, of scores that the local models gave to real pictures.

    python -m bench.laughs

Nobody was filmed. The demo's two portraits, one calm, one smiling with her teeth showing, are laid upon each other at five
shares, in twelve conditions (size, light, blur, JPEG) and twelve small turns each: what the models say of these 720 pictures
is all that the sequences are made of. A face goes between calm and laughing by those shares; each look takes
one of the twelve turns at random, so that its noise is the models' own. What is no laugh: grins (half of the smiling
portrait), talking (an open mouth without joy) and smiling (joy with a closed mouth), put together from the scores of both.
One look in twenty is missing, one in fifty is of another share altogether, and looks come unevenly.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import cv2
import numpy as np

from history.laughs import Laugh, Point, laughs_of
from history.looks import Signs, signs_of
from rekognition_local.shapes import face_detail
from tests.vision.scenes import ASTRONAUT, EYES, HOPPER, MOUTHS, portrait
from vision.entities import Rgb
from vision.faces import FaceEngine

RATES = (0.5, 1.0, 2.0, 5.0, 10.0)
SHOWS, FACES, SECONDS = 100, 20, 100.0
EVERY_SECONDS = 20.0  # of a face there is a laugh, and something that is none
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
CONDITIONS, TURNS = 12, 12
MISSED, MISREAD = 0.05, 0.02
SIZE = (640, 480)
SEED = 20_261_123


@dataclass(frozen=True, slots=True)
class Truth:
    """A laugh as it was made: it is half there at `start` and at `end`, and most, `most`, at `peak_at`."""

    start: float
    end: float
    peak_at: float
    most: float


@dataclass(slots=True)
class Tally:
    """What was found of what there was; `counts` are found and true ones of each show."""

    right: int = 0
    found: int = 0
    true: int = 0
    starts: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """The share of those found that were laughs."""
        return self.right / max(1, self.found)

    @property
    def recall(self) -> float:
        """The share of the laughs that were found."""
        return self.right / max(1, self.true)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(1, self.found + self.true)

    @property
    def count_off(self) -> float:
        """By which share the count of a show was off at most, in 95 of 100."""
        return float(np.quantile([abs(found - true) / true for found, true in self.counts], 0.95))


Scores = Mapping[tuple[int, float], Sequence[Signs]]
"""What the models said, by condition and by the share of the smiling portrait."""


def main() -> None:
    scores = read_scores()
    print(
        "| results/s | laughs | precision | recall | F1 | start off by, median / p95 | peak off by | count of a show off by |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for rate in RATES:
        tally = measure(scores, rate, SHOWS, SEED)
        starts, peaks = spread(tally.starts), spread(tally.peaks)
        print(
            f"| {rate:g} | {tally.true} | {tally.precision:.3f} | {tally.recall:.3f} | {tally.f1:.3f} | {starts} | {peaks} "
            f"| {100 * tally.count_off:.0f} % |",
            flush=True,
        )


def spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} / {np.quantile(seconds, 0.95):.2f} s"


def measure(scores: Scores, rate: float, shows: int, seed: int) -> Tally:
    """Count the laughs of so many shows at so many results a second."""
    chance, tally = random.Random(f"{seed} {rate}"), Tally()
    for _ in range(shows):
        before = tally.found, tally.true
        for _ in range(FACES):
            truths, points = face(scores, rate, chance)
            compare(tally, truths, laughs_of(points))
        tally.counts.append((tally.found - before[0], tally.true - before[1]))
    return tally


def compare(tally: Tally, truths: Sequence[Truth], found: Sequence[Laugh]) -> None:
    """Match laughs that overlap, each with one: the larger overlaps first."""
    overlaps = [
        (min(laugh.end, truth.end) - max(laugh.start, truth.start), one, other)
        for one, truth in enumerate(truths)
        for other, laugh in enumerate(found)
    ]
    taken_truths, taken = set[int](), set[int]()
    for overlap, one, other in sorted(overlaps, reverse=True):
        if overlap > 0 and one not in taken_truths and other not in taken:
            taken_truths.add(one)
            taken.add(other)
            tally.starts.append(abs(found[other].start - truths[one].start))
            tally.peaks.append(abs(found[other].peak_at - truths[one].peak_at))
    tally.right += len(taken)
    tally.found += len(found)
    tally.true += len(truths)


def face(scores: Scores, rate: float, chance: random.Random) -> tuple[list[Truth], list[Point]]:
    """Return the laughs of one face, and what was told of it at so many looks a second, unevenly."""
    truths, others = events(chance)
    condition = chance.randrange(CONDITIONS)
    points, at = [], chance.uniform(0, 1 / rate)
    while at < SECONDS:
        if chance.random() >= MISSED:
            laughter = signs_at(scores, condition, at, truths, others, chance).laughter
            points.append((at, laughter or 0.0))
        at += max(0.2 / rate, chance.gauss(1 / rate, 0.25 / rate))
    return truths, points


def events(chance: random.Random) -> tuple[list[Truth], list[tuple[str, float, float]]]:
    """Return the laughs of a face, and its smiles and talks between them."""
    truths, others, at = list[Truth](), list[tuple[str, float, float]](), chance.uniform(2, EVERY_SECONDS)
    while at < SECONDS - 10:
        length = min(8.0, max(0.7, chance.lognormvariate(math.log(1.8), 0.5)))
        truths.append(Truth(at, at + length, at + length * chance.uniform(0.2, 0.6), chance.uniform(0.75, 1)))
        pause = max(4.0, chance.expovariate(1 / (EVERY_SECONDS - length)))
        other = at + length + 1.5
        others.append(
            (chance.choice(["smile", "talk", "grin"]), other, min(other + chance.uniform(1, 6), at + length + pause - 1.5))
        )
        at += length + pause
    return truths, others


def signs_at(
    scores: Scores,
    condition: int,
    at: float,
    truths: Sequence[Truth],
    others: Sequence[tuple[str, float, float]],
    chance: random.Random,
) -> Signs:
    """Return what the models say at a time: of a share of the smile, or of two pictures put together."""
    doing = next((what for what, start, end in others if start <= at <= end), "")
    share = max((level(truth, at) for truth in truths), default=0.0)
    if doing == "grin":
        share = 0.5
    if chance.random() < MISREAD:
        share = chance.random()
    signs = drawn(scores, condition, share, chance)
    if doing == "talk" and math.sin(at * 2 * math.pi * 3) > 0:
        return Signs(signs.smile, signs.happy, drawn(scores, condition, 1.0, chance).mouth_open)
    if doing == "smile":
        joy = drawn(scores, condition, 1.0, chance)
        return Signs(joy.smile, joy.happy, signs.mouth_open)
    return signs


def level(truth: Truth, at: float) -> float:
    """Return how much of a laugh is there: it rises within 0.3 s, goes up to its peak and down, and dies away in 0.7 s."""
    rise, fall = (at - truth.start) / 0.3 + 0.5, (truth.end - at) / 0.7 + 0.5
    most = truth.most - 0.3 * abs(at - truth.peak_at) / (truth.end - truth.start)
    return max(0.0, min(most, rise, fall))


def drawn(scores: Scores, condition: int, share: float, chance: random.Random) -> Signs:
    """Return what was said of one picture of about this share: of the two nearest, the nearer one more often."""
    place = share * (len(SHARES) - 1)
    low = min(int(place), len(SHARES) - 2)
    near = SHARES[low + (chance.random() < place - low)]
    return chance.choice(scores[condition, near])


def read_scores() -> Scores:
    """Ask the local models about all pictures."""
    engine, chance = FaceEngine(), np.random.default_rng(SEED)
    found = {}
    for condition in range(CONDITIONS):
        light, blur = chance.uniform(0.45, 1.2), chance.uniform(0, 1.2)
        height, quality = chance.uniform(56, 180), int(chance.uniform(60, 92))
        for share in SHARES:
            pictures = (jpeg(turned(blend(share), height, chance), light, blur, quality, chance) for _ in range(TURNS))
            found[condition, share] = [signs for picture in pictures for signs in read(engine, picture)]
            assert found[condition, share], "no face was found in any picture of a condition"
    return found


def read(engine: FaceEngine, rgb: Rgb) -> Iterator[Signs]:
    """Yield what is said of the face in a picture, if it is found and read."""
    for one in engine.analyse(rgb, ["ALL"], most=1):
        signs = signs_of(face_detail(one))
        if signs.laughter is not None:
            yield signs


def blend(share: float) -> Rgb:
    """Return the calm portrait with this share of the smiling one laid upon it, eyes on eyes and mouth on mouth."""
    calm, smiling = portrait(HOPPER), portrait(ASTRONAUT)
    ours = np.array([*EYES[ASTRONAUT], MOUTHS[ASTRONAUT]], np.float32)
    theirs = np.array([*EYES[HOPPER], MOUTHS[HOPPER]], np.float32)
    laid = cv2.warpAffine(smiling, cv2.getAffineTransform(ours, theirs), calm.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.addWeighted(calm, 1 - share, laid, share, 0), np.uint8)


def turned(picture: Rgb, height: float, chance: np.random.Generator) -> Rgb:
    """Return a picture in which the face is so high, moved, turned and zoomed a little."""
    face_height = MOUTHS[HOPPER][1] - EYES[HOPPER][0][1]  # from the eyes to the mouth: 0.4 of a face
    zoom = 0.4 * height / face_height * chance.uniform(0.93, 1.07)
    matrix = cv2.getRotationMatrix2D((265, 230), float(chance.normal(0, 4)), float(zoom))
    matrix[:, 2] += np.array(SIZE) / 2 - (265, 230) + chance.normal(0, 6, 2)
    return np.asarray(cv2.warpAffine(picture, matrix, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def jpeg(picture: Rgb, light: float, blur: float, quality: int, chance: np.random.Generator) -> Rgb:
    """Return the picture as a camera would give it: darker, softer, noisy, and compressed."""
    soft = cv2.GaussianBlur(picture, (0, 0), blur) if blur > 0.2 else picture
    noisy = np.clip(soft * light + chance.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


if __name__ == "__main__":
    main()
