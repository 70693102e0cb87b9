"""Whose track it is: the rules of the vote, and that no order of the votes changes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from people.votes import MOST_VOTES, VOTE_SECONDS, Choice, Vote, choose

SHOW = 80.0
ANN, BEN = "p_ann", "p_ben"


def vote(at: float = 0.0, weight: float = 1.0, **similarities: float) -> Vote:
    return Vote(at, weight, {f"p_{name}": value for name, value in similarities.items()})


def test_one_clear_match_names_a_track() -> None:
    assert choose([vote(ann=99.2)], SHOW) == Choice(ANN, 99.2)


def test_nobody_is_named_without_a_vote_and_below_the_threshold() -> None:
    assert choose([], SHOW) is None
    assert choose([vote(ann=79.9)], SHOW) is None
    assert choose([vote(ann=80.0)], SHOW) == Choice(ANN, 80.0)
    assert choose([vote(ann=80.0)], 99.0) is None


@pytest.mark.parametrize(("second", "named"), [(80.0, ANN), (90.0, ANN), (95.5, None), (99.0, None)])
def test_a_tie_names_nobody(second: float, named: str | None) -> None:
    choice = choose([vote(ann=99.0, ben=second)], SHOW)
    assert (choice.person if choice else None) == named


def test_later_better_views_overturn_what_an_early_bad_one_said() -> None:
    early = vote(0, 0.2, ann=83.0)
    assert choose([early], SHOW) == Choice(ANN, 83.0)
    assert choose([early, vote(2, 0.5, ben=98.0)], SHOW) == Choice(BEN, 98.0)
    assert choose([early, vote(2, 0.5)], SHOW) is None  # nobody was found in it


def test_a_worse_view_in_which_nobody_is_found_takes_no_name_away() -> None:
    assert choose([vote(0, 1.0, ann=99.5), vote(30, 0.3)], SHOW) == Choice(ANN, 99.5)


def test_old_votes_count_no_more() -> None:
    old = [vote(0, 500.0, ann=99.9)]
    assert choose([*old, vote(VOTE_SECONDS - 1, 1.0, ben=99.0)], SHOW) == Choice(ANN, 99.9)
    assert choose([*old, vote(VOTE_SECONDS + 1, 1.0, ben=99.0)], SHOW) == Choice(BEN, 99.0)
    many = [vote(10.0 + number, 1.0, ben=99.0) for number in range(MOST_VOTES)]
    assert choose([*old, *many], SHOW) == Choice(BEN, 99.0)


def test_newer_votes_count_for_more() -> None:
    """Should a track have gone over to somebody else, one view as good as the old one tells; a glance from aside does not."""
    old = vote(0, 1.0, ann=99.5)
    assert choose([old, vote(300, 1.0)], SHOW) is None
    assert choose([old, vote(300, 1.0, ben=99.5)], SHOW) == Choice(BEN, 99.5)
    assert choose([old, vote(300, 0.3)], SHOW) == Choice(ANN, 99.5)


def test_who_was_rejected_is_out_of_the_running_and_leaves_it_to_the_others() -> None:
    votes = [vote(ann=99.0, ben=91.0)]
    assert choose(votes, SHOW, {ANN}) == Choice(BEN, 91.0)
    assert choose(votes, SHOW, {ANN, BEN}) is None


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_cannot_be_counts_for_nothing(weight: float) -> None:
    assert choose([vote(0, weight, ann=99.0)], SHOW) is None
    assert choose([vote(0, weight, ann=99.0), vote(1, 1.0, ben=90.0)], SHOW) == Choice(BEN, 90.0)


VOTES = st.lists(
    st.builds(
        Vote,
        st.floats(0, 2000),
        st.floats(0.01, 10),
        st.dictionaries(st.sampled_from([ANN, BEN, "p_eve"]), st.floats(60, 100), max_size=3),
    ),
    max_size=10,
)


@given(VOTES, st.randoms(), st.sets(st.sampled_from([ANN, BEN])))
def test_the_order_of_votes_changes_nothing_and_the_rejected_never_win(
    votes: list[Vote], chance: object, rejected: set[str]
) -> None:
    choice = choose(votes, SHOW, rejected)
    shuffled = votes[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    assert choose(shuffled, SHOW, rejected) == choice
    assert choice is None or (choice.person not in rejected and choice.similarity >= SHOW)


@given(VOTES)
def test_only_the_ratio_of_weights_counts(votes: list[Vote]) -> None:
    heavier = [Vote(one.at, one.weight * 4.0, one.similarities) for one in votes]  # exact in binary
    assert choose(heavier, SHOW) == choose(votes, SHOW)
