"""Watches: of whom or what people want to hear, from which cameras, and where.

Written as `Grace Hopper`, `unknown`, `emotion=HAPPY`, `label=Dog` or `budget`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from people import notify_urls
from pipeline.entities import Camera, Purpose
from pipeline.errors import SettingsError, UnknownCamera
from pipeline.schedule import Schedule

EMOTIONS = ("HAPPY", "SAD", "ANGRY", "CONFUSED", "DISGUSTED", "SURPRISED", "CALM", "FEAR")
MEMBERS = ("who", "cameras", "notify", "cooldown", "schedule")
COOLDOWN, LONGEST_COOLDOWN = 60.0, 86_400.0
MOST_NOTIFY = 10  # receivers of one watch
LONGEST_LABEL = 100

_HOW = "write a person's name, unknown, emotion=HAPPY, label=Dog or budget"


class Kind(StrEnum):
    """What a watch waits for."""

    PERSON = "person"
    UNKNOWN = "unknown"
    EMOTION = "emotion"
    LABEL = "label"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Wish:
    """A watch as people asked for it, checked: `subject` is a person's id, an emotion, a label, or empty."""

    kind: Kind
    subject: str
    cameras: tuple[str, ...]
    urls: tuple[str, ...]
    cooldown: float = COOLDOWN
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch that is kept. No `cameras` are all of them; `receivers` are numbers of notify URLs.

    After an alert a watch keeps still for `cooldown` seconds about the same one at the same camera.
    """

    id: str
    kind: Kind
    subject: str
    cameras: tuple[str, ...]
    receivers: tuple[int, ...]
    cooldown: float
    schedule: str
    created_at: float

    def looks_at(self, camera: Camera, at: float) -> bool:
        """Say whether the watch is about this camera at a time, seconds since 1970; never before it was made."""
        if (self.cameras and camera.id not in self.cameras) or at < self.created_at:
            return False
        return not forbidden(self.kind, camera.purpose) and self.is_on(at)

    def is_on(self, at: float) -> bool:
        """Say whether its schedule has it watch at a time."""
        return _schedule(self.schedule).is_on(_local(at))


def wish_of(members: Mapping[str, Any], person_id: Callable[[str], str], cameras: Mapping[str, Camera]) -> Wish:
    """Return the watch that `members` (who, cameras, notify, cooldown, schedule) ask for.

    `person_id` finds a person by name or id, or raises UnknownPerson; `cameras` are those there are. Raises SettingsError and
    UnknownCamera, too, with one sentence.
    """
    for name in members:
        if name not in MEMBERS:
            raise SettingsError(f"a watch has no {str(name)[:40]!r}: its members are {', '.join(MEMBERS)}")
    kind, subject = who_of(members.get("who"), person_id)
    return Wish(
        kind,
        subject,
        _cameras_of(members.get("cameras"), kind, cameras),
        _urls_of(members.get("notify")),
        _cooldown_of(members.get("cooldown")),
        _schedule_of(members.get("schedule")),
    )


def who_of(text: object, person_id: Callable[[str], str]) -> tuple[Kind, str]:
    """Return kind and subject of what people wrote; raises SettingsError or what `person_id` raises."""
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"a watch needs to know whom it is about: {_HOW}")
    word, equals, value = (part.strip() for part in text.partition("="))
    if word.lower() == Kind.UNKNOWN and not equals:
        return Kind.UNKNOWN, ""
    if word.lower() == Kind.BUDGET and not equals:
        return Kind.BUDGET, ""
    if equals and word.lower() == Kind.EMOTION:
        return Kind.EMOTION, _emotion(value)
    if equals and word.lower() == Kind.LABEL:
        return Kind.LABEL, _label(value)
    return Kind.PERSON, person_id(text.strip())


def who_in_words(kind: Kind, subject: str, people: Mapping[str, str]) -> str:
    """Return whom or what a watch is about, as `who_of` reads it."""
    if kind is Kind.PERSON:
        return people.get(subject, subject)
    return f"{kind}={subject}" if subject else str(kind)


def forbidden(kind: Kind, purpose: Purpose) -> str:
    """Return why a camera of this purpose may not be watched for such a thing, '' where it may."""
    if kind is Kind.EMOTION and purpose in (Purpose.ACCESS, Purpose.WATCH):
        return f"on cameras of purpose {purpose} no emotions are inferred"
    if kind in (Kind.PERSON, Kind.UNKNOWN) and purpose is Purpose.AUDIENCE:
        return "cameras of purpose audience identify nobody"
    return ""


def _emotion(value: str) -> str:
    name = value.upper()
    if name not in EMOTIONS:
        raise SettingsError(f"there is no emotion {value[:40]!r}: choose among {', '.join(EMOTIONS)}")
    return name


def _label(value: str) -> str:
    if not value or len(value) > LONGEST_LABEL or not value.isprintable():
        raise SettingsError(f"label {value[:40]!r} names nothing: write one of Rekognition's labels, for example label=Dog")
    return value


def _cameras_of(value: object, kind: Kind, cameras: Mapping[str, Camera]) -> tuple[str, ...]:
    named = [value] if isinstance(value, str) else value
    if named is None or named in ([], ["all"]):
        return ()
    if not isinstance(named, Sequence) or not all(isinstance(name, str) for name in named):
        raise SettingsError("cameras of a watch are a list of ids, or all")
    if kind is Kind.BUDGET:
        raise SettingsError("the budget is that of all cameras: a watch for it names none")
    for name in named:
        if name not in cameras:
            raise UnknownCamera(f"there is no camera {name[:40]!r}: `rekstream camera list` names them")
        if why := forbidden(kind, cameras[name].purpose):
            raise SettingsError(f"camera {name!r} cannot be watched for {_things(kind)}: {why}")
    return tuple(dict.fromkeys(named))


def _things(kind: Kind) -> str:
    return {Kind.PERSON: "people", Kind.UNKNOWN: "people"}.get(kind, f"{kind}s")


def _urls_of(value: object) -> tuple[str, ...]:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, Sequence) or not named:
        raise SettingsError("a watch needs at least one notify URL, for example https://HOST/PATH or mailto://…")
    if len(named) > MOST_NOTIFY:
        raise SettingsError(f"{len(named)} notify URLs are too many for one watch: {MOST_NOTIFY} are taken")
    return tuple(dict.fromkeys(notify_urls.check(url) for url in named))


def _cooldown_of(value: object) -> float:
    if value is None:
        return COOLDOWN
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= float(value) <= LONGEST_COOLDOWN:  # type: ignore[arg-type]  # it is a number by now
        raise SettingsError(f"cooldown {str(value)[:40]!r} must be seconds from 0 to {LONGEST_COOLDOWN:g}")
    return float(value)  # type: ignore[arg-type]  # as above


def _schedule_of(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise SettingsError("schedule of a watch is text, for example mon-fri 08:00-18:00")
    text = (value or "").strip()
    Schedule.parse(text)
    return text


@lru_cache(maxsize=256)
def _schedule(text: str) -> Schedule:
    return Schedule.parse(text)


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()
