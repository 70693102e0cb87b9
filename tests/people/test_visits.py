"""Visits: one stay of one identity at one camera, whatever order and how often results come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people import visits as visiting
from people.database import Database
from people.visits import VisitChange, Visits, of_person, of_track, of_unknown

GAP = 10.0
GRACE, BOB = of_person("p_grace"), of_person("p_bob")


class Book:
    """Visits in a file, with what they told."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder, visiting.TABLES)
        self.told: list[VisitChange] = []
        self.visits = Visits(self.database, lambda _: GAP, self.told.append)

    def saw(self, track: str, began: float, ended: float, camera: str = "door") -> None:
        with self.database.transaction():
            self.visits.saw(track, camera, began, ended, self.visits.stay(track))

    def named(self, track: str, identity: str, similarity: float = 99.0) -> None:
        with self.database.transaction():
            stay = self.visits.stay(track)
            assert stay is not None
            self.visits.identify(stay, identity, similarity)

    def all(self) -> list[tuple[str, str, float, float, float, tuple[str, ...]]]:
        """Return camera, identity, times, similarity and tracks of each visit: everything but its number."""
        found = self.database.rows("SELECT camera, identity, began, ended, similarity, id FROM visits")
        tracks = "SELECT track FROM tracks WHERE visit = ? ORDER BY track"
        return sorted((*row[:-1], tuple(track for (track,) in self.database.rows(tracks, row[-1]))) for row in found)

    def times(self, identity: str) -> list[tuple[float, float]]:
        return [(began, ended) for _, who, began, ended, _, _ in self.all() if who == identity]

    def kinds(self) -> list[str]:
        return [change.kind for change in self.told]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path)
    yield book
    book.database.close()


def test_coming_back_after_the_gap_is_another_visit(book: Book) -> None:
    for track, began, ended in (("door-1", 0, 20), ("door-2", 32, 50)):
        book.saw(track, began, ended)
        book.named(track, GRACE)
    assert book.times(GRACE) == [(0, 20), (32, 50)]


def test_coming_back_within_the_gap_is_the_same_visit(book: Book) -> None:
    for track, began, ended in (("door-1", 0, 20), ("door-2", 30, 50)):
        book.saw(track, began, ended)
        book.named(track, GRACE)
    assert book.times(GRACE) == [(0, 50)]


def test_a_late_name_joins_the_open_visit_of_that_person(book: Book) -> None:
    book.saw("door-1", 0, 20)
    book.named("door-1", GRACE)
    book.saw("door-2", 22, 24)
    assert len(book.all()) == 2
    book.named("door-2", GRACE)
    assert book.all() == [("door", GRACE, 0, 24, 99.0, ("door-1", "door-2"))]
    assert book.kinds() == ["began", "changed", "began", "gone", "changed"][: len(book.kinds())]


def test_a_name_that_comes_late_takes_the_visit_along(book: Book) -> None:
    book.saw("door-1", 0, 2)
    number = book.told[0].visit.id
    book.named("door-1", GRACE, 98.5)
    assert book.kinds() == ["began", "changed"]
    changed = book.told[1].visit
    assert (changed.id, changed.person, changed.similarity, changed.is_searched) == (number, "p_grace", 98.5, True)


def test_two_tracks_of_one_person_at_once_are_one_visit(book: Book) -> None:
    for track in ("door-1", "door-2"):
        book.saw(track, 0, 20)
        book.named(track, GRACE)
    assert book.times(GRACE) == [(0, 20)]


def test_two_people_and_two_cameras_have_visits_of_their_own(book: Book) -> None:
    for track, who, camera in (("door-1", GRACE, "door"), ("door-2", BOB, "door"), ("yard-1", GRACE, "yard")):
        book.saw(track, 0, 20, camera)
        book.named(track, who)
    assert [(camera, who) for camera, who, *_ in book.all()] == [("door", BOB), ("door", GRACE), ("yard", GRACE)]


def test_a_track_between_two_visits_makes_them_one(book: Book) -> None:
    for track, began, ended in (("door-1", 0, 10), ("door-2", 30, 40), ("door-3", 18, 22)):
        book.saw(track, began, ended)
        book.named(track, GRACE)
    assert book.all() == [("door", GRACE, 0, 40, 99.0, ("door-1", "door-2", "door-3"))]


def test_a_name_taken_back_leaves_what_the_other_tracks_are(book: Book) -> None:
    for track, began, ended in (("door-1", 0, 10), ("door-2", 30, 40), ("door-3", 18, 22)):
        book.saw(track, began, ended)
        book.named(track, GRACE)
    book.named("door-3", of_track("door-3"), 0.0)
    assert book.times(GRACE) == [(0, 10), (30, 40)]
    assert book.times(of_track("door-3")) == [(18, 22)]


