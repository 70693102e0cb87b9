"""A camera's rules as people write them: each becomes what it says, or one sentence that names it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.camera_spec import CameraDefaults, camera_of
from pipeline.cameras import camera_as_json, camera_from_json
from pipeline.entities import Gate, Purpose
from pipeline.errors import SettingsError
from pipeline.rules_spec import LARGEST_FACE, MEMBERS, MOST_CORNERS, MOST_POLYGONS, parse_labels, parse_polygons, rules_of

TRIANGLE = [[0, 0], [1, 0.25], [0.5, 1]]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
fractions = st.floats(0, 1)
polygons = st.lists(st.lists(st.tuples(fractions, fractions).map(list), min_size=3, max_size=6), max_size=4)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("every 10s", 10),
        ("10s", 10),
        (10, 10),
        ("10", 10),
        ("every 1m", 60),
        ("1.5m", 90),
        ("EVERY 2h", 7200),
        ("24h", 86400),
        ("off", 0),
        (False, 0),
        (0, 0),
        ("", 0),
    ],
)
def test_how_often_labels_are_asked(written: object, seconds: float) -> None:
    assert parse_labels(written) == seconds


@pytest.mark.parametrize("written", ["often", "every", "0.5s", "25h", -1, True, "every 10 days", math.nan, [10]])
def test_labels_that_cannot_be_asked_so_often_are_refused(written: object) -> None:
    with pytest.raises(SettingsError, match="write how often, for example every 10s"):
        parse_labels(written)


@pytest.mark.parametrize(
    ("written", "gate"), [("off", Gate.OFF), (False, Gate.OFF), ("MOTION", Gate.MOTION), ("face", Gate.FACE)]
)
def test_a_gate_is_read_as_yaml_has_it(written: object, gate: Gate) -> None:
    """YAML reads off as false."""
    assert rules_of({"gate": written}, Gate.FACE)["gate"] is gate


def test_what_is_not_said_is_the_default() -> None:
    rules = rules_of({}, Gate.FACE)
    assert rules == {
        "gate": Gate.FACE,
        "labels": 0.0,
        "purpose": Purpose.TEST,
        "zones": (),
        "masks": (),
        "smallest_face": 0,
        "schedule": "",
    }
    assert tuple(rules) == MEMBERS


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("gate", "door", "gate 'door' is not known: choose off, motion, face"),
        ("gate", True, "gate 'True' is not known"),
        ("purpose", "spying", "purpose 'spying' is not known: choose access, watch, audience, test"),
        ("zones", "everywhere", "zones 'everywhere' is no list of polygons"),
        ("zones", [[[0, 0], [1, 1]]], "zones 1 needs 3 to 50 corners"),
        ("zones", [TRIANGLE, [[0, 0], [1.2, 0.5], [1, 1]]], "zones 2: the corner 1.2, 0.5 lies outside of the picture"),
        ("masks", [[[0, 0], "ab", [1, 1]]], "masks 1: 'ab' is no corner"),
        ("masks", [[[0, 0], [1], [1, 1]]], "masks 1: '[1]' is no corner"),
        ("masks", [[[0, 0], [math.nan, 0], [1, 1]]], "masks 1: the corner nan, 0 lies outside"),
        ("masks", [TRIANGLE] * (MOST_POLYGONS + 1), "masks: 21 polygons are more than the 20"),
        ("masks", [TRIANGLE[:1] * (MOST_CORNERS + 1)], "masks 1 needs 3 to 50 corners"),
        ("smallest_face", -1, "smallest_face '-1': write a height in pixels"),
        ("smallest_face", "large", "smallest_face 'large'"),
        ("smallest_face", LARGEST_FACE + 1, "from 0 to 2000"),
        ("smallest_face", "²", "smallest_face '²'"),
        ("smallest_face", "9" * 5000, "smallest_face '9999"),
        ("smallest_face", 1.5, "smallest_face '1.5'"),
        ("schedule", 8, "schedule '8' is no text"),
        ("schedule", "noon", "schedule 'noon' is not understood"),
    ],
)
def test_what_is_wrong_is_named_with_its_value(member: str, value: object, words: str) -> None:
    with pytest.raises(SettingsError) as error:
        rules_of({member: value}, Gate.OFF)
    assert words in str(error.value)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, anything)))
def test_whatever_is_written_is_rules_or_one_sentence(given_rules: dict[str, Any]) -> None:
    try:
        rules = rules_of(given_rules, Gate.OFF)
    except SettingsError:
        return
    corners = [corner for polygon in (*rules["zones"], *rules["masks"]) for corner in polygon]
    assert all(0 <= part <= 1 for corner in corners for part in corner)
    assert 0 <= rules["labels"] <= 86400


@given(polygons, polygons, st.integers(0, LARGEST_FACE), st.sampled_from(list(Gate)), st.sampled_from(["", "mon 08:00-09:00"]))
def test_rules_travel_through_redis_as_they_are(
    zones: list[list[list[float]]], masks: list[list[list[float]]], smallest: int, gate: Gate, schedule: str
) -> None:
    rules = {"zones": zones, "masks": masks, "smallest_face": smallest, "gate": gate, "schedule": schedule, "labels": "1m"}
    camera = camera_of("door", {"url": "demo", "purpose": "access", **rules}, CameraDefaults())
    assert camera_from_json(camera_as_json(camera)) == camera
    assert camera.zones == parse_polygons("zones", zones)


@pytest.mark.parametrize(
    ("member", "value"),
    [("gate", "face"), ("gate", "motion"), ("labels", "10s"), ("masks", [TRIANGLE]), ("schedule", "08:00-09:00")],
)
def test_a_browser_has_no_rules_that_a_producer_keeps(member: str, value: object) -> None:
    """Its pictures pass none; what the system gives to all cameras does not reach it."""
    defaults = CameraDefaults(gate=Gate.FACE)
    with pytest.raises(SettingsError, match=f"{member} .* is not possible for a browser"):
        camera_of("me", {"url": "browser:me", member: value}, defaults, browser=True)
    assert camera_of("me", {"url": "browser:me", "smallest_face": 40}, defaults, browser=True).gate is Gate.OFF
