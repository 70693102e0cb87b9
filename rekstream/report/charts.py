"""Charts as SVG, drawn here: lines, stacks and strips over time, and bars side by side. Colours are classes of style.css."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 480, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 26
_STRIP, _ROW, _NAMES = 14, 24, 132
_WIDE = 1000  # of what takes the whole width of the page
_STEPS_OF_TIME = (60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
_MOST_TICKS = 6
_DAY = 86_400
_LONGEST_NAME = 18

Number = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Axis:
    """Time from `since` to `until`, told in buckets of so many seconds."""

    since: float
    until: float
    bucket: int
    left: int = _LEFT
    width: int = WIDTH

    def x(self, at: float) -> float:
        """Return where a moment is."""
        inside = (min(max(at, self.since), self.until) - self.since) / (self.until - self.since)
        return self.left + inside * (self.width - self.left - _RIGHT)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield a few round moments of the local clock, and what it shows then."""
        step = next((step for step in _STEPS_OF_TIME if (self.until - self.since) / step <= _MOST_TICKS), _STEPS_OF_TIME[-1])
        offset = datetime.fromtimestamp(self.since).astimezone().utcoffset()
        shift = offset.total_seconds() if offset and self.bucket < _DAY else 0.0
        at = math.ceil((self.since + shift) / step) * step - shift
        while at <= self.until:
            yield at, clock(at, day=step >= _DAY, utc=self.bucket >= _DAY)
            at += step


@dataclass(frozen=True, slots=True)
class Line:
    """Values by when their bucket begins; where one is missing the line breaks."""

    name: str
    color: int
    values: Mapping[int, float]


def clock(at: float, *, day: bool = False, utc: bool = False) -> str:
    """Return what the local clock shows (or that in UTC), or the day there."""
    return datetime.fromtimestamp(at, UTC if utc else None).strftime("%d %b" if day else "%H:%M")


def lines(title: str, axis: Axis, found: Sequence[Line], number: Number, top: float | None = None) -> str:
    """Return lines over time; `top` is where the scale ends, if not above the highest value."""
    highest = top or _round_up(max((value for line in found for value in line.values.values()), default=0.0))
    parts = [*_grid(axis, highest, number)]
    for line in found:
        for run in _runs(line.values, axis.bucket):
            points = [(axis.x(at + axis.bucket / 2), _y(value, highest)) for at, value in run]
            parts.append(_path(points, line.color))
    parts += [_hover(axis, at, _told(at, found, number)) for at in sorted({at for line in found for at in line.values})]
    return _svg(title, HEIGHT, parts) + _legend([(line.name, line.color) for line in found])


def stacks(title: str, axis: Axis, found: Sequence[Line], number: Number, top: float | None = None) -> str:
    """Return bars over time, each of what stands on one another."""
    ends = sorted({at for line in found for at in line.values})
    heights = {at: sum(line.values.get(at, 0.0) for line in found) for at in ends}
    highest = top or _round_up(max(heights.values(), default=0.0))
    parts = [*_grid(axis, highest, number)]
    for at in ends:
        left, right = axis.x(at), axis.x(at + axis.bucket)
        width, below = max(0.8, (right - left) * 0.86), 0.0
        for line in found:
            above = below + line.values.get(at, 0.0)
            if above > below:
                y, height = _y(above, highest), _y(below, highest) - _y(above, highest)
                parts.append(
                    f'<rect class="f{line.color}" x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.2f}"/>'
                )
            below = above
        parts.append(_hover(axis, at, _told(at, found, number)))
    legend = _legend([(line.name, line.color) for line in found]) if len(found) > 1 else ""
    return _svg(title, HEIGHT, parts) + legend


