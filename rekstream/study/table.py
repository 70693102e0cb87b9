"""A study in the terminal: a row for each variant, a column for each attribute that the unchanged picture has."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rekstream.study.comparison import Outcome, Reading, readings
from rekstream.study.survey import Row, Study
from rekstream.study.variants import Change, Variant

SHORT: Mapping[str, str] = {
    "Face": "face",
    "AgeRange": "age",
    "Gender": "gender",
    "Smile": "smile",
    "EyesOpen": "eyes",
    "MouthOpen": "mouth",
    "Emotion": "emotion",
    "Pose": "pose",
    "Landmarks": "points",
    "Eyeglasses": "glasses",
    "Sunglasses": "sunglasses",
    "Beard": "beard",
    "Mustache": "mustache",
    "FaceOccluded": "occluded",
    "EyeDirection": "gaze",
}
"""Attributes as columns and lines call them."""

LEGEND = "a number: the same answer, with this confidence in percent; ≠: another answer; -: none"
_LONG = frozenset({"Pose", "EyeDirection"})  # three angles are for --json
_STYLES = {Outcome.SAME: "green", Outcome.OTHER: "red", Outcome.GONE: "dim"}
_KILOBYTE, _MILLISECOND = 1000, 0.001


def show(study: Study, console: Console) -> None:
    """Print a study: what was told of the unchanged picture, then what is left of it in each variant."""
    told = ", ".join(f"{SHORT[name]} {one.words}" for name, one in readings(study.face).items() if name != "Face")
    console.print(f"[bold]{escape(study.picture)}[/]: {study.width} x {study.height}; {escape(told)}", soft_wrap=True)
    console.print(_table(study))
    for note in _notes(study):
        console.print(note, style="yellow", markup=False, soft_wrap=True)


def _table(study: Study) -> Table:
    attributes = list(readings(study.face))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in ("KB", "ms", "faces", *(SHORT[attribute] for attribute in attributes)):
        table.add_column(name, justify="right", overflow="fold")
    change = Change.NOTHING
    for row in study.rows:
        if row.variant.change is not change:
            change = row.variant.change
            table.add_row(Text(change.value, style="bold"))
        table.add_row(*_cells(row, attributes))
    return table


def _cells(row: Row, attributes: list[str]) -> list[Text]:
    variant = row.variant
    found = {reading.attribute: reading for reading in row.readings}
    return [
        Text(_name(variant)),
        Text(f"{variant.bytes_sent / _KILOBYTE:.0f}"),
        Text("-" if row.p50 is None else f"{row.p50 / _MILLISECOND:.0f}"),
        Text("?" if row.faces is None else str(row.faces)),
        *(_cell(found.get(attribute)) for attribute in attributes),
    ]


def _name(variant: Variant) -> str:
    if variant.change is Change.NOTHING:
        return variant.name
    return f"  {variant.width} x {variant.height}" if variant.change is Change.RESOLUTION else f"  {variant.name}"


def _cell(reading: Reading | None) -> Text:
    if reading is None:
        return Text("?", style="yellow")
    return Text(in_short(reading), style=_STYLES[reading.outcome])


def in_short(reading: Reading) -> str:
    """Return the confidence of the same answer, another answer with a mark before it, or a dash."""
    told = reading.told
    if told is None:
        return "-"
    if reading.outcome is Outcome.OTHER:
        return "≠" if reading.attribute in _LONG else f"≠{told.words}"
    return "same" if told.confidence is None else f"{told.confidence:.0f}"


def _notes(study: Study) -> list[str]:
    notes = [
        f"{row.variant.change} {row.variant.name}: {len(row.failures)} calls failed ({', '.join(sorted(set(row.failures)))})"
        for row in study.rows
        if row.failures
    ]
    if study.upload_seconds is not None:
        notes.append(f"the upload to S3 took {study.upload_seconds / _MILLISECOND:.0f} ms, before the call")
    return notes
