"""The pictures of a folder, and what a person says is on them.

    FOLDER/people/NAME/*   pictures of one person each        FOLDER/none/*        pictures without any face
    FOLDER/faces/*         any other pictures with faces      FOLDER/labels.csv    what is to be seen

Every part may be missing. In labels.csv a line is a picture, and a cell nobody can fill stays empty.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.attributes import EMOTIONS
from vision.entities import Rgb
from vision.pictures import PictureError, decode, inspect

PARTS = ("people", "faces", "none")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
GENDERS = ("Female", "Male")


class LabelError(ValueError):
    """The folder or its labels cannot be used as they are; the message says in one sentence what to change."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture and its labels; what nobody said is None or empty.

    The other labels are about the face in `box`, or the picture's largest face. Pixels are those of the picture as shown.
    `scene` names the photo or film a picture was cut from: faces of one scene with different names are different people.
    `circle` names pictures among which different names may yet be one person.
    """

    file: str
    path: Path
    faces: int | None = None
    person: str = ""
    circle: str = ""
    scene: str = ""
    gender: str = ""
    age: tuple[float, float] | None = None
    emotion: str = ""
    smile: bool | None = None
    eyes_open: bool | None = None
    mouth_open: bool | None = None
    yaw: float | None = None  # degrees, to the picture's right
    box: tuple[float, ...] | None = None  # left, top, width, height in pixels
    eyes: tuple[float, ...] | None = None  # the middle of the picture's left eye, then the right one's: x, y, x, y
    clear: bool = False  # upright, turned little, uncovered, and all of the head in the picture

    @property
    def empty(self) -> bool:
        """Whether the picture lies among those without a face."""
        return self.file.startswith("none/")

    def load(self) -> tuple[Rgb, float]:
        """Return the picture as the server decodes it, and its scale: decoded pixels a pixel."""
        data = self.path.read_bytes()
        try:
            rgb, info = decode(data), inspect(data)
        except PictureError as error:
            raise LabelError(f"{self.path}: {error}") from error
        return rgb, max(rgb.shape[:2]) / max(info.width, info.height)


def read(folder: Path) -> list[Sample]:
    """Return every picture of the folder with its labels; LabelError where there is nothing, or labels make no sense."""
    files = sorted(_files(folder))
    if not files:
        raise LabelError(f"{folder} has no pictures: put JPEG or PNG files into {folder}/people/NAME, faces or none")
    labels = _labels(folder)
    if lost := sorted(labels.keys() - set(files)):
        raise LabelError(f"labels.csv names {lost[0]}, which is not in {folder}: put it there, or take the line out")
    return [Sample(file=file, path=folder / file, **{"person": _person(file), **labels.get(file, {})}) for file in files]


def _files(folder: Path) -> Iterable[str]:
    for part in PARTS:
        for path in (folder / part).rglob("*"):
            if path.suffix.lower() in SUFFIXES:
                yield path.relative_to(folder).as_posix()


def _person(file: str) -> str:
    part, _, rest = file.partition("/")
    return rest.partition("/")[0] if part == "people" and "/" in rest else ""


def _labels(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "labels.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        _check_columns(reader.fieldnames or ())
        return {row["file"]: _row(row, reader.line_num) for row in reader}


def _check_columns(columns: Iterable[str]) -> None:
    if "file" not in columns:
        raise LabelError("labels.csv has no column 'file': its first line names the columns, file first")
    for column in columns:
        if column != "file" and column not in _CELLS:
            raise LabelError(f"labels.csv has a column {column!r} that nothing reads: take it out, or use {', '.join(_CELLS)}")


def _row(row: dict[str, str | None], line: int) -> dict[str, Any]:
    if None in row or None in row.values():
        raise LabelError(f"labels.csv, line {line}, has not as many cells as columns: write a cell, if empty, for each")
    return {column: _cell(column, text, line) for column, text in row.items() if text and column != "file"}


def _cell(column: str, text: str, line: int) -> Any:
    parse, wanted = _CELLS[column]
    try:
        return parse(text)
    except (ValueError, KeyError) as error:
        raise LabelError(f"labels.csv, line {line}: {column} is {text!r}; write {wanted}, or nothing") from error


def _one_of(names: Iterable[str]) -> Callable[[str], str]:
    return {name: name for name in names}.__getitem__


def _years(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def _four(text: str) -> tuple[float, ...]:
    left, top, third, fourth = map(float, text.split())
    return left, top, third, fourth


_yes = {"1": True, "0": False}.__getitem__
_YES = (_yes, "1 or 0")
_CELLS: dict[str, tuple[Callable[[str], Any], str]] = {
    "faces": (int, "how many there are"),
    "person": (str, "a name"),
    "circle": (str, "a name"),
    "scene": (str, "a name"),
    "gender": (_one_of(GENDERS), " or ".join(GENDERS)),
    "age": (_years, "years such as 51 or 20-40"),
    "emotion": (_one_of(EMOTIONS), f"one of {', '.join(EMOTIONS)}"),
    "smile": _YES,
    "eyes_open": _YES,
    "mouth_open": _YES,
    "yaw": (float, "degrees"),
    "box": (_four, "left top width height in pixels"),
    "eyes": (_four, "x y x y in pixels, the picture's left eye first"),
    "clear": _YES,
}
