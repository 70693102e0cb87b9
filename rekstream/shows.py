"""Shows and their receipts in words, and the hour at which their data go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.errors import SettingsError
from pipeline.moments import moment

_CLOCK = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_AHEAD = re.compile(r"\d{1,6}(?:\.\d+)?\s*[smhdw]")
_WIDTH = 30  # of the bar of a receipt's busiest minute


def hour_to_come(text: str, now: float) -> float:
    """Return the seconds since 1970 of ``06:00`` (the next one here), ``12h`` (from now) or ``2026-11-24 06:00``.

    Raises SettingsError for anything else, and for what is past.
    """
    words = text.strip().lower()
    if clock := _CLOCK.fullmatch(words):
        today = datetime.fromtimestamp(now)  # noqa: DTZ006  # what the clock on the wall shows, also when it is set
        hour = today.replace(hour=int(clock["hour"]), minute=int(clock["minute"]), second=0, microsecond=0)
        return (hour if hour.timestamp() > now else hour + timedelta(days=1)).timestamp()
    found = 2 * now - moment(words, now) if _AHEAD.fullmatch(words) else moment(words, now)
    if found <= now:
        raise SettingsError(f"{text[:60]!r} is past: write 06:00, 12h (from now) or '2026-11-24 06:00'")
    return found


def describe_show(show: Mapping[str, Any]) -> str:
    """Return a line about a show of the API."""
    where = ", ".join(show["cameras"]) or "all cameras"
    until = "running" if show["running"] else f"until {_clock(show['stopped_at'])}"
    price = f", {show['price']:g} {show['currency']} a laugh" if show["price"] is not None else ""
    gone = f", its data go at {_date(show['gone_at'])}" if show["gone_at"] else ""
    return f"{show['id']}  {show['name']}  {where}  {_date(show['started_at'])}, {until}{price}{gone}"


def receipt_in_words(receipt: Mapping[str, Any]) -> str:
    """Return a receipt of the API, with a bar for the laughs of each minute."""
    show, laughs, people, calls = (receipt[name] for name in ("show", "laughs", "people", "calls"))
    amount = receipt["amount"]
    disputed = f", {laughs['disputed']} disputed and not counted" if laughs["disputed"] else ""
    price = f" at {show['price']:g} {show['currency']}: {amount:.2f} {show['currency']}" if amount is not None else ""
    stayed = f", there for {people['dwell_seconds']:g} s on average" if people["dwell_seconds"] is not None else ""
    lines = [
        describe_show(show),
        f"{laughs['counted']} laughs{price}{disputed}",
        f"{people['arrivals']} faces{stayed}, {people['present']:g} at a time",
        *_peak(receipt["peak"]),
        *_bars(receipt["minutes"]),
        f"{calls['calls']} calls, {calls['dollars']:.2f} dollars at most, {calls['failed']} failed",
        f"error of the count: {receipt['error']['sentence']}"
        if receipt["error"]
        else "error of the count: not known, no face was seen",
        *_gone(show["gone_at"]),
    ]
    return "\n".join(lines)


def _gone(at: float | None) -> list[str]:
    if at is None:
        return []
    what = "all of it is deleted, visits and alerts of that time and these cameras, too"
    return [f"at {_date(at)} {what}; sums of calls and dollars stay"]


def _peak(peak: Mapping[str, Any] | None) -> list[str]:
    if not peak:
        return []
    at, minute = _clock(peak["at"], seconds=True), _clock(peak["minute"])
    return [f"peak: {peak['laughing']} at once at {at}, {peak['laughs']} in the minute of {minute}"]


def _bars(minutes: Sequence[Mapping[str, Any]]) -> list[str]:
    most = max((minute["laughs"] for minute in minutes), default=0)
    return [
        f"  {_clock(minute['at'])} {minute['laughs']:>5}  {'#' * round(_WIDTH * minute['laughs'] / most)}"
        for minute in minutes
        if minute["laughs"]
    ]


def _clock(at: float, *, seconds: bool = False) -> str:
    return _here(at).strftime("%H:%M:%S" if seconds else "%H:%M")


def _date(at: float) -> str:
    return _here(at).strftime("%Y-%m-%d %H:%M")


def _here(at: float) -> datetime:
    """Return a time as clocks show it here."""
    return datetime.fromtimestamp(at, UTC).astimezone()
