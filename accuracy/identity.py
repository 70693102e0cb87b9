"""Who a face is like: pairs of pictures of one person and of two, and what distance and similarity make of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Number, Share, Table
from accuracy.samples import Sample
from accuracy.trials import Reading, Trial, Trials, rows_of
from vision.embedding import distance, distance_at, similarity

SIMILARITIES = (80.0, 90.0, 95.0, 99.0)
_LOW_AND_HIGH = (SIMILARITIES[0], SIMILARITIES[-1])
DISTANCES = (0.40, 0.45, 0.50, 0.55, 0.60, 0.65)
_PERCENTILES = (0, 5, 50, 95, 100)
_NO_PAIRS = "Not measured: it takes pictures in people/NAME, of two people at least."


class Kin(StrEnum):
    """What is known of the people on two pictures."""

    SAME = "one person, two photos"
    SAME_SCENE = "one person, one photo or film"
    ALIKE = "two people of one gender"
    OTHER = "two people, other"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, what is known of them, and how far apart their faces are."""

    kin: Kin
    person: str  # of a pair of one person
    apart: float

    @property
    def same(self) -> bool:
        """Whether it is one person in two photos."""
        return self.kin is Kin.SAME

    @property
    def different(self) -> bool:
        """Whether it is two people."""
        return self.kin in (Kin.ALIKE, Kin.OTHER)


def kin(first: Sample, second: Sample) -> Kin:
    """Return what the labels say of two pictures' people; pictures of nobody known are not known to differ."""
    one_scene = bool(first.scene) and first.scene == second.scene
    if first.person and first.person == second.person:
        return Kin.SAME_SCENE if one_scene else Kin.SAME
    genders = first.gender and second.gender
    one_gender = bool(genders) and first.gender == second.gender
    if one_scene or (genders and not one_gender) or _known_apart(first, second):
        return Kin.ALIKE if one_gender else Kin.OTHER
    return Kin.UNKNOWN


def _known_apart(first: Sample, second: Sample) -> bool:
    someone = all(sample.person or sample.circle for sample in (first, second))
    return someone and not (first.circle and first.circle == second.circle)


def tables(readings: list[Reading], trials: Trials) -> list[Table]:
    """Return distances, what thresholds of distance and similarity do, and what becomes of small and dark faces."""
    pairs = pairs_of(readings)
    usable = any(pair.same for pair in pairs) and any(pair.different for pair in pairs)
    why = "" if usable else _NO_PAIRS
    return [_distances(pairs, why), _by_similarity(pairs, why), _by_distance(pairs, why), _found_again(readings, trials)]


def pairs_of(readings: Iterable[Reading]) -> list[Pair]:
    """Return every pair of pictures whose faces have vectors and whose people are known to be one or two."""
    seen = [(one.sample, face.vector) for one in readings if (face := one.face) and face.vector is not None]
    related = [(kin(a, b), a.person if a.person == b.person else "", v, w) for (a, v), (b, w) in combinations(seen, 2)]
    return [Pair(what, who, float(distance(v, w))) for what, who, v, w in related if what is not Kin.UNKNOWN]


def _distances(pairs: list[Pair], why: str) -> Table:
    same = [pair for pair in pairs if pair.same]
    most = Counter(pair.person for pair in same).most_common(1)
    rows = {kind.value: _spread([pair.apart for pair in pairs if pair.kin is kind]) for kind in Kin if kind != Kin.UNKNOWN}
    if most and most[0][1] < len(same):
        rows["… without the one in most pairs"] = _spread([pair.apart for pair in same if pair.person != most[0][0]])
    return Table(
        "distances",
        "Distances",
        "How far apart the vectors of two pictures are: the least, the greatest, and what so many percent are nearer than.",
        "pairs of",
        ("least", "5 %", "50 %", "95 %", "greatest", "n"),
        {} if why else dict(sorted(rows.items(), key=_order)),
        frozenset(("5 %", "50 %", "95 %")),
        missing=why,
    )


def _order(row: tuple[str, object]) -> int:
    names = [Kin.SAME.value, "… without the one in most pairs", Kin.SAME_SCENE.value, Kin.ALIKE.value, Kin.OTHER.value]
    return names.index(row[0])


