"""When a camera is looked at: times as people write them, around midnight, weekends and the end of the week."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.schedule import DAYS, LONGEST, Schedule

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001  # schedules know local time only

minutes = st.integers(0, 24 * 60 - 1)
days = st.sampled_from(DAYS)
moments = st.integers(0, 14 * 24 * 60).map(lambda minute: MONDAY + timedelta(minutes=minute))


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def part(first: str | None, last: str | None, begin: int, end: int) -> str:
    names = f"{first}{f'-{last}' if last else ''} " if first else ""
    return f"{names}{clock(begin)}-{clock(end)}"


spans = st.tuples(st.none() | days, st.none() | days, minutes, minutes).filter(lambda span: span[2] != span[3])
schedules = st.lists(spans.map(lambda span: part(*span)), min_size=1, max_size=4).map(", ".join)


@pytest.mark.parametrize(
    ("text", "on", "off"),
    [
        ("mon-fri 08:00-18:00", "mon 08:00", "mon 18:00"),
        ("mon-fri 08:00-18:00", "fri 17:59", "sat 09:00"),
        ("Mon 8:00-9:00, sun 10:00-14:00", "sun 10:00", "sun 09:59"),
        ("fri-mon 08:00-18:00", "sun 12:00", "tue 12:00"),
        ("22:00-06:00", "wed 23:00", "wed 12:00"),
        ("sun 22:00-06:00", "mon 05:59", "mon 22:00"),
        ("tue 00:00-24:00", "tue 23:59", "wed 00:00"),
    ],
)
def test_times_are_as_they_are_written(text: str, on: str, off: str) -> None:
    schedule = Schedule.parse(text)
    assert schedule.is_on(at(on))
    assert not schedule.is_on(at(off))


def test_without_any_time_a_camera_is_always_looked_at() -> None:
    for text in ("", " ", ",, "):
        schedule = Schedule.parse(text)
        assert schedule.is_on(MONDAY)
        assert schedule.next_change(MONDAY) is None


def test_what_is_always_on_never_changes() -> None:
    assert Schedule.parse("00:00-24:00").next_change(MONDAY) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("weekdays 08:00-18:00", "'weekdays 08:00-18:00' is not understood"),
        ("mon 8-18", "is not understood"),
        ("mon 08:00", "is not understood"),
        ("mon-fyi 08:00-18:00", "no day 'fyi'"),
        ("mon 25:00-26:00", "no 25:00"),
        ("mon 08:60-09:00", "no 08:60"),
        ("mon 08:00-08:00", "same minute"),
        ("08:00-18:00, x", "'x' is not understood"),
        ("0" * (LONGEST + 1), "too long"),
    ],
)
def test_what_is_not_understood_is_named_with_an_example(text: str, word: str) -> None:
    with pytest.raises(SettingsError) as error:
        Schedule.parse(text)
    assert word in str(error.value)
    assert "mon-fri 08:00-18:00" in str(error.value) or "clock" in str(error.value) or "days are" in str(error.value)


@given(schedules, moments)
def test_the_next_change_is_the_first_minute_that_is_different(text: str, moment: datetime) -> None:
    schedule = Schedule.parse(text)
    change, now = schedule.next_change(moment), schedule.is_on(moment)
    end = change or moment + timedelta(days=7)
    minute = moment
    while minute < end:
        assert schedule.is_on(minute) is now
        minute += timedelta(minutes=1)
    assert change is None or schedule.is_on(change) is not now


@given(schedules, moments)
def test_every_week_is_like_the_one_before(text: str, moment: datetime) -> None:
    schedule = Schedule.parse(text)
    assert schedule.is_on(moment) is schedule.is_on(moment + timedelta(days=7))


@given(st.text(max_size=60))
def test_whatever_is_written_is_a_schedule_or_one_sentence(text: str) -> None:
    with suppress(SettingsError):
        assert Schedule.parse(text).is_on(MONDAY) in (True, False)


def at(text: str) -> datetime:
    day, time = text.split()
    hour, minute = map(int, time.split(":"))
    return MONDAY + timedelta(days=DAYS.index(day), hours=hour, minutes=minute)
