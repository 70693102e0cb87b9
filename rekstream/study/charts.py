"""The studies as plotly's figures: what survives, how sure it says it is, and how long the calls took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from rekstream.study.comparison import Outcome, Reading, readings
from rekstream.study.survey import Row, Study
from rekstream.study.table import SHORT
from rekstream.study.variants import Change

_AXES = {Change.RESOLUTION: "longest side in pixels", Change.BRIGHTNESS: "brightness", Change.COVER: "what is covered"}
_WEIGHTS = {Outcome.SAME: 1, Outcome.GONE: 0, Outcome.OTHER: -1}
_OTHER_TO_SAME = [[0.0, "#e8a06a"], [0.5, "#eeeeee"], [1.0, "#7fb3dd"]]
_HEAT_IN_WORDS = (
    "Blue: the same answer as for the unchanged picture; grey: none; orange: another one. Where pictures differ, between."
)
# Okabe and Ito's colours, which most colour-blind people tell apart
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
_LOOK: dict[str, Any] = {
    "template": "plotly_white",
    "font": {"family": "system-ui, sans-serif", "size": 13},
    "margin": {"l": 90, "r": 20, "t": 60, "b": 70},
}
_ROW_PIXELS, _HEAD_PIXELS, _CHART_PIXELS = 30, 120, 420
_KILOBYTE, _MEGAPIXEL, _MILLISECOND = 1000, 1_000_000, 0.001


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, and the heading and the sentence that stand above it."""

    heading: str
    sentence: str
    figure: Any  # plotly ships no types


def charts(studies: Sequence[Study]) -> list[Chart]:
    """Return what there is to show of at least one study."""
    rows = list(_rows(studies))
    changes = [change for change in _AXES if any(row.variant.change is change for row in rows)]
    found = [survival(studies, change) for change in changes]
    if changes:
        found.append(confidence(studies, changes))
    found.append(time_against_size(studies))
    if any(row.variant.change is Change.S3 for row in rows):
        found.append(bytes_against_s3(studies))
    return found


def survival(studies: Sequence[Study], change: Change) -> Chart:
    """Return a heat map: a row for each attribute, a column for each variant of one change."""
    variants, attributes = _variants(studies, change), _attributes(studies)
    cells = [[_fates(studies, change, variant, attribute) for variant in variants] for attribute in attributes]
    heat = go.Heatmap(
        x=variants,
        y=[SHORT[attribute] for attribute in attributes],
        z=_each(cells, lambda fates: _mean(_WEIGHTS[fate.outcome] for _, fate in fates)),
        text=_each(cells, _in_short),
        hovertext=_each(cells, _in_full),
        texttemplate="%{text}",
        hovertemplate="%{y}, %{x}<br>%{hovertext}<extra></extra>",
        colorscale=_OTHER_TO_SAME,
        zmin=-1,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
    )
    figure = go.Figure(heat)
    figure.update_layout(**_LOOK, height=_HEAD_PIXELS + _ROW_PIXELS * len(attributes))
    figure.update_xaxes(title=_AXES[change], type="category", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return Chart(f"What survives: {change}", _HEAT_IN_WORDS, figure)


def confidence(studies: Sequence[Study], changes: Sequence[Change]) -> Chart:
    """Return lines of the confidence of what stayed the same; covers have no order, so they have points only."""
    figure = make_subplots(1, len(changes), shared_yaxes=True, subplot_titles=[change.value for change in changes])
    attributes = [name for name in _attributes(studies) if list(_confidences(_rows(studies), name))]
    for number, attribute in enumerate(attributes):
        for column, change in enumerate(changes, 1):
            line = _confidence_line(studies, change, attribute, _COLORS[number % len(_COLORS)])
            figure.add_trace(line.update(showlegend=column == 1), row=1, col=column)
    figure.update_layout(**_LOOK, height=_CHART_PIXELS)
    figure.update_xaxes(type="category", tickangle=-60)
    figure.update_yaxes(range=[0, 105])
    figure.update_yaxes(title="confidence, %", col=1)
    sentence = "Of the answers that stayed the same, the mean over the pictures; a line breaks where none did."
    return Chart("How sure it says it is", sentence, figure)


def time_against_size(studies: Sequence[Study]) -> Chart:
    """Return the median time of each variant's calls, as points over what was sent and over what had to be decoded."""
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=["by what is sent", "by what is decoded"])
    for change, color in zip(Change, _COLORS, strict=False):
        points = [(study, row) for study in studies for row in study.rows if row.variant.change is change and row.seconds]
        if points:
            look = {"marker": {"color": color, "size": 8, "opacity": 0.75}, "name": change.value, "legendgroup": change.value}
            figure.add_trace(_times(points, _kilobytes).update(look), row=1, col=1)
            figure.add_trace(_times(points, _megapixels).update(look, showlegend=False), row=1, col=2)
    figure.update_layout(**_LOOK, height=_CHART_PIXELS)
    figure.update_xaxes(title="KB of the picture in the call", rangemode="tozero", col=1)
    figure.update_xaxes(title="megapixels", rangemode="tozero", col=2)
    figure.update_yaxes(title="ms a call, median", rangemode="tozero", col=1)
    return Chart("How long a call took", "The client's time, from the request to the whole answer.", figure)