def _spread(distances: list[float]) -> tuple[Number, ...]:
    values = np.percentile(distances, _PERCENTILES) if distances else np.full(len(_PERCENTILES), np.nan)
    return (*(Number(float(value), 2) for value in values), Number(len(distances)))


def _by_similarity(pairs: list[Pair], why: str) -> Table:
    rows = {f"{least:.0f} %": (Number(distance_at(least), 3), *_errors(pairs, distance_at(least))) for least in SIMILARITIES}
    return Table(
        "similarity",
        "By similarity",
        "Faces match when they are alike by so many percent or more. False: two people match. Missed: two photos of one person "
        "do not. The scale is ours; what Amazon's percents mean is not published.",
        "at least",
        ("distance at most", "false, of one gender", "false, all", "missed"),
        {} if why else rows,
        frozenset(("distance at most", "false, of one gender", "missed")),
        missing=why,
    )


def _by_distance(pairs: list[Pair], why: str) -> Table:
    rows = {}
    for most in DISTANCES:
        alike, every, missed = _errors(pairs, most)
        right = Number(100 - (every.percent + missed.percent) / 2, 1, " %")
        rows[f"{most:.2f}"] = (Number(float(similarity(most)), 1, " %"), alike, every, missed, right)
    return Table(
        "threshold",
        "By distance",
        "The same by the vectors' distance, which no scale moves. Right: the mean of two people told apart and one recognised.",
        "at most",
        ("similarity", "false, of one gender", "false, all", "missed", "right"),
        {} if why else rows,
        frozenset(("missed", "right")),
        missing=why,
    )


def _errors(pairs: list[Pair], most: float) -> tuple[Share, Share, Share]:
    """Return the false matches of one gender, of all, and the matches missed, when faces match up to a distance."""
    return (
        Share.among(pair.apart <= most for pair in pairs if pair.kin is Kin.ALIKE),
        Share.among(pair.apart <= most for pair in pairs if pair.different),
        Share.among(pair.apart > most for pair in pairs if pair.same),
    )


def _found_again(readings: list[Reading], trials: Trials) -> Table:
    """Return whether a face in a scene is most like the picture it was cut from, among everybody."""
    named = [one for one in readings if one.sample.person]
    known = {one.sample: face.vector for one in named if (face := one.face) and face.vector is not None}
    rows = {}
    for table in ("height_720", "turned", "light", "blur", "cover", "jpeg"):
        for row, tried in rows_of(trials[table]).items():
            of_known = [trial for trial in tried if trial.scene.cutout.sample in known]
            if of_known:
                rows[_row_name(table, row)] = _again(of_known, known)
    return Table(
        "found_again",
        "Found again",
        "A face in a scene against all untouched pictures in people/, its own among them: how often it has a vector at all, "
        "how often the nearest is of its own person, how far it is from its own picture (median), and how often that is a "
        "match. It is the same photo, so this is what smallness, turn, light, blur and covers do by themselves.",
        "",
        ("has a vector", "nearest is right", "distance", *(f"match at {least:.0f} %" for least in _LOW_AND_HIGH), "n"),
        rows,
        frozenset(("nearest is right",)),
        missing="" if rows else "Not measured: it takes clear faces in people/NAME.",
    )


def _row_name(table: str, row: str) -> str:
    names = {"height_720": "{}", "turned": "turned by {}", "blur": "blur of {}", "cover": "covered: {}", "jpeg": "JPEG {}"}
    return names.get(table, "{}").format(row)


def _again(tried: list[Trial], known: dict[Sample, NDArray[np.float32]]) -> tuple[Share | Number, ...]:
    everybody, gallery = list(known), np.stack(list(known.values()))
    own, nearest = [], []
    for trial in tried:
        if trial.face is not None and trial.face.vector is not None:
            sample = trial.scene.cutout.sample
            apart = distance(gallery, trial.face.vector)
            own.append(float(apart[everybody.index(sample)]))
            nearest.append(everybody[int(apart.argmin())].person == sample.person)
    alike = (Share.among(one <= distance_at(least) for one in own) for least in _LOW_AND_HIGH)
    return Share(len(own), len(tried)), Share(sum(nearest), len(tried)), Number.middle(own, 2), *alike, Number(len(tried))
