"""The stay of one face before a camera, put together from its looks: pure.

Looks come nearly in the order in which they were taken. Those of the last LATE_SECONDS are kept, so that one that comes late
still finds its place; what is before them is summed up. What a stay tells is at any time right for the looks that came so far:
nothing has to be closed, and whoever writes it down compares it with what it told before.
"""

from __future__ import annotations

import bisect
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

from history.audience_tables import AGE_BOUNDS, DWELL_BOUNDS, DWELLS, OLD
from history.laughs import SMOOTHING_SECONDS, Laugh, Laughing, Point, smoothed
from history.looks import Look
from history.schema import EMOTIONS

MINUTE = 60
LATE_SECONDS = 3.0
"""So much later than others a look may come and still count."""

LONGEST_SECONDS = 10.0
"""What lies between two looks of a face counts as time that it was there, up to so long."""

LEAST_LOOKS = 2
"""Who was seen so often has come; a face in one picture alone may be half of one that is seen well in the next."""

Sums = Mapping[str, float]
_Adding = defaultdict[str, float]
Minutes = Mapping[int, Sums]
"""Sums by the first second of the minute."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a stay tells: sums of all of it, its laughs that may still change, and what it adds to minutes.

    `minutes` has all that its looks since the last summing up add, and all that depends on the whole stay.
    """

    whole: Sums = field(default_factory=dict)
    laughs: Mapping[int, Laugh] = field(default_factory=dict)
    minutes: Minutes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stay:
    """What has to be known of a track: sums of its looks up to `done_at`, and the looks that still matter, in their order."""

    camera: str
    done_at: float = float("-inf")
    whole: Sums = field(default_factory=dict)
    laughing: Laughing = field(default_factory=Laughing)
    looks: tuple[Look, ...] = ()

    def seen(self, looks: Iterable[Look]) -> Stay:
        """Return the stay with further looks; those that come too late are left out."""
        fresh = [look for look in looks if look.at > self.done_at]
        return replace(self, looks=tuple(sorted((*self.looks, *fresh), key=lambda look: look.at))) if fresh else self

    def told(self) -> Told:
        """Return what it tells."""
        fold = _Fold(self)
        fold.go_on(float("inf"))
        fold.tell_of_arrival()
        return Told(fold.whole, fold.laughs, fold.minutes)

    def summed_up(self) -> Stay:
        """Return the stay with the looks summed up before which none can come any more."""
        until = self.looks[-1].at - LATE_SECONDS if self.looks else self.done_at
        if not any(self.done_at < look.at <= until for look in self.looks):
            return self
        fold = _Fold(self)
        fold.go_on(until)
        last = max(look.at for look in self.looks if look.at <= until)
        kept = tuple(look for look in self.looks if look.at >= min(last, until - SMOOTHING_SECONDS))
        return Stay(self.camera, until, fold.whole, fold.laughing, kept)

    def as_text(self) -> str:
        """Return the stay as JSON; `of_text` is the way back."""
        looks = [astuple(look) for look in self.looks]
        done = None if self.done_at == float("-inf") else self.done_at
        return json.dumps([done, self.whole, astuple(self.laughing), looks], separators=(",", ":"))

    @classmethod
    def of_text(cls, camera: str, text: str) -> Stay:
        """Return the stay that `as_text` told; raises ValueError or TypeError for anything else."""
        done, whole, laughing, looks = json.loads(text)
        known = tuple(Look(*look) for look in looks)
        return cls(camera, float("-inf") if done is None else done, whole, Laughing(*laughing), known)


def difference(after: Minutes, before: Minutes) -> dict[int, dict[str, float]]:
    """Return by how much each minute's sums changed; what did not change is left out."""
    changed: dict[int, dict[str, float]] = {}
    for minute in after.keys() | before.keys():
        new, old = after.get(minute, {}), before.get(minute, {})
        sums = {name: new.get(name, 0) - old.get(name, 0) for name in new.keys() | old.keys()}
        if sums := {name: value for name, value in sums.items() if value}:
            changed[minute] = sums
    return changed


def age_of(whole: Sums) -> float | None:
    """Return the mean age that a face looks like."""
    return whole["years"] / whole["aged"] if whole.get("aged") else None