def test_a_visit_ends_once_when_its_time_is_over_and_goes_on_when_somebody_comes_back_in_time(book: Book) -> None:
    book.saw("door-1", 0, 20)
    for now in (25.0, 30.0, 31.9):
        with book.database.transaction():
            assert book.visits.end(now) == []
    book.saw("door-1", 0, 28)
    with book.database.transaction():
        assert book.visits.end(33.0) == []
        assert [visit.ended for visit in book.visits.end(41.0)] == [28]
        assert book.visits.end(42.0) == []
    assert book.kinds() == ["began", "ended"]


def test_unknown_groups_count_their_visits(book: Book) -> None:
    for number in range(4):
        book.saw(f"door-{number}", 100 * number, 100 * number + 5)
        book.named(f"door-{number}", of_unknown(12), 0.0)
    assert book.visits.number_of(of_unknown(12)) == 4
    assert {visit.unknown for _, visit in ((0, change.visit) for change in book.told) if visit.is_searched} == {"u_12"}


def test_who_is_forgotten_leaves_no_track_and_no_visit(book: Book) -> None:
    for track, who in (("door-1", GRACE), ("door-2", BOB)):
        book.saw(track, 0, 20)
        book.named(track, who)
    with book.database.transaction():
        assert book.visits.forget(GRACE) == 1
    assert [who for _, who, *_ in book.all()] == [BOB]
    assert book.visits.stay("door-1") is None


def test_old_visits_go_with_their_tracks(book: Book) -> None:
    book.saw("door-1", 0, 20)
    book.saw("door-2", 100, 120)
    with book.database.transaction():
        book.visits.expire(50)
    assert [tracks for *_, tracks in book.all()] == [("door-2",)]
    assert book.visits.stay("door-1") is None


Step = tuple[str, str, float, float]  # track, identity or '' for a sighting, and two numbers

SIGHTINGS = st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.just(""), st.integers(0, 90), st.integers(0, 15))
NAMES = st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from([GRACE, BOB]), st.just(99), st.just(0))


def expected(sightings: Sequence[Step], names: dict[str, str]) -> list[tuple[str, str, float, float]]:
    """Return the visits by their definition: the spans of tracks of one identity, joined over gaps."""
    spans: dict[str, tuple[float, float]] = {}
    for track, _, at, lasts in sightings:
        began, ended = spans.get(track, (at, at + lasts))
        spans[track] = min(began, at), max(ended, at + lasts)
    found = []
    for who in {names.get(track, of_track(track)) for track in spans}:
        joined: list[tuple[float, float]] = []
        for began, ended in sorted(span for track, span in spans.items() if names.get(track, of_track(track)) == who):
            if joined and began <= joined[-1][1] + GAP:
                joined[-1] = joined[-1][0], max(joined[-1][1], ended)
            else:
                joined.append((began, ended))
        found += [("door", who, *span) for span in joined]
    return sorted(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    sightings=st.lists(SIGHTINGS, min_size=1, max_size=8),
    names=st.dictionaries(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from([GRACE, BOB])),
    wrong=st.lists(NAMES, max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_any_order_and_repetition_gives_the_same_visits(
    tmp_path_factory: pytest.TempPathFactory,
    sightings: list[Step],
    names: dict[str, str],
    wrong: list[Step],
    chance: object,
) -> None:
    """Names may also be wrong for a while: what counts in the end is what was said last."""
    steps = [*sightings, *sightings[:2], *wrong]
    chance.shuffle(steps)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    book = Book(tmp_path_factory.mktemp("book"))
    with book.database.transaction():
        for track, who, at, lasts in steps:
            stay = book.visits.stay(track)
            if not who:
                book.visits.saw(track, "door", float(at), float(at + lasts), stay)
            elif stay is not None:
                book.visits.identify(stay, who, 99.0)
        for track in sorted({track for track, who, _, _ in steps if not who}):
            stay = book.visits.stay(track)
            assert stay is not None
            book.visits.identify(stay, names.get(track, of_track(track)), 99.0)
    assert [visit[:4] for visit in book.all()] == expected(sightings, names)
    told = {change.visit.id for change in book.told if change.kind != "gone"}
    gone = {change.visit.id for change in book.told if change.kind == "gone"}
    assert {number for (number,) in book.database.rows("SELECT id FROM visits")} == told - gone
    book.database.close()
