"""The report as one page of HTML: its style stands in it, it loads and runs nothing, and prints on A4."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from history.latency import AGE, STAGES, Sketch
from history.schema import EMOTIONS
from rekstream import __version__
from rekstream.money import dollars
from rekstream.report import charts
from rekstream.report.charts import Axis, Line
from rekstream.report.figures import Figures, Sums

_SHARES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
_MOST_ROWS = 200
_MOST_NAMED = 30
_ONE_SECOND = 1.0
_TEN = 10.0


def page(found: Figures) -> str:
    """Return the page's HTML."""
    style = _style()
    return _PAGE.substitute(
        policy=f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'",
        style=style,
        title=escape(_title(found)),
        body="\n".join(_body(found)),
    )


def _body(found: Figures) -> Iterator[str]:
    yield from _head(found)
    for heading, cards in (
        ("Audience", _audience(found)),
        ("Attendance", _attendance(found)),
        ("Latency", _latency(found)),
        ("Money", _money(found)),
        ("What is missing", _missing(found)),
    ):
        inside = "".join(cards)
        if inside:
            yield f'<section><h2>{heading}</h2><div class="grid">{inside}</div></section>'
    yield _foot(found)


def _head(found: Figures) -> Iterator[str]:
    cameras = ", ".join(found.period.cameras) or f"all cameras ({', '.join(found.cameras) or 'none'})"
    yield f"<header><h1>{escape(_title(found))}</h1><p>{escape(cameras)}</p></header>"
    if not found.total.calls:
        yield '<p class="note">Nothing was analysed in this time, or nothing of it is kept any more.</p>'
    if found.written_until is not None:
        last = (
            f"The last result that was written is of {_moment(found.written_until)}" if found.written_until else "There is none"
        )
        yield f'<p class="note">{last}. Whether more came after it, this report cannot tell.</p>'
    if found.gaps:
        lost = sum(gap.lost or 0 for gap in found.gaps)
        more = " and an unknown number" if any(gap.lost is None for gap in found.gaps) else ""
        yield f'<p class="note">{lost:,}{more} of the results of this time never got into the history: see the end.</p>'
    yield f'<div class="figures">{"".join(_key_figures(found))}</div>'


def _key_figures(found: Figures) -> Iterator[str]:
    total, age, spent = found.total, found.latency_of_all.get(AGE, Sketch()), found.money
    told = found.audience["totals"]
    yield _figure(f"{total.results:,}", f"pictures analysed, with {total.faces:,} faces")
    yield _figure(f"{told['arrivals']:,}", "new faces, each counted while it was followed")
    yield _figure(_share(total.smiling, total.faces), f"of the faces smile; {told['laughs']:,} laughs")
    yield _figure(_seconds(age.percentile(0.5)), "age of a result, half are younger")
    yield _figure(_seconds(age.percentile(0.95)), "age of a result, p95")
    yield _figure(_share(total.errors, total.calls), f"of {total.calls:,} calls failed")
    yield _figure(dollars(spent["dollars"]), "spent")
    if spent["would_cost"]:
        yield _figure(dollars(spent["would_cost"]), "would be paid on AWS for what cost nothing")


def _audience(found: Figures) -> Iterator[str]:
    axis = _axis(found)
    crowd = {at: sums.faces / sums.results for at, sums in found.series.items() if sums.results}
    smiles = {at: sums.smiling / sums.faces for at, sums in found.series.items() if sums.faces}
    yield _card(
        "People in the picture",
        charts.lines("People in the picture, mean", axis, [Line("faces a picture, mean", 1, crowd)], _few),
        "The mean of all pictures that were analysed, also those without a face.",
    )
    yield _card(
        "Smiles", charts.lines("Share of faces that smile", axis, [Line("share of faces that smile", 3, smiles)], _percent, 1.0)
    )
    emotions = [name for name in EMOTIONS if found.total.emotions[name]]
    if emotions:
        shares = [Line(name, number, _emotion(found, name)) for number, name in enumerate(emotions, 1)]
        yield _card(
            "Emotions", charts.stacks("Emotions over time", axis, shares[:8], _percent, 1.0), "The surest of each face."
        )
    yield from _people(found)
    rows = [(name, sums, found.audience_of[name]["totals"]) for name, sums in found.cameras.items()]
    yield _card("By camera", _table(_CAMERAS, rows[:_MOST_ROWS]), wide=True)


