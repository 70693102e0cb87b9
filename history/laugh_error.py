"""How far off the count of laughs is, as `python -m bench laughs` measured it: the error that stands on a receipt.

Measured on sequences made from scores that the local models gave to changed pictures of two portraits: no audience was filmed
(docs/audience.md says how they are made, and what is not proven by them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured at so many results a second: shares from 0 to 1, seconds at the median.

    `count_off` is by which share the count of a show of 100 laughs was off at most, in 95 of 100 shows.
    """

    rate: float
    precision: float
    recall: float
    f1: float
    start_off: float
    peak_off: float
    count_off: float


MEASURED = (
    Measured(0.5, precision=0.898, recall=0.606, f1=0.724, start_off=0.50, peak_off=0.42, count_off=0.44),
    Measured(1, precision=0.827, recall=0.825, f1=0.826, start_off=0.24, peak_off=0.33, count_off=0.18),
    Measured(2, precision=0.872, recall=0.878, f1=0.875, start_off=0.12, peak_off=0.24, count_off=0.13),
    Measured(5, precision=0.963, recall=0.889, f1=0.925, start_off=0.07, peak_off=0.18, count_off=0.19),
    Measured(10, precision=0.986, recall=0.885, f1=0.933, start_off=0.06, peak_off=0.15, count_off=0.19),
)


def measured_at(rate: float) -> Measured:
    """Return what was measured at the highest rate that is no higher than `rate`, or at the lowest there is."""
    return max((one for one in MEASURED if one.rate <= rate * 1.1), key=lambda one: one.rate, default=MEASURED[0])


def error_of(rate: float | None) -> Mapping[str, Any] | None:
    """Return the error of a count that was made at so many looks a second at each face, as a receipt shows it."""
    if rate is None:
        return None
    one = measured_at(rate)
    return {
        "results_per_second": round(rate, 2),
        "measured_at": one.rate,
        "precision": one.precision,
        "recall": one.recall,
        "f1": one.f1,
        "count_off": one.count_off,
        "sentence": _sentence(rate, one),
    }


def _sentence(rate: float, one: Measured) -> str:
    slower = "" if rate * 1.1 >= one.rate else ", and nothing was measured at so few: the error here is larger"
    return (
        f"each face was looked at {rate:.1f} times a second{slower}; at {one.rate:g} a second {one.precision:.0%} of what was "
        f"counted were laughs, {one.recall:.0%} of the laughs were counted, and a count of 100 was off by {one.count_off:.0%} "
        "at most in 95 of 100 shows: measured on sequences made from the local models' scores, not on real audiences"
    )
