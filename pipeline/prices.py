"""What calls cost: by region and operation, in steps that begin anew each month; read from prices.csv and a file of one's own.

A call counts as one picture, that of two pictures (CompareFaces) as well. That a stored face and a stored user cost something a
month is not counted here.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pipeline.entities import Operation
from pipeline.errors import SettingsError

COLUMNS = ("region", "operations", "calls_from", "dollars", "certainty", "source", "date")
EVERYWHERE = "*"
FILE_NAME = "prices.csv"

_REGION = re.compile(r"\*|[a-z]{2,3}(-[a-z]+)+-\d{1,2}")
_MOST_DOLLARS = 10.0
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """From so many calls in a month on, each costs `dollars`; `source` says who says so, and `date` when."""

    calls_from: int
    dollars: float
    is_assumed: bool = False
    source: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Tariff:
    """The steps of operations whose calls are counted together, in one region or EVERYWHERE else; the first begins at 0."""

    region: str
    operations: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def most(self) -> float:
        """Dollars that a call costs at most."""
        return max(step.dollars for step in self.steps)

    @property
    def is_assumed(self) -> bool:
        """Whether any of its figures is not known for certain."""
        return any(step.is_assumed for step in self.steps)

    def cost(self, before: float, calls: float) -> float:
        """Return the dollars of so many more calls in a month that had `before`."""
        ends = [*(step.calls_from for step in self.steps[1:]), math.inf]
        after = before + calls
        return sum(
            step.dollars * max(0.0, min(after, end) - max(before, step.calls_from))
            for step, end in zip(self.steps, ends, strict=True)
        )


class Prices:
    """The tariffs of several sources, the more important source first; in each, a region goes before EVERYWHERE."""

    def __init__(self, *sources: Iterable[Tariff]) -> None:
        self._sources = [
            {(tariff.region, operation): tariff for tariff in source for operation in tariff.operations} for source in sources
        ]

    def tariff(self, region: str, operation: str) -> Tariff:
        """Return what an operation costs in a region; one that no line names costs what DetectFaces does."""
        for name in (operation, Operation.DETECT_FACES):
            for source in self._sources:
                found = source.get((region, name)) or source.get((EVERYWHERE, name))
                if found is not None:
                    return found
        raise SettingsError(f"the prices say nothing of DetectFaces in {region}: add a line for it, or for region *")


def prices_of(path: Path | None) -> Prices:
    """Return the prices: those of the file, if one is named, before the built-in ones; raises SettingsError with its line."""
    return Prices(_read_file(path), _built_in()) if path else built_in()


@cache
def built_in() -> Prices:
    """Return the prices of this program's own file."""
    return Prices(_built_in())


def read(text: str, name: str) -> tuple[Tariff, ...]:
    """Return the tariffs of a CSV text, in its order; raises SettingsError, which calls it `name` and says the line."""
    steps: dict[tuple[str, tuple[str, ...]], list[Step]] = {}
    taken: dict[tuple[str, str], tuple[str, ...]] = {}
    for number, row in _rows(text, name):
        try:
            region, operations, step = _step(row)
            _check_place(steps.setdefault((region, operations), []), step)
            for operation in operations:
                if taken.setdefault((region, operation), operations) != operations:
                    raise ValueError(
                        f"{operation} in {region} stands in another line with other operations: name it in one of them"
                    )
        except ValueError as error:
            raise SettingsError(f"{name} line {number}: {error}") from error
        steps[region, operations].append(step)
    return tuple(Tariff(region, operations, tuple(found)) for (region, operations), found in steps.items())


@cache
def _built_in() -> tuple[Tariff, ...]:
    return read((files("pipeline") / FILE_NAME).read_text(), FILE_NAME)


def _read_file(path: Path) -> tuple[Tariff, ...]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SettingsError(f"the prices {str(path)!r} are too many: {_MOST_BYTES:,} bytes are read at most")
        found = read(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise SettingsError(f"the prices {str(path)!r} cannot be read ({error.strerror}): correct REKSTREAM_PRICES") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the prices {str(path)!r} are no text: write the lines of {FILE_NAME}") from error
    if not found:
        raise SettingsError(f"the prices {str(path)!r} hold no line: write some as in {FILE_NAME}, or unset REKSTREAM_PRICES")
    return found


def _rows(text: str, name: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the lines that say something, with their numbers; the first of them names the columns."""
    reader = csv.reader(io.StringIO(text))
    is_head = True
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if is_head and tuple(cells) != COLUMNS:
                raise SettingsError(
                    f"{name} line {reader.line_num}: the columns are not {','.join(COLUMNS)}: write that line first"
                )
            if not is_head:
                yield reader.line_num, cells
            is_head = False
    except csv.Error as error:
        raise SettingsError(f"{name} line {reader.line_num}: {error}") from error


def _step(row: Sequence[str]) -> tuple[str, tuple[str, ...], Step]:
    if len(row) != len(COLUMNS):
        raise ValueError(f"there are {len(row)} columns instead of {len(COLUMNS)}: write {','.join(COLUMNS)}")
    cells: Mapping[str, str] = dict(zip(COLUMNS, row, strict=True))
    if not _REGION.fullmatch(cells["region"]):
        raise ValueError(f"region {cells['region']!r} is none: write one such as us-east-1, or * for all others")
    if cells["certainty"] not in ("known", "assumed"):
        raise ValueError(f"certainty {cells['certainty']!r} is none: write known or assumed")
    step = Step(
        _whole(cells["calls_from"]), _dollars(cells["dollars"]), cells["certainty"] == "assumed", cells["source"], cells["date"]
    )
    return cells["region"], _operations(cells["operations"]), step


def _check_place(before: Sequence[Step], step: Step) -> None:
    if not before and step.calls_from:
        raise ValueError(f"the first step begins at {step.calls_from} calls: begin with one from 0")
    if before and step.calls_from <= before[-1].calls_from:
        raise ValueError(
            f"this step begins at {step.calls_from} calls, not after the {before[-1].calls_from} of the one before"
        )


def _operations(text: str) -> tuple[str, ...]:
    names = text.split()
    if not names:
        raise ValueError("no operation is named: write for example DetectFaces DetectLabels")
    known = [operation.value for operation in Operation]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"there is no operation {name!r}: {hint}")
    return tuple(names)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len("1000000000000"):
        raise ValueError(f"calls_from {text!r} is no number of calls: write 0, 1000000 …")
    return int(text)


def _dollars(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0.0 <= found <= _MOST_DOLLARS:
        raise ValueError(f"dollars {text!r} is no price of a call: write for example 0.001")
    return found
