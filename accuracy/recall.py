"""Which faces are found, and whether their landmarks lie where the eyes are."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product

import numpy as np

from accuracy.figures import Number, Share, Table
from accuracy.scenes import FULL_HD, HD, Backgrounds, Change, Cutout, Scene, blurred, compressed, covered, lit, noisy
from accuracy.trials import ALIKE, NEAR, RIGHT, Engine, Plan, Reading, Trial, Trials, on_all_cores, rows_of

HEIGHTS = (24, 32, 40, 48, 64, 96)
TAKES = (0, 1)  # how often each face is tried at each height, elsewhere and before something else
TURNS = (0, *(either * turn for turn in range(15, 180, 15) for either in (-1, 1)), 180)
LIGHTS: dict[str, Change] = {
    "as it is": lit(1),
    **{f"gain {gain:g}": lit(gain) for gain in (0.1, 0.2, 0.35, 0.5, 1.5, 2.0, 3.0)},
    **{f"gamma {gamma:g}": lit(1, gamma) for gamma in (0.5, 2.0, 3.0)},
    **{f"noise of {levels} levels": noisy(levels) for levels in (10, 20, 40)},
}
DARK_AND_NOISY = (lit(0.2), noisy(5))
BLURS: dict[str, Change] = {f"{share:g} of the height": blurred(share) for share in (0.01, 0.02, 0.04, 0.06, 0.08)}
COVERS: dict[str, Change] = {
    "eyes": covered(-0.1, 0.25, 1.1, 0.52),
    "mouth": covered(0.1, 0.64, 0.9, 0.95),
    "nose, mouth and chin (a mask)": covered(-0.05, 0.52, 1.05, 1.1),
    "forehead and eyes": covered(-0.2, -0.3, 1.2, 0.52),
    "left half": covered(-0.4, -0.3, 0.5, 1.2),
    "right half": covered(0.5, -0.3, 1.4, 1.2),
}
QUALITIES: dict[str, Change] = {f"quality {quality}": compressed(quality) for quality in (95, 75, 50, 30, 15, 5)}

_FOUND, _RIGHT, _WRONG = "found", "landmarks right", "landmarks wrong"
_COLUMNS = (_FOUND, _RIGHT, _WRONG, "n")
_RULES = (
    f"Found: a box's middle is within {100 * NEAR:.0f} % of the face's height of the true place, and its size at most "
    f"{ALIKE:g} times off. Right: both eyes are within {100 * RIGHT:.0f} % of the height of where they should be. Wrong: "
    "landmarks are given, elsewhere. All are shares of the faces that are there; in brackets 95 % intervals (Wilson)."
)
_MISSING = (
    "Not measured: the folder has no clear face to put into scenes (of at least 100 pixels, upright, turned little, uncovered)."
)


def plan(cut: Iterable[Cutout], backgrounds: Backgrounds) -> Plan:
    """Return the scenes to try, by table."""
    scenes = [Scene(cutout, backgrounds) for cutout in cut]

    def each(changes: Mapping[str, Change]) -> list[tuple[str, Scene]]:
        return [(row, scene.changed(change)) for row, change in changes.items() for scene in scenes]

    return {
        "height_720": _heights(scenes, HD),
        "height_1080": _heights(scenes, FULL_HD),
        "turned": [(f"{abs(turn)}°", Scene(scene.cutout, backgrounds, turn=turn)) for turn, scene in product(TURNS, scenes)],
        "light": each(LIGHTS) + [("gain 0.2 with noise of 5", scene.changed(*DARK_AND_NOISY)) for scene in scenes],
        "blur": each(BLURS),
        "cover": each(COVERS),
        "jpeg": each(QUALITIES),
    }


def tables(engine: Engine, trials: Trials, readings: list[Reading], backgrounds: Backgrounds) -> list[Table]:
    """Return what was found, of the scenes, of the pictures as they are, and where there is nothing to find."""
    return [
        _by_height(trials),
        _simple("turned", "By turn in the picture", "Faces of 120 pixels in a 1280 x 720 frame, turned either way.", trials),
        _simple("light", "By light and noise", "The same faces upright, the frame made darker, brighter or noisy.", trials),
        _simple("blur", "By blur", "The frame blurred by a Gaussian; its sigma as a share of the face's height.", trials),
        _simple(
            "cover",
            "By what is covered",
            "A part of the face covered with one dark colour. Landmarks are right if they lie where the covered eyes are.",
            trials,
        ),
        _simple("jpeg", "By JPEG quality", "The frame sent through a JPEG of this quality.", trials),
        _whole_pictures(readings),
        _false_finds(engine, backgrounds),
    ]


def _heights(scenes: list[Scene], size: tuple[int, int]) -> list[tuple[str, Scene]]:
    return [
        (f"{height} px", Scene(scene.cutout, scene.backgrounds, size, height, take=take))
        for height, take, scene in product(HEIGHTS, TAKES, scenes)
    ]


def _by_height(trials: Trials) -> Table:
    small, large = rows_of(trials["height_720"]), rows_of(trials["height_1080"])
    return Table(
        "height",
        "By height",
        f"Faces so many pixels high, upright, in frames of 1280 x 720 and of 1920 x 1080. {_RULES}",
        "height",
        tuple(f"{size} {column}" for size in ("720p", "1080p") for column in _COLUMNS),
        {row: (*_recall(small[row]), *_recall(large[row])) for row in small},
        frozenset(f"{size} {column}" for size in ("720p", "1080p") for column in (_FOUND, _WRONG)),
        missing="" if small else _MISSING,
    )


def _simple(name: str, title: str, shows: str, trials: Trials) -> Table:
    rows = {row: _recall(tried) for row, tried in rows_of(trials[name]).items()}
    if name == "turned" and rows:
        rows["all turns"] = _recall(trials[name])
    compared = frozenset((_FOUND, _RIGHT, _WRONG))
    return Table(name, title, shows, "", _COLUMNS, rows, compared, missing="" if rows else _MISSING)


def _recall(tried: list[Trial]) -> tuple[Share, Share, Share, Number]:
    return (
        Share.among(trial.face is not None for trial in tried),
        Share.among(trial.right for trial in tried),
        Share.among(trial.wrong for trial in tried),
        Number(len(tried)),
    )


def _whole_pictures(readings: list[Reading]) -> Table:
    """Return how many faces are found on pictures whose faces were counted."""
    kinds: dict[str, Callable[[int], bool]] = {
        "no face": lambda count: count == 0,
        "one face": lambda count: count == 1,
        "several faces": lambda count: count > 1,
    }
    counted = [(_count(reading), reading) for reading in readings]
    rows = {}
    for kind, fits in kinds.items():
        these = [(count, reading) for count, reading in counted if count is not None and fits(count)]
        if these:
            rows[kind] = _counts(these)
    return Table(
        "pictures",
        "Pictures as they are",
        "Pictures whose faces were counted by eye. Too few are faces missed; too many are false finds, or faces not counted.",
        "on the picture",
        ("pictures", "faces", "too few", "too many", "pictures with too many"),
        rows,
        frozenset(("too few", "too many")),
        missing="" if rows else "Not measured: no picture lies in none/, and no label says how many faces there are.",
    )


def _false_finds(engine: Engine, backgrounds: Backgrounds) -> Table:
    """Return how many faces are found where there is none."""

    def found(frame: tuple[int, tuple[int, int], int]) -> int:
        index, size, quarters = frame
        return len(engine.analyse(np.ascontiguousarray(np.rot90(backgrounds.frame(index, size), quarters))))

    rows = {}
    for row, size, turns in (("1280 x 720", HD, (0, 1, 2, 3)), ("1920 x 1080", FULL_HD, (0, 1, 2, 3))):
        counts = on_all_cores(found, product(range(len(backgrounds)), (size,), turns))
        rows[row] = (Number(len(counts)), Number(sum(counts)), Share.among(count > 0 for count in counts))
    return Table(
        "false_finds",
        "False finds",
        "The pictures without a face, filling a frame, and turned by each quarter.",
        "frame",
        ("frames", "faces found", "frames with any"),
        rows,
        frozenset(("faces found", "frames with any")),
    )


def _count(reading: Reading) -> int | None:
    return 0 if reading.sample.empty else reading.sample.faces


def _counts(these: list[tuple[int, Reading]]) -> tuple[Number, Number, Number, Number, Share]:
    more = [len(reading.faces) - count for count, reading in these]
    return (
        Number(len(these)),
        Number(sum(count for count, _ in these)),
        Number(sum(max(0, -extra) for extra in more)),
        Number(sum(max(0, extra) for extra in more)),
        Share.among(extra > 0 for extra in more),
    )