def _people(found: Figures) -> Iterator[str]:
    """Tell of people from the moment they came into the picture to the moment they left it, as far as they were followed."""
    told = found.audience
    if not told["totals"]["arrivals"]:
        return
    axis = Axis(found.period.since, found.period.until, told["step"])
    for name, member, color in (("New faces", "arrivals", 1), ("Laughs", "laughs", 3)):
        counted = {int(entry["at"]): float(entry[member]) for entry in told["series"]}
        if any(counted.values()):
            chart = charts.stacks(name, axis, [Line(name.lower(), color, counted)], _whole)
            yield _card(f"{name}, by {_each(told['step'])}", chart)
    for heading, groups, color in (
        ("How long they stayed", [(_group(one, _stay), one["people"]) for one in told["dwell"]], 6),
        ("How old they look", [(_group(one, str, " years"), one["people"]) for one in told["ages"]], 2),
        ("What gender they look", [(name.lower(), many) for name, many in told["genders"].items()], 4),
    ):
        if any(many for _, many in groups):
            yield _card(heading, charts.bars(heading, [(name, float(many), color) for name, many in groups], _whole))


def _attendance(found: Figures) -> Iterator[str]:
    came = [entry for entry in found.attendance if entry["state"] != "absent"]
    if not found.attendance:
        return
    names = {entry["Person"]["Id"]: entry["Person"]["Name"] for entry in found.attendance}
    absent = sorted(set(names) - {entry["Person"]["Id"] for entry in came}, key=lambda person: names[person].lower())
    told = [f"The newest {_MOST_ROWS} of {len(came):,}."] if len(came) > _MOST_ROWS else []
    told.append("Whole days, also where the time of this report begins or ends within one.")
    if absent:
        more = f" and {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
        told.append(f"Not seen: {', '.join(names[person] for person in absent[:_MOST_NAMED])}{more}.")
    yield _card("Who came and went", _table(_ATTENDANCE, came[-_MOST_ROWS:]), " ".join(told), wide=True)


def _latency(found: Figures) -> Iterator[str]:
    bucket = max(found.period.bucket, 600)
    axis = Axis(found.period.since, found.period.until, bucket)
    aged = {at: sketches[AGE] for at, sketches in found.latency.items() if AGE in sketches}
    percentiles = [
        Line(name, color, {at: sketch.percentile(share) or 0.0 for at, sketch in aged.items()})
        for color, (share, name) in zip((1, 2, 5), _SHARES, strict=True)
    ]
    yield _card(
        "Age of results",
        charts.lines("Age of results", axis, percentiles, _seconds),
        "From the moment a picture was taken to the moment its result was out.",
    )
    means = [
        Line(stage, color, {at: sketches[stage].mean or 0.0 for at, sketches in found.latency.items() if stage in sketches})
        for color, stage in enumerate(STAGES, 1)
    ]
    yield _card(
        "Where the time went",
        charts.stacks("Mean seconds by stage", axis, means, _seconds),
        "Means; together they are the age.",
    )
    rows = [(name, found.latency_of_all[name]) for name in (AGE, *STAGES) if name in found.latency_of_all]
    yield _card(
        "By stage", _table(_STAGES, rows), "Percentiles are right within 2 %; count, mean and longest are exact.", wide=True
    )


def _money(found: Figures) -> Iterator[str]:
    spent = found.money
    axis = Axis(found.period.since, found.period.until, spent["bucket_seconds"])
    is_paid = bool(spent["dollars"] or not spent["would_cost"])
    member, name = ("dollars", "spent") if is_paid else ("would_cost", "would be paid on AWS")
    by_time = Line(name, 1, {int(entry["at"]): entry[member] for entry in spent["series"]})
    caption = "" if is_paid else "Nothing was paid: so much the same calls would have cost on AWS."
    step = "day (UTC)" if spent["bucket_seconds"] >= 86_400 else "hour"  # noqa: PLR2004  # seconds of a day
    yield _card(f"By {step}", charts.stacks(f"Dollars by {step}", axis, [by_time], dollars), caption)
    yield _card("How the month goes on", _table(_FORECASTS, _forecasts(spent["month"])), _assumed(spent))
    yield _card("By operation", _table(_OPERATIONS, spent["by_operation"]))
    yield _card("By camera", _table(_SPENDERS, spent["by_camera"][:_MOST_ROWS]))