def strips(title: str, axis: Axis, rows: Mapping[str, Mapping[int, float]], holes: Sequence[tuple[float, float]]) -> str:
    """Return a strip for each name that is the darker the larger the share (0 to 1); `holes` are marked across all of them."""
    axis = replace(axis, left=_NAMES, width=_WIDE)
    height = _TOP + len(rows) * _ROW + _BOTTOM
    parts = [_text(axis.x(at), height - 8, label, "middle") for at, label in axis.ticks()]
    for number, (name, shares) in enumerate(rows.items()):
        y = _TOP + number * _ROW
        parts.append(
            f'<rect class="empty" x="{axis.left}" y="{y}" width="{axis.width - axis.left - _RIGHT}" height="{_STRIP}" rx="3"/>'
        )
        parts.append(_text(axis.left - 6, y + 11, _short(name), "end"))
        for at, share in shares.items():
            left, right = axis.x(at), axis.x(at + axis.bucket)
            about = f"{name}, {_when(axis, at)}: {share:.0%}"
            parts.append(
                f'<rect class="f1" x="{left:.1f}" y="{y}" width="{max(0.8, right - left):.1f}" height="{_STRIP}" '
                f'opacity="{0.25 + 0.75 * share:.2f}"><title>{escape(about)}</title></rect>'
            )
    tall = len(rows) * _ROW
    for since, until in holes:
        left, width = axis.x(since), max(1.5, axis.x(until) - axis.x(since))
        parts.append(f'<rect class="hole" x="{left:.1f}" y="{_TOP - 4}" width="{width:.1f}" height="{tall}"/>')
    return _svg(title, height, parts, axis.width)


def bars(title: str, found: Sequence[tuple[str, float, int]], number: Number) -> str:
    """Return a bar for each name, value and colour, one below the other."""
    longest = max((value for _, value, _ in found), default=0.0) or 1.0
    room, parts = WIDTH - _NAMES - 70, []
    for place, (name, value, color) in enumerate(found):
        y, width = 4 + place * _ROW, value / longest * room
        parts.append(_text(_NAMES - 8, y + 13, _short(name), "end"))
        parts.append(f'<rect class="f{color}" x="{_NAMES}" y="{y + 2}" width="{width:.1f}" height="{_STRIP}" rx="2"/>')
        parts.append(_text(_NAMES + width + 6, y + 13, number(value), "start"))
    return _svg(title, 8 + len(found) * _ROW, parts)


def _grid(axis: Axis, highest: float, number: Number) -> Iterator[str]:
    for step in range(5):
        value = highest * step / 4
        y = _y(value, highest)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if step % 2 == 0:
            yield _text(_LEFT - 6, y + 4, number(value), "end")
    for at, label in axis.ticks():
        x = axis.x(at)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - _BOTTOM}" y2="{HEIGHT - _BOTTOM + 4}"/>'
        yield _text(min(max(x, _LEFT), WIDTH - 18), HEIGHT - 8, label, "middle")


def _path(points: Sequence[tuple[float, float]], color: int) -> str:
    if len(points) == 1:
        return f'<circle class="f{color}" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2"/>'
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="s{color}" points="{way}"/>'


def _hover(axis: Axis, at: float, words: str) -> str:
    left, width = axis.x(at), max(1.0, axis.x(at + axis.bucket) - axis.x(at))
    return (
        f'<rect class="hover" x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{HEIGHT - _TOP - _BOTTOM}">'
        f"<title>{escape(_when(axis, at))}: {escape(words)}</title></rect>"
    )


def _told(at: int, found: Sequence[Line], number: Number) -> str:
    return ", ".join(f"{line.name} {number(line.values[at])}" for line in found if at in line.values)


def _when(axis: Axis, at: float) -> str:
    if axis.bucket >= _DAY:
        return clock(at, day=True, utc=True)  # days are kept in UTC
    return clock(at) if axis.until - axis.since <= _DAY else f"{clock(at, day=True)} {clock(at)}"


def _runs(values: Mapping[int, float], bucket: int) -> Iterator[list[tuple[int, float]]]:
    """Yield the values that follow one another without a break."""
    run: list[tuple[int, float]] = []
    for at, value in sorted(values.items()):
        if run and at - run[-1][0] > bucket:
            yield run
            run = []
        run.append((at, value))
    if run:
        yield run


def _legend(entries: Sequence[tuple[str, int]]) -> str:
    marks = "".join(f'<li><i class="b{color}"></i>{escape(name)}</li>' for name, color in entries)
    return f'<ul class="legend">{marks}</ul>'


def _svg(title: str, height: float, parts: Sequence[str], width: int = WIDTH) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _y(value: float, highest: float) -> float:
    return HEIGHT - _BOTTOM - (min(value, highest) / highest if highest else 0.0) * (HEIGHT - _TOP - _BOTTOM)


def _round_up(value: float) -> float:
    """Return the next round number above a value: 1, 2, 4 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if value <= step * power * (1 + 1e-9))


def _short(name: str, most: int = _LONGEST_NAME) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
