"""How the head is turned: against turns that are known because they were made, mirrored, or stated."""

from collections.abc import Iterable

import numpy as np

from accuracy.figures import Number, Share, Table
from accuracy.trials import ALL, Engine, Reading, Trial, Trials, matching, on_all_cores
from vision.entities import Face, Pose

_NEAR_DEGREES = 5
_TURNED_DEGREES = 10  # a yaw of less may have either sign by chance
_TURNS = ((15, 30), (45, 90), (105, 150), (165, 180))


def tables(engine: Engine, trials: Trials, readings: list[Reading]) -> list[Table]:
    """Return roll, mirrored and stated yaw."""
    return [_roll(trials["turned"]), _mirrored(engine, readings), _stated(readings)]


def _roll(turned: list[Trial]) -> Table:
    upright = {trial.scene.cutout: trial.face.pose for trial in turned if not trial.scene.turn and trial.face}
    errors = [
        (abs(trial.scene.turn), between(trial.face.pose.roll, first.roll + trial.scene.turn))
        for trial in turned
        if trial.face and trial.face.pose and trial.scene.turn and (first := upright.get(trial.scene.cutout))
    ]
    rows = {f"{low}° to {high}°": _roll_row([error for turn, error in errors if low <= turn <= high]) for low, high in _TURNS}
    return Table(
        "roll",
        "Roll",
        "Faces turned in the picture by a known angle, either way: how far the roll is from the roll that the upright face "
        "has, plus that angle. Faces that have no landmarks have no pose, and are not counted here.",
        "turned by",
        ("median error", f"within {_NEAR_DEGREES}°", "n"),
        rows if errors else {},
        frozenset(("median error", f"within {_NEAR_DEGREES}°")),
        missing="" if errors else "Not measured: no face was found both upright and turned.",
    )


def _roll_row(errors: list[float]) -> tuple[Number, Share, Number]:
    near = Share.among(error <= _NEAR_DEGREES for error in errors)
    return Number.middle(errors, 1, "°"), near, Number(len(errors))


def between(first: float, second: float) -> float:
    """Return the angle between two directions in degrees, 0 to 180."""
    return abs((first - second + 180) % 360 - 180)


def _mirrored(engine: Engine, readings: list[Reading]) -> Table:
    """Return how well the pose of a mirrored picture is the mirrored pose."""
    seen = [reading for reading in readings if reading.face and reading.face.pose]
    pairs = [pair for pair in on_all_cores(lambda reading: _pair(engine, reading), seen) if pair is not None]
    turned = [(one, other) for one, other in pairs if abs(one.yaw) >= _TURNED_DEGREES]
    return Table(
        "mirrored",
        "Mirrored pictures",
        "The same picture, left and right exchanged: yaw and roll should change sign and nothing else. This shows that the "
        "angles have no lean to one side, and nothing about how large they are.",
        "",
        ("median difference", "sign exchanged", "n"),
        {
            f"yaw, of faces turned by {_TURNED_DEGREES}° or more": (
                Number.middle((abs(one.yaw + other.yaw) for one, other in turned), 1, "°"),
                Share.among(one.yaw * other.yaw < 0 for one, other in turned),
                Number(len(turned)),
            ),
            "yaw, of all": _difference(one.yaw + other.yaw for one, other in pairs),
            "roll": _difference(one.roll + other.roll for one, other in pairs),
            "pitch, which should stay": _difference(one.pitch - other.pitch for one, other in pairs),
        }
        if pairs
        else {},
        frozenset(("median difference", "sign exchanged")),
        missing="" if pairs else "Not measured: no face with a pose was found in people/ or faces/.",
    )


def _difference(degrees: Iterable[float]) -> tuple[Number, Share, Number]:
    listed = [abs(between(difference, 0)) for difference in degrees]
    return Number.middle(listed, 1, "°"), Share(0, 0), Number(len(listed))


def _pair(engine: Engine, reading: Reading) -> tuple[Pose, Pose] | None:
    face = reading.face
    mirrored = np.ascontiguousarray(reading.sample.load()[0][:, ::-1])
    other = _at_mirrored_place(reading, tuple(engine.analyse(mirrored, ALL)), face) if face else None
    return (face.pose, other.pose) if face and other and face.pose and other.pose else None


def _at_mirrored_place(reading: Reading, faces: tuple[Face, ...], face: Face) -> Face | None:
    size, box = (reading.width, reading.height), face.box
    middle = np.array([1 - box.left - box.width / 2, box.top + box.height / 2]) * size
    return matching(faces, size, middle, box.height * reading.height)


def _stated(readings: list[Reading]) -> Table:
    stated = [reading for reading in readings if reading.sample.yaw is not None]
    rows = {}
    for reading in stated:
        pose = reading.face.pose if reading.face else None
        rows[reading.sample.file.rpartition("/")[2]] = (
            Number(reading.sample.yaw or 0.0, 0, "°"),
            Number(pose.yaw if pose else float("nan"), 0, "°"),
        )
    return Table(
        "yaw",
        "Stated yaw",
        "Pictures whose yaw is stated in the labels (to the picture's right is positive), and what was read.",
        "picture",
        ("stated", "read"),
        rows,
        frozenset(("read",)),
        missing="" if rows else "Not measured: no label states a yaw.",
    )