def _missing(found: Figures) -> Iterator[str]:
    holes = [(gap.since, gap.until) for gap in found.gaps]
    if found.presence:
        strips = charts.strips("Share of minutes with results, by camera", _axis(found), found.presence, holes)
        caption = (
            "The darker, the more minutes had a result. Where it is empty nothing was analysed: system or camera were off, "
            "its schedule said so, or its gate saw nobody. Red are results that were lost."
        )
        yield _card("When there were results", f'<div class="strips">{strips}</div>', caption, wide=True)
    if found.gaps:
        yield _card("Results that never got here", _table(_GAPS, found.gaps), wide=True)
    else:
        yield '<p class="muted wide">No result of this time is known to have been lost on its way into the history.</p>'


def _foot(found: Figures) -> str:
    zone = datetime.fromtimestamp(found.period.since).astimezone()
    made = f"Made by rekstream {__version__} at {_moment(found.period.now)}."
    times = f"Times are those of the machine that made it (UTC{zone:%z}); days of money are UTC."
    sums = "Figures are sums that were written while results came in: whoever was forgotten since is still counted."
    return f"<footer><p>{escape(made)} {escape(times)}</p><p>{escape(sums)}</p></footer>"


def _title(found: Figures) -> str:
    return f"Report of {_moment(found.period.since)} to {_moment(found.period.until)}"


def _axis(found: Figures) -> Axis:
    return Axis(found.period.since, found.period.until, found.period.bucket)


def _emotion(found: Figures, name: str) -> dict[int, float]:
    told = {at: (sums.emotions[name], sum(sums.emotions.values())) for at, sums in found.series.items()}
    return {at: many / of_all for at, (many, of_all) in told.items() if of_all}


def _forecasts(month: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "this month (UTC) so far", month
    for forecast in month["forecasts"]:
        yield f"at its end, if it goes on as in the last {_length(forecast['seconds'])}", forecast


def _assumed(spent: Mapping[str, Any]) -> str:
    if not any(tariff["assumed"] for tariff in spent["prices"]):
        return ""
    return "Some of the prices are assumed; docs/money.md says which, and how to correct them."


def _card(heading: str, inside: str, caption: str = "", *, wide: bool = False) -> str:
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="card{" wide" if wide else ""}"><h3>{escape(heading)}</h3>{inside}{said}</figure>'


def _figure(value: str, name: str) -> str:
    return f'<div class="card figure"><b>{escape(value)}</b><span>{escape(name)}</span></div>'


def _group(bounds: Mapping[str, int | None], number: Callable[[int], str], unit: str = "") -> str:
    low, high = bounds["from"] or 0, bounds["to"]
    if high is None:
        return f"{number(low)}{unit} and more"
    return f"{number(low)} to {number(high)}{unit}" if low else f"under {number(high)}{unit}"


Column = tuple[str, Callable[[Any], str]]


def _table(columns: Sequence[Column], rows: Iterable[Any]) -> str:
    """Return a table; its first column holds names, the others numbers."""
    head = "".join(f'<th class="{_kind(place)}">{escape(name)}</th>' for place, (name, _) in enumerate(columns))
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(columns: Sequence[Column], row: Any) -> str:
    return "".join(f'<td class="{_kind(place)}">{escape(cell(row))}</td>' for place, (_, cell) in enumerate(columns))


def _kind(place: int) -> str:
    return "n" if place else "name"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%d %B %Y %H:%M").lstrip("0")  # noqa: DTZ006  # the local clock is meant


def _each(step: int) -> str:
    return {60: "minute", 600: "ten minutes", 3600: "hour"}.get(step, "day")


def _length(seconds: float) -> str:
    for unit, name in ((604_800, "week"), (86_400, "day"), (3600, "hour")):
        if seconds >= unit:
            return name if seconds < 2 * unit else f"{seconds / unit:.0f} {name}s"
    return f"{seconds / 60:.0f} minutes"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value * 1000:.3g} ms" if value < _ONE_SECOND else f"{value:.2f} s" if value < _TEN else f"{value:,.0f} s"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _known_share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _stay(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:,.0f} s" if seconds < 60 else f"{seconds / 60:,.3g} min"  # noqa: PLR2004  # a minute


