"""What is said of a face: gender, age, emotion, smile, eyes and mouth, against what a person says of it."""

from collections.abc import Callable, Iterable

from accuracy.figures import Figure, Number, Share, Table
from accuracy.samples import GENDERS, Sample
from accuracy.trials import Reading, Trials, rows_of
from vision.attributes import EMOTIONS
from vision.entities import AgeRange, Answer, Face

_YEARS = ((0, 24), (25, 39), (40, 59), (60, 120))
_KNOWN_TO = 6  # years: a label no wider is an age known, not a group guessed at
_NO_LABEL = "Not measured: no label says it."


def tables(readings: list[Reading], trials: Trials) -> list[Table]:
    """Return a table for each answer."""
    faces = [reading for reading in readings if not reading.sample.empty]
    return [_gender(faces), _age(faces), _yes_or_no(faces), _emotions(faces), _survival(trials, readings)]


def _gender(readings: list[Reading]) -> Table:
    labelled = [reading for reading in readings if reading.sample.gender]
    rows = {}
    for name in (*GENDERS, "all"):
        these = [reading for reading in labelled if name in (reading.sample.gender, "all")]
        said = [(face, reading.sample) for reading in these if (face := reading.face) and face.gender]
        right = Share.among(face.gender is not None and face.gender.value == sample.gender for face, sample in said)
        rows[name] = (right, Number(len(said)), _people(these), Number(len(these) - len(said)))
    return Table(
        "gender",
        "Gender",
        "Right: the gender read is the one labelled. Unread: not found, or turned or covered so that nothing is said.",
        "labelled",
        ("right", "n", "people at most", "unread"),
        rows if labelled else {},
        frozenset(("right",)),
        missing="" if labelled else _NO_LABEL,
    )


def _age(readings: list[Reading]) -> Table:
    said = [(reading, face.age) for reading in readings if reading.sample.age and (face := reading.face) and face.age]
    groups: dict[str, Callable[[tuple[float, float]], bool]] = {
        f"{low} to {high}" if high < _YEARS[-1][1] else f"{low} and more": _within(low, high) for low, high in _YEARS
    }
    groups[f"known to {_KNOWN_TO} years"] = lambda age: age[1] - age[0] <= _KNOWN_TO
    groups["all"] = lambda age: True
    rows = {name: _age_row([(one, age) for one, age in said if fits(_labelled(one))]) for name, fits in groups.items()}
    return Table(
        "age",
        "Age",
        "Error: years between the middle of the range read and the age labelled (or the nearer end, where the label is a "
        "range). Inside: the ranges touch. Rows by the middle of the label. A wide label makes errors small: where groups were "
        f"guessed at, believe the row of ages known to {_KNOWN_TO} years.",
        "labelled",
        ("mean error", "read older by", "inside", "n", "people at most"),
        {name: row for name, row in rows.items() if row is not None} if said else {},
        frozenset(("mean error", "inside")),
        missing="" if said else _NO_LABEL,
    )


def _labelled(reading: Reading) -> tuple[float, float]:
    return reading.sample.age or (0.0, 0.0)


def _within(low: int, high: int) -> Callable[[tuple[float, float]], bool]:
    return lambda age: low <= (age[0] + age[1]) / 2 < high + 1


def _age_row(said: list[tuple[Reading, AgeRange]]) -> tuple[Number, Number, Share, Number, Number] | None:
    if not said:
        return None
    errors = [age_error(age, _labelled(reading)) for reading, age in said]
    inside = Share.among(age.low <= _labelled(reading)[1] and _labelled(reading)[0] <= age.high for reading, age in said)
    people = _people(reading for reading, _ in said)
    return Number.mean(map(abs, errors), 1, " years"), Number.mean(errors, 1, " years"), inside, Number(len(said)), people


def age_error(read: AgeRange, labelled: tuple[float, float]) -> float:
    """Return how many years too old the middle of a range is; 0 inside the label."""
    middle = (read.low + read.high) / 2
    return min(0.0, middle - labelled[0]) + max(0.0, middle - labelled[1])


