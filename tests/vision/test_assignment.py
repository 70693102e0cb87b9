"""Pairs of least cost, checked against all there are."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.assignment import best_pairs

ALONE = 1.5


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(0, 3), max_size=12))
def test_no_other_pairs_cost_less(costs: dict[tuple[int, int], float]) -> None:
    found = best_pairs(costs, ALONE)
    left = {pair[0] for pair in costs}
    assert len(set(found.values())) == len(found)
    assert all((one, other) in costs for one, other in found.items())
    assert _total(costs, left, found) == pytest.approx(min(_total(costs, left, pairs) for pairs in _all_pairs(costs)))


def test_the_cheapest_pair_yields_where_two_others_are_cheaper_together() -> None:
    assert best_pairs({(0, 0): 1.0, (0, 1): 1.1, (1, 0): 1.2}, alone=9.0) == {0: 1, 1: 0}


def test_a_pair_that_costs_more_than_being_alone_is_not_made() -> None:
    assert best_pairs({(0, 0): 2.0, (1, 1): 1.0}, ALONE) == {1: 1}
    assert best_pairs({}, ALONE) == {}


def _total(costs: dict[tuple[int, int], float], left: set[int], pairs: dict[int, int]) -> float:
    return sum(costs[pair] for pair in pairs.items()) + ALONE * (len(left) - len(pairs))


def _all_pairs(costs: dict[tuple[int, int], float]) -> list[dict[int, int]]:
    left = sorted({pair[0] for pair in costs})
    choices = [[None, *(pair[1] for pair in costs if pair[0] == one)] for one in left]
    return [
        {one: other for one, other in zip(left, chosen, strict=True) if other is not None}
        for chosen in itertools.product(*choices)
        if len(set(chosen) - {None}) == len([other for other in chosen if other is not None])
    ]