def gender_of(whole: Sums) -> str | None:
    """Return the gender of most looks."""
    female, male = whole.get("female", 0), whole.get("male", 0)
    return None if female == male else "Female" if female > male else "Male"


def emotion_of(whole: Sums) -> str | None:
    """Return the emotion of most of the time."""
    best = max(EMOTIONS, key=lambda name: whole.get(name, 0))
    return best.upper() if whole.get(best) else None


def points_of(looks: Sequence[Look]) -> list[Point]:
    """Return what laughs are told from."""
    return [(look.at, look.laughter) for look in looks if look.laughter is not None]


class _Fold:
    """Goes through the looks of a stay that are not summed up yet, in their order."""

    def __init__(self, stay: Stay) -> None:
        self.whole: _Adding = defaultdict(float, stay.whole)
        self.laughing = stay.laughing
        self.laughs: dict[int, Laugh] = {}
        self.minutes: dict[int, _Adding] = {}
        first = bisect.bisect_right(stay.looks, stay.done_at, key=lambda look: look.at)
        self._last = stay.looks[first - 1] if first else None
        self._ahead = stay.looks[first:]
        points = points_of(stay.looks)
        self._scores = dict(smoothed(points, len(points_of(stay.looks[:first]))))
        self._tell_laugh()

    def go_on(self, until: float) -> None:
        """Take the looks up to a time."""
        for look in self._ahead:
            if look.at > until:
                break
            self._take(look)

    def tell_of_arrival(self) -> None:
        """Add what depends on the whole stay to the minute in which it began."""
        if self._last is None or self.whole["looks"] < LEAST_LOOKS:
            return
        dwell, age, gender = self.whole["until"] - self.whole["since"], age_of(self.whole), gender_of(self.whole)
        sums = self._minute(self.whole["since"])
        _add_up(sums, {"arrivals": 1, "dwell": dwell, DWELLS[bisect.bisect_right(DWELL_BOUNDS, dwell) - 1]: 1})
        if age is not None:
            sums[OLD[max(0, bisect.bisect_right(AGE_BOUNDS, age) - 1)]] += 1
        if gender:
            sums[gender.lower()] += 1

    def _take(self, look: Look) -> None:
        last, self._last = self._last, look
        if last is None:
            self.whole["since"] = look.at
        else:
            half = min(LONGEST_SECONDS, look.at - last.at) / 2
            self._add(last, half)
            self._add(look, half)
            self._minute(last.at)["seen"] += self.whole["looks"] == LEAST_LOOKS - 1
            self._minute(look.at)["seen"] += last.at // MINUTE != look.at // MINUTE
        self._minute(look.at)["looks"] += 1
        self.whole["until"] = look.at
        _add_up(self.whole, _by_looks(look))
        if look.laughter is not None:
            self.laughing = self.laughing.after(look.at, self._scores[look.at])
            self._tell_laugh()

    def _tell_laugh(self) -> None:
        if laugh := self.laughing.laugh:
            self.laughs[laugh.place] = laugh

    def _add(self, look: Look, seconds: float) -> None:
        """Add seconds in which all was as in this look."""
        sums = _in_seconds(look, seconds)
        _add_up(self._minute(look.at), sums)
        _add_up(self.whole, sums)

    def _minute(self, at: float) -> _Adding:
        return self.minutes.setdefault(int(at // MINUTE) * MINUTE, defaultdict(float))


def _add_up(sums: _Adding, more: Sums) -> None:
    for name, value in more.items():
        sums[name] += value


def _by_looks(look: Look) -> dict[str, float]:
    sums: dict[str, float] = {"looks": 1}
    if look.age is not None:
        sums |= {"years": look.age, "aged": 1}
    if look.gender:
        sums[look.gender.lower()] = 1
    return sums


def _in_seconds(look: Look, seconds: float) -> dict[str, float]:
    sums = {"seconds": seconds}
    if look.is_facing is not None:
        sums |= {"posed": seconds, "facing": seconds * look.is_facing}
    if look.is_smiling is not None:
        sums |= {"told": seconds, "smiling": seconds * look.is_smiling}
    emotion = (look.emotion or "").lower()
    if emotion in EMOTIONS:
        sums |= {"felt": seconds, emotion: seconds}
    return sums