def _yes_or_no(readings: list[Reading]) -> Table:
    questions: dict[str, tuple[Callable[[Sample], bool | None], Callable[[Face], Answer | None]]] = {
        "smile": (lambda sample: sample.smile, lambda face: face.smile),
        "eyes open": (lambda sample: sample.eyes_open, lambda face: face.eyes_open),
        "mouth open": (lambda sample: sample.mouth_open, lambda face: face.mouth_open),
    }
    rows = {}
    for name, (labelled, answered) in questions.items():
        said = [
            (labelled(reading.sample), answer.value)
            for reading in readings
            if labelled(reading.sample) is not None and (face := reading.face) and (answer := answered(face))
        ]
        if said:
            yes, no = [answer for label, answer in said if label], [answer for label, answer in said if not label]
            rows[name] = (Share.among(yes), Number(len(yes)), Share.among(no), Number(len(no)))
    return Table(
        "yes_or_no",
        "Smile, eyes and mouth",
        "Seen: of the faces labelled so, those of which it is said. False: of the faces labelled otherwise. A mouth is open "
        "when the lips are apart, so that teeth show.",
        "",
        ("seen", "n", "false", "n of others"),
        rows,
        frozenset(("seen", "false")),
        missing="" if rows else _NO_LABEL,
    )


def _emotions(readings: list[Reading]) -> Table:
    said = [
        (reading.sample.emotion, face.emotions[0].name)
        for reading in readings
        if reading.sample.emotion and (face := reading.face) and face.emotions
    ]
    rows: dict[str, tuple[Figure, ...]] = {}
    for label in EMOTIONS:
        read = [name for labelled, name in said if labelled == label]
        if read:
            counts = (Number(read.count(name)) for name in EMOTIONS)
            rows[label] = (Share.among(name == label for name in read), *counts)
    if said:
        read = [name for _, name in said]
        counts = (Number(read.count(name)) for name in EMOTIONS)
        rows["all"] = (Share.among(label == name for label, name in said), *counts)
    return Table(
        "emotions",
        "Emotions",
        "Each row a label, each column the strongest emotion that was read. It is what a face looks like, not what a person "
        "feels.",
        "labelled",
        ("right", *EMOTIONS),
        rows,
        frozenset(("right",)),
        missing="" if rows else _NO_LABEL,
    )


def _survival(trials: Trials, readings: list[Reading]) -> Table:
    """Return how many answers are the same as of the untouched picture, by what was done to it."""
    first = {reading.sample.file: face for reading in readings if (face := reading.face) and face.gender}
    rows: dict[str, tuple[Figure, ...]] = {}
    for table in ("height_720", "light", "blur", "jpeg"):
        for row, tried in rows_of(trials[table]).items():
            pairs = [
                (face, old) for trial in tried if (face := trial.face) and (old := first.get(trial.scene.cutout.sample.file))
            ]
            if pairs:
                rows[row if table != "blur" else f"blur of {row}"] = (*_same(pairs), Number(len(pairs)))
    return Table(
        "survival",
        "What survives",
        "Of faces that were found: how often an answer is the one given of the untouched picture, be it right or wrong (age: "
        "by less than five years). Heights are in a frame of 720 lines; all other faces are 120 pixels high.",
        "",
        ("gender", "age", "emotion", "smile", "eyes open", "mouth open", "n"),
        rows,
        missing="" if rows else "Not measured: there are no scenes.",
    )


def _same(pairs: list[tuple[Face, Face]]) -> tuple[Share, ...]:
    ways: tuple[Callable[[Face], object], ...] = (
        lambda face: face.gender and face.gender.value,
        lambda face: face.emotions and face.emotions[0].name,
        lambda face: face.smile and face.smile.value,
        lambda face: face.eyes_open and face.eyes_open.value,
        lambda face: face.mouth_open and face.mouth_open.value,
    )
    gender, *others = (Share.among(way(face) == way(old) for face, old in pairs) for way in ways)
    return gender, Share.among(_of_one_age(face, old) for face, old in pairs), *others


def _of_one_age(face: Face, old: Face) -> bool:
    if face.age is None or old.age is None:
        return face.age is old.age
    return abs(face.age.low + face.age.high - old.age.low - old.age.high) / 2 < 5  # noqa: PLR2004 - years


def _people(readings: Iterable[Reading]) -> Number:
    return Number(len({reading.sample.person or reading.sample.file for reading in readings}))
