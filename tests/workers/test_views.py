"""When a person is paid for again: the rules, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vision.entities import Box
from vision.tracks import Track
from workers.views import BETTER, NAMED_SECONDS, UNNAMED_SECONDS, View, decide

NOW = 1_795_000_000.0
BOX = Box(0.4, 0.4, 0.1, 0.2)
GOOD = View(0, BOX, 144.0, 0.0, 0.9)
POOR = View(0, BOX, 40.0, 0.0, 0.1)
NEW = Track(1, BOX, NOW, NOW)
SEARCHED = replace(NEW, views=9, kept=0.9, kept_at=NOW, searched_at=NOW)


def worth(track: Track, view: View, after: float = 0.0, *, since: float | None = 0.0, named: bool = False) -> tuple[bool, bool]:
    """Say whether a view is kept as the best, and whether it is searched."""
    _, found = decide(track, view, NOW + after, since, lambda: named)
    return (found.is_best, found.is_searched) if found else (False, False)


def face(height: float = 0.2, sharpness: float = 80, yaw: float = 0, pitch: float = 0, left: float = 0.4) -> dict[str, object]:
    return {
        "BoundingBox": {"Left": left, "Top": 0.4, "Width": 0.1, "Height": height},
        "Pose": {"Roll": 3.0, "Yaw": yaw, "Pitch": pitch},
        "Quality": {"Sharpness": sharpness, "Brightness": 50},
    }


def test_a_good_view_of_somebody_new_is_searched_at_once_and_a_poor_one_with_the_second() -> None:
    assert worth(NEW, GOOD) == (True, True)
    assert worth(NEW, POOR) == (False, False)
    assert worth(replace(NEW, views=2), POOR) == (True, True)


def test_nobody_is_searched_where_nobody_can_be_found_but_the_view_is_kept() -> None:
    assert worth(NEW, GOOD, since=None) == (True, False)


def test_who_was_kept_before_anybody_was_enrolled_is_searched_when_somebody_is() -> None:
    track, _ = decide(NEW, GOOD, NOW, None, lambda: False)
    assert worth(track, GOOD, 0.2, since=None) == (False, False)
    assert worth(track, GOOD, 0.2, since=NOW + 0.1)[1]


def test_who_was_searched_is_searched_again_when_somebody_was_enrolled_since_unless_named() -> None:
    assert worth(SEARCHED, GOOD, 5, since=NOW + 4) == (True, True)
    assert worth(SEARCHED, GOOD, 5, since=NOW + 4, named=True) == (False, False)
    assert worth(SEARCHED, GOOD, 5, since=NOW - 4) == (False, False)


def test_a_clearly_better_view_is_searched_but_not_with_every_step() -> None:
    better = replace(GOOD, weight=0.9 * BETTER)
    assert worth(SEARCHED, better, 2) == (True, True)
    assert worth(SEARCHED, better, 0.2) == (False, False)
    assert worth(SEARCHED, replace(GOOD, weight=1.3), 2) == (False, False)


def test_a_search_holds_for_a_while_and_longer_for_whoever_has_a_name() -> None:
    assert worth(SEARCHED, GOOD, UNNAMED_SECONDS - 1) == (False, False)
    assert worth(SEARCHED, GOOD, UNNAMED_SECONDS) == (True, True)
    assert worth(SEARCHED, GOOD, UNNAMED_SECONDS, named=True) == (False, False)
    assert worth(SEARCHED, GOOD, NAMED_SECONDS, named=True) == (True, True)


def test_what_was_decided_is_remembered() -> None:
    track, _ = decide(NEW, GOOD, NOW, 0.0, lambda: False)
    assert worth(track, GOOD, 0.1) == (False, False)
    again, found = decide(track, replace(GOOD, weight=0.5), NOW + UNNAMED_SECONDS, 0.0, lambda: False)
    assert found is not None
    assert (found.is_searched, found.is_best) == (True, False)
    assert again.kept == 0.9  # the best view stays the best


def test_a_name_is_asked_for_only_where_it_counts() -> None:
    def never() -> bool:
        raise AssertionError("asked Redis without need")

    decide(SEARCHED, GOOD, NOW + 1, 0.0, never)
    decide(NEW, GOOD, NOW, 0.0, never)


def test_faces_too_small_to_be_told_apart_are_not_searched() -> None:
    assert worth(replace(NEW, views=9), View(0, BOX, 30.0, 0.0, 0.3)) == (False, False)


def test_larger_sharper_and_more_frontal_faces_weigh_more() -> None:
    usual = View.of(0, face(), 720).weight
    assert View.of(0, face(height=0.1), 720).weight < usual
    assert View.of(0, face(sharpness=40), 720).weight < usual
    assert View.of(0, face(yaw=40), 720).weight < View.of(0, face(yaw=20), 720).weight < usual
    assert View.of(0, face(pitch=-40), 720).weight < usual
    assert View.of(0, face(height=0.5), 720).weight == View.of(0, face(height=0.5), 1080).weight  # both large enough
    without_pose = face()
    del without_pose["Pose"]
    assert View.of(0, without_pose, 720).weight < usual


def test_a_face_that_the_edge_cuts_waits_until_it_is_whole() -> None:
    cut = View.of(0, face(left=-0.02), 720)
    assert not cut.is_good
    assert View.of(0, face(), 720).weight > BETTER * cut.weight  # so it is searched again as soon as it is


@pytest.mark.parametrize(
    "odd",
    [{}, {"BoundingBox": {}}, {"BoundingBox": {"Left": 0, "Top": 0, "Width": 0, "Height": float("nan")}}, {"BoundingBox": 3}],
)
def test_what_is_no_face_is_no_view(odd: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        View.of(0, odd, 720)
