"""Stays: the same whatever order, pieces and rate the looks come in; sums of minutes add up to them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.audience_tables import DWELLS, OLD
from history.laughs import Laugh, laughs_of
from history.looks import Look
from history.stays import LATE_SECONDS, LEAST_LOOKS, Stay, Told, difference, points_of

SINCE = 1_795_000_000.0


def heard(parts: Sequence[Sequence[Look]]) -> tuple[Told, dict[int, dict[str, float]], dict[int, Laugh]]:
    """Hear looks in pieces, as the history does, over what is kept between them; return all that was written."""
    text, minutes, laughs = "", defaultdict[int, dict[str, float]](dict), dict[int, Laugh]()
    told = Told()
    for part in parts:
        old = Stay.of_text("cam", text) if text else Stay("cam")
        new = old.seen(part)
        before, told = old.told(), new.told()
        for minute, sums in difference(told.minutes, before.minutes).items():
            for name, value in sums.items():
                minutes[minute][name] = minutes[minute].get(name, 0.0) + value
        for place in before.laughs.keys() - told.laughs.keys():
            del laughs[place]
        laughs |= told.laughs
        text = new.summed_up().as_text()
    return told, dict(minutes), laughs


def rounded(minutes: dict[int, dict[str, float]]) -> dict[int, dict[str, float]]:
    sums = {at: {name: round(value, 5) for name, value in row.items() if abs(value) > 1e-6} for at, row in minutes.items()}
    return {at: row for at, row in sums.items() if row}


LOOK = st.builds(
    lambda gap, laughter, smiles, faces, emotion, age: (gap, laughter, smiles, faces, emotion, age),
    st.floats(0.04, 4.0),
    st.one_of(st.none(), st.floats(0.0, 1.0)),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
    st.sampled_from(["HAPPY", "CALM", None]),
    st.one_of(st.none(), st.floats(1.0, 80.0)),
)


def looks_after(steps: Sequence[tuple[float, float | None, bool | None, bool | None, str | None, float | None]]) -> list[Look]:
    looks, at = [], SINCE
    for gap, laughter, smiles, faces, emotion, age in steps:
        at += gap
        looks.append(Look(at, laughter, smiles, faces, emotion, age, "Female" if age and age < 40 else None))
    return looks


@given(st.lists(LOOK, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_order_and_pieces_make_no_difference(steps: list[tuple], chance: random.Random) -> None:  # type: ignore[type-arg]
    """Looks that come less than LATE_SECONDS late, in any pieces, tell what all of them tell at once."""
    looks = looks_after(steps)
    late = sorted(looks, key=lambda look: look.at + chance.uniform(0.0, LATE_SECONDS - 0.01))
    cuts = sorted(chance.randrange(len(late) + 1) for _ in range(chance.randrange(8)))
    parts = [late[a:b] for a, b in zip([0, *cuts], [*cuts, len(late)], strict=True) if a < b]
    whole, minutes, laughs = heard([looks])
    told, in_parts, found = heard(parts)
    assert rounded(in_parts) == rounded(minutes)
    assert {name: round(value, 5) for name, value in told.whole.items()} == {
        name: round(value, 5) for name, value in whole.whole.items()
    }
    assert list(found.values()) == pytest.approx(list(laughs.values()))
    assert sorted(found.values(), key=lambda laugh: laugh.place) == laughs_of(points_of(looks))


@given(st.lists(LOOK, min_size=1, max_size=60))
def test_minutes_add_up_to_the_stay(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    looks = looks_after(steps)
    told, minutes, _ = heard([looks[:7], looks[7:]] if len(looks) > 7 else [looks])
    totals: dict[str, float] = defaultdict(float)
    for sums in minutes.values():
        for name, value in sums.items():
            totals[name] += value
    for name in ("looks", "seconds", "posed", "facing", "told", "smiling", "felt", "happy"):
        assert totals[name] == pytest.approx(told.whole.get(name, 0.0), abs=1e-6)
    assert totals["seconds"] == pytest.approx(looks[-1].at - looks[0].at, abs=1e-6)
    assert totals["dwell"] == pytest.approx(looks[-1].at - looks[0].at, abs=1e-6)
    has_come = len(looks) >= LEAST_LOOKS
    assert totals["arrivals"] == has_come
    assert sum(totals[name] for name in DWELLS) == pytest.approx(float(has_come))
    assert sum(totals[name] for name in OLD) == pytest.approx(float(has_come and any(look.age is not None for look in looks)))
    assert totals["seen"] == (len({int(look.at // 60) for look in looks}) if has_come else 0)


@pytest.mark.parametrize("rate", [0.5, 2.0, 5.0, 25.0])
def test_shares_are_of_time_and_not_of_looks(rate: float) -> None:
    """Half a minute of smiling is that at any rate, also where most looks fall into the other half."""
    times = [*(number / rate for number in range(int(30 * rate))), *(30 + number / 25 for number in range(750))]
    looks = [Look(SINCE + at, is_smiling=at < 30, is_facing=True) for at in times]
    told, _, _ = heard([looks])
    assert told.whole["smiling"] == pytest.approx(30.0, abs=1 / rate)
    assert told.whole["facing"] == pytest.approx(told.whole["seconds"])


def test_a_look_that_comes_too_late_changes_nothing() -> None:
    looks = [Look(SINCE + number, 0.1) for number in range(20)]
    _, minutes, _ = heard([looks])
    _, with_late, _ = heard([looks, [Look(SINCE + 4.5, 0.9)]])
    assert with_late == minutes
