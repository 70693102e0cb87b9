"""What was counted and measured, and the tables it stands in: as Markdown for people, as JSON to compare with later."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

NOTHING = "-"
"""Shown where there was nothing to count."""

_Z = 1.96  # 95 % of a normal distribution lie within so many standard deviations
_MANY = 200  # of fewer, tenths of a percent say nothing
_WIDE = 3  # an interval that reaches less far, in percent, is not worth its place


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @classmethod
    def among(cls, answers: Iterable[bool]) -> "Share":
        """Count the true ones."""
        listed = [bool(answer) for answer in answers]
        return cls(sum(listed), len(listed))

    @property
    def percent(self) -> float:
        """Return the share, 0 to 100; of nothing it is not a number."""
        return 100 * self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval, in percent (Wilson, "Probable inference", 1927)."""
        if not self.of:
            return 0.0, 100.0
        share, spread = self.hits / self.of, _Z**2 / self.of
        middle = (share + spread / 2) / (1 + spread)
        half = _Z * math.sqrt(share * (1 - share) / self.of + spread / self.of / 4) / (1 + spread)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.of:
            return NOTHING
        low, high = self.interval
        sure = max(high - self.percent, self.percent - low) < _WIDE
        return f"{_short(self)} %" if sure else f"{_short(self)} % ({low:.0f}-{high:.0f})"


@dataclass(frozen=True, slots=True)
class Number:
    """A measured number, shown with so many digits after the point and its unit."""

    value: float
    digits: int = 0
    unit: str = ""

    @classmethod
    def middle(cls, values: Iterable[float], digits: int = 0, unit: str = "") -> "Number":
        """Return the median; of no values it is not a number, and shown as a dash."""
        listed = list(values)
        return cls(float(np.median(listed)) if listed else math.nan, digits, unit)

    @classmethod
    def mean(cls, values: Iterable[float], digits: int = 0, unit: str = "") -> "Number":
        """Return the mean; of no values it is not a number, and shown as a dash."""
        listed = list(values)
        return cls(float(np.mean(listed)) if listed else math.nan, digits, unit)

    def __str__(self) -> str:
        return NOTHING if math.isnan(self.value) else f"{self.value:.{self.digits}f}{self.unit}"


Figure: TypeAlias = Share | Number


@dataclass(frozen=True)
class Table:
    """Named rows of figures under named columns; `shows` says in a sentence or two what they mean.

    `missing`, when not empty, says why there are none. Columns named in `compared` are shown beside what they were before.
    """

    name: str
    title: str
    shows: str
    corner: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()
    missing: str = ""

    def markdown(self, before: "Before | None" = None) -> str:
        """Return title, sentence and the table itself."""
        parts = [f"### {self.title}", self.missing or self.shows]
        return "\n\n".join(parts if self.missing else [*parts, "\n".join(self._lines(before or Before()))])

    def _lines(self, before: "Before") -> Iterable[str]:
        old = {column for column in self.compared if before.knows(self.name, column)}
        titles = [title for column in self.columns for title in ([column, "before"] if column in old else [column])]
        yield _line([self.corner, *titles])
        yield _line(["---", *["---:"] * len(titles)])
        for row, figures in self.rows.items():
            cells = [row]
            for column, figure in zip(self.columns, figures, strict=True):
                cells += [str(figure), before.shown(self.name, row, column)] if column in old else [str(figure)]
            yield _line(cells)


@dataclass(frozen=True)
class Before:
    """The figures of an earlier run, by table, row and column, as they are shown without intervals; `of` names the run."""

    shown_as: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    of: str = ""

    def knows(self, table: str, column: str) -> bool:
        """Return whether there is any figure to show in this column."""
        return any(key[0] == table and key[2] == column for key in self.shown_as)

    def shown(self, table: str, row: str, column: str) -> str:
        """Return the figure as it is shown, or that there is none."""
        return self.shown_as.get((table, row, column), NOTHING)


def save(tables: Iterable[Table], path: Path, name: str = "") -> None:
    """Write every figure as JSON, by table, row and column; `name` says what was measured."""
    figures = {
        table.name: {row: dict(zip(table.columns, map(_plain, cells), strict=True)) for row, cells in table.rows.items()}
        for table in tables
    }
    path.write_text(json.dumps({"of": name, "figures": figures}, indent=1) + "\n")


def load(path: Path) -> Before:
    """Read what `save` wrote; anything else is a ValueError of one sentence."""
    try:
        saved = json.loads(path.read_text())
        shown_as = {
            (table, row, column): _shown(figure)
            for table, rows in saved["figures"].items()
            for row, cells in rows.items()
            for column, figure in cells.items()
        }
        return Before(shown_as, str(saved["of"]))
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no file that --json wrote ({error}); name one that is") from error


def _plain(figure: Figure) -> dict[str, float | int | str | None]:
    if isinstance(figure, Share):
        return {"hits": figure.hits, "of": figure.of}
    return {"value": None if math.isnan(figure.value) else figure.value, "digits": figure.digits, "unit": figure.unit}


def _shown(plain: Mapping[str, float | str | None]) -> str:
    if "hits" in plain:
        share = Share(int(plain["hits"] or 0), int(plain["of"] or 0))
        return f"{_short(share)} %" if share.of else NOTHING
    value = plain["value"]
    return str(Number(math.nan if value is None else float(value), int(plain["digits"] or 0), str(plain["unit"])))


def _short(share: Share) -> str:
    """Return whole percents; of many also tenths and hundredths, where whole ones would say none or all."""
    percent, digits = share.percent, 0
    if share.of >= _MANY and 0 < share.hits < share.of:
        digits = sum(min(percent, 100 - percent) < least for least in (2, 0.1, 0.01))
    return f"{percent:.{digits}f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