def _about(entry: Mapping[str, Any]) -> str:
    said = ["excused"] if entry["state"] == "excused" else []
    return ", ".join(said + ["corrected"] * bool(entry["correction"]) + ["still there"] * entry["open"])


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _few(value: float) -> str:
    return f"{value:.3g}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _amount(entry: Mapping[str, Any]) -> str:
    return dollars(entry["dollars"]) if entry["dollars"] or not entry["would_cost"] else f"({dollars(entry['would_cost'])})"


@cache
def _style() -> str:
    return (files("rekstream.report") / "style.css").read_text()


Camera = tuple[str, Sums, Mapping[str, Any]]
_CAMERAS: tuple[Column, ...] = (
    ("camera", lambda row: row[0]),
    ("pictures", lambda row: f"{row[1].results:,}"),
    ("faces", lambda row: f"{row[1].faces:,}"),
    ("a picture", lambda row: f"{row[1].faces / row[1].results:.2f}" if row[1].results else "-"),
    ("new faces", lambda row: f"{row[2]['arrivals']:,}"),
    ("stay, mean", lambda row: _stay(row[2]["dwell_seconds"])),
    ("attention", lambda row: _known_share(row[2]["attention"])),
    ("smile", lambda row: _share(row[1].smiling, row[1].faces)),
    ("laughs", lambda row: f"{row[2]['laughs']:,}"),
    ("failed calls", lambda row: f"{row[1].errors:,}"),
    ("mean age", lambda row: _seconds(row[1].age_sum / row[1].results if row[1].results else None)),
)
_ATTENDANCE: tuple[Column, ...] = (
    ("person", lambda entry: entry["Person"]["Name"]),
    ("day", lambda entry: entry["day"]),
    ("first seen", lambda entry: entry["clock"]["first"] or "-"),
    ("last seen", lambda entry: entry["clock"]["last"] or "-"),
    ("in sight", lambda entry: _stay(entry["seconds"]) if entry["seconds"] else "-"),
    ("visits", lambda entry: f"{entry['visits']:,}"),
    ("cameras", lambda entry: ", ".join(camera["camera"] for camera in entry["cameras"]) or "-"),
    ("", _about),
)
_STAGES: tuple[Column, ...] = (
    ("stage", lambda row: row[0]),
    ("results", lambda row: f"{row[1].count:,}"),
    ("mean", lambda row: _seconds(row[1].mean)),
    *((name, lambda row, share=share: _seconds(row[1].percentile(share))) for share, name in _SHARES),
    ("longest", lambda row: _seconds(row[1].longest)),
)
_FORECASTS: tuple[Column, ...] = (("", lambda row: row[0]), ("dollars", lambda row: _amount(row[1])))
_OPERATIONS: tuple[Column, ...] = (
    ("operation", lambda row: f"{row['operation']} ({row['provider']})"),
    ("calls", lambda row: f"{row['calls']:,}"),
    ("failed", lambda row: f"{row['failed']:,}"),
    ("dollars", _amount),
)
_SPENDERS: tuple[Column, ...] = (
    ("camera", lambda row: row["camera"]),
    ("calls", lambda row: f"{row['calls']:,}"),
    ("dollars", _amount),
)
_GAPS: tuple[Column, ...] = (
    ("why", lambda gap: gap.why),
    ("from", lambda gap: _moment(gap.since)),
    ("to", lambda gap: _moment(gap.until)),
    ("results", lambda gap: "unknown" if gap.lost is None else f"{gap.lost:,}"),
)

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
</body>
</html>
""")
