"""Whose track it is: every search of its face is a vote, better views count for more, and a tie names nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

BEST_TO_SECOND = 1.3
"""The best person's evidence must be more than so many times the second's, and than that for nobody."""

VOTE_SECONDS = 900.0
"""A vote that is so much older than the newest counts no more: whoever stands there was looked at again since."""

HALF_LIFE = 150.0
"""Seconds after which a vote counts half beside the newest: should another face have got into a track, that tells soon."""

MOST_VOTES = 6
"""The newest of a track; an early mistake is outvoted within so many searches."""

NOBODY = 0.5
"""What a view in which nobody was found says against a name, as a share of what a perfect match says for it."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One search of a track's face: `similarities` holds the persons that were found, in percent, the best of their faces.

    `at` is when the searched view was captured, `weight` its size x sharpness x frontality, on any scale that the votes of a
    track have in common.
    """

    at: float
    weight: float
    similarities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """The person that a track is, and the best similarity that a search of it found, in percent."""

    person: str
    similarity: float


def choose(votes: Iterable[Vote], show: float, rejected: Set[str] = frozenset()) -> Choice | None:
    """Return whose track it is by all of its votes, in whatever order they come; None when that is unknown.

    Only persons of at least `show` percent are in the running, and none of `rejected`. A vote's evidence for a person is its
    weight times how far above `show` it found them, so one match of 99 outweighs several of 81; a view in which nobody was
    found speaks against all of them.
    """
    counted = _newest(votes)
    evidence: dict[str, float] = {}
    best: dict[str, float] = {}
    nobody = 0.0
    for vote in counted:
        weight = vote.weight * 0.5 ** ((counted[0].at - vote.at) / HALF_LIFE)
        running = {who: alike for who, alike in vote.similarities.items() if alike >= show and who not in rejected}
        if not running:
            nobody += weight * NOBODY * _above(100.0, show)
        for person, alike in running.items():
            evidence[person] = evidence.get(person, 0.0) + weight * _above(alike, show)
            best[person] = max(best.get(person, 0.0), alike)
    return _winner(evidence, best, nobody)


def _newest(votes: Iterable[Vote]) -> list[Vote]:
    """Return the votes that count; in an order of their own, so that sums do not depend on that in which they came."""
    order = sorted(votes, key=lambda vote: (vote.at, vote.weight, sorted(vote.similarities.items())), reverse=True)
    return [vote for vote in order[:MOST_VOTES] if vote.at >= order[0].at - VOTE_SECONDS and _is_sane(vote)]


def _winner(evidence: Mapping[str, float], best: Mapping[str, float], nobody: float) -> Choice | None:
    if not evidence:
        return None
    (score, person), *others = sorted(((score, person) for person, score in evidence.items()), reverse=True)
    second = max(nobody, others[0][0] if others else 0.0)
    return Choice(person, best[person]) if score > BEST_TO_SECOND * second else None


def _above(similarity: float, show: float) -> float:
    """One more than what lies between, so that a match of exactly `show` says something too."""
    return similarity - show + 1.0


def _is_sane(vote: Vote) -> bool:
    return math.isfinite(vote.weight) and vote.weight > 0