def bytes_against_s3(studies: Sequence[Study]) -> Chart:
    """Return two bars for each picture: the call that carries its bytes, and the call that names an object in S3."""
    figure = go.Figure()
    for name, change, color in (("bytes", Change.NOTHING, _COLORS[0]), ("S3 object", Change.S3, _COLORS[1])):
        rows = [row for row in _rows(studies) if row.variant.change is change]
        figure.add_trace(
            go.Bar(
                x=[f"{number}. {_file_name(study)}" for number, study in enumerate(studies, 1)],
                y=[_milliseconds(row) for row in rows],
                name=name,
                marker={"color": color},
                hovertemplate="%{x}: %{y:.1f} ms",
            )
        )
    figure.update_layout(**_LOOK, height=_CHART_PIXELS, barmode="group")
    figure.update_yaxes(title="ms a call, median")
    return Chart("Bytes against S3", "The upload to S3 came before; it is not in the bars.", figure)


# --- traces ---


def _confidence_line(studies: Sequence[Study], change: Change, attribute: str, color: str) -> Any:
    variants = _variants(studies, change)
    return go.Scatter(
        x=variants,
        y=[_mean(_confidences(_rows_of(studies, change, variant), attribute)) for variant in variants],
        mode="markers" if change is Change.COVER else "lines+markers",
        name=SHORT[attribute],
        legendgroup=attribute,
        line={"color": color},
        marker={"color": color},
        hovertemplate="%{x}: %{y:.1f} %",
    )


def _times(points: Sequence[tuple[Study, Row]], size: Callable[[Row], float]) -> Any:
    return go.Scatter(
        x=[size(row) for _, row in points],
        y=[_milliseconds(row) for _, row in points],
        text=[escape(f"{_file_name(study)}: {row.variant.name}") for study, row in points],
        mode="markers",
        hovertemplate="%{text}<br>%{x:.3g}, %{y:.1f} ms",
    )


# --- which rows, and what they say ---


def _rows(studies: Sequence[Study]) -> Iterator[Row]:
    return (row for study in studies for row in study.rows)


def _rows_of(studies: Sequence[Study], change: Change, variant: str) -> Iterator[Row]:
    return (row for row in _rows(studies) if row.variant.name == variant and _belongs(row, change))


def _belongs(row: Row, change: Change) -> bool:
    """Say whether a row stands in a change's chart: the resolutions begin with the unchanged picture."""
    return row.variant.change is change or (change is Change.RESOLUTION and row.variant.change is Change.NOTHING)


def _variants(studies: Sequence[Study], change: Change) -> list[str]:
    """Return the variants of all pictures in their order; a smaller picture lacks some of a larger one's."""
    names: dict[str, None] = {}
    for study in sorted(studies, key=lambda study: len(study.rows), reverse=True):
        names |= dict.fromkeys(row.variant.name for row in study.rows if _belongs(row, change))
    return list(names)


def _attributes(studies: Sequence[Study]) -> list[str]:
    return [name for name in SHORT if any(name in readings(study.face) for study in studies)]


def _fates(studies: Sequence[Study], change: Change, variant: str, attribute: str) -> list[tuple[str, Reading]]:
    """Return what became of an attribute in one variant of each picture, beside the picture's file name."""
    return [
        (_file_name(study), reading)
        for study in studies
        for row in _rows_of([study], change, variant)
        for reading in row.readings
        if reading.attribute == attribute
    ]


def _in_short(fates: Sequence[tuple[str, Reading]]) -> str:
    """Return one word where all pictures agree, else how many kept their answer: ``2 of 3 same``."""
    outcomes = [fate.outcome for _, fate in fates]
    if len(set(outcomes)) <= 1:
        return "".join(outcomes[:1])
    return f"{outcomes.count(Outcome.SAME)} of {len(outcomes)} same"


def _in_full(fates: Sequence[tuple[str, Reading]]) -> str:
    return "<br>".join(f"{escape(name)}: {fate.outcome}{_told(fate)}" for name, fate in fates)


def _told(fate: Reading) -> str:
    if fate.told is None:
        return ""
    sure = "" if fate.told.confidence is None else f" {fate.told.confidence:.0f} %"
    return escape(f", {fate.told.words}{sure}")


def _confidences(rows: Iterable[Row], attribute: str) -> Iterator[float]:
    """Yield the confidences of one attribute where it stayed the same."""
    for row in rows:
        for reading in row.readings:
            is_same = reading.attribute == attribute and reading.outcome is Outcome.SAME
            if is_same and reading.told and reading.told.confidence is not None:
                yield reading.told.confidence


def _each(cells: list[list[Any]], make: Callable[[Any], Any]) -> list[list[Any]]:
    return [[make(cell) for cell in row] for row in cells]


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None


def _milliseconds(row: Row) -> float | None:
    return None if row.p50 is None else row.p50 / _MILLISECOND


def _kilobytes(row: Row) -> float:
    return row.variant.bytes_sent / _KILOBYTE


def _megapixels(row: Row) -> float:
    return row.variant.width * row.variant.height / _MEGAPIXEL


def _file_name(study: Study) -> str:
    return Path(study.picture).name
