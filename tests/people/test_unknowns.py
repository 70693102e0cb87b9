"""Unknown faces that are alike are one group, and what was rejected stays so for faces like it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from people import rejections, unknowns
from people.database import Database
from people.rejections import Rejections
from people.unknowns import ALIKE, Unknowns, Vector, View, vector_of
from tests.people.seeing import vector


def apart(from_: Vector, distance: float) -> Vector:
    """Return a vector that lies so far from another."""
    away = np.random.default_rng(9).normal(size=from_.shape)
    return np.asarray(from_ + distance * away / np.linalg.norm(away), np.float32)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path, (*unknowns.TABLES, *rejections.TABLES))
    yield database
    database.close()


def test_faces_are_of_one_group_up_to_a_distance(database: Database) -> None:
    groups, face = Unknowns(database), vector(1)
    first = groups.group("a", View(face, 1.0, 0.0))
    assert groups.group("b", View(apart(face, ALIKE - 0.01), 1.0, 1.0)) == first
    assert groups.group("c", View(apart(face, -ALIKE - 0.02), 1.0, 2.0)) != first


def test_a_better_view_brings_a_track_that_is_alone_to_its_group(database: Database) -> None:
    """A first glance may be like nobody; a little better view is not looked at again."""
    groups, face = Unknowns(database), vector(1)
    known = groups.group("a", View(face, 1.0, 0.0))
    alone = groups.group("b", View(vector(2), 1.0, 1.0))
    assert alone != known
    assert groups.group("b", View(face, 1.2, 2.0)) == alone
    assert groups.group("b", View(face, 2.0, 3.0)) == known
    assert groups.group("a", View(vector(3), 9.0, 4.0)) == known  # which is not alone any more


def test_what_is_released_dissolved_or_old_is_recognised_no_more(database: Database) -> None:
    groups = Unknowns(database)
    numbers = [groups.group(name, View(vector(who), 1.0, who)) for who, name in enumerate("abc")]
    groups.release("a")
    groups.dissolve(numbers[1])
    assert groups.recognisable() == {numbers[2]: "c"}
    groups.expire(100)
    assert groups.recognisable() == {}
    assert groups.group("d", View(vector(2), 1.0, 5.0)) not in numbers


@pytest.mark.parametrize("data", [b"", b"abc", bytes(512), np.full(128, np.nan, "<f4").tobytes()])
def test_what_is_no_vector_of_a_face_is_none(data: bytes) -> None:
    assert vector_of(data) is None


def test_a_rejection_holds_for_its_track_and_for_faces_like_it(database: Database) -> None:
    said, face = Rejections(database), vector(1)
    said.add("p_grace", "a", face, 0.0)
    assert said.against("a", None, ["p_grace", "p_bob"]) == {"p_grace"}
    assert said.against("b", apart(face, rejections.ALIKE - 0.01), ["p_grace"]) == {"p_grace"}
    assert said.against("b", apart(face, rejections.ALIKE + 0.01), ["p_grace"]) == set()
    assert said.against("b", None, ["p_grace"]) == set()


def test_a_rejection_without_a_face_holds_for_its_track_alone(database: Database) -> None:
    said = Rejections(database)
    said.add("p_grace", "a", None, 0.0)
    assert (said.against("a", vector(1), ["p_grace"]), said.against("b", vector(1), ["p_grace"])) == ({"p_grace"}, set())


def test_what_is_withdrawn_or_forgotten_was_never_said(database: Database) -> None:
    said, face = Rejections(database), vector(1)
    for person, other in (("p_grace", face), ("p_grace", vector(2)), ("p_bob", face)):
        said.add(person, "a" if other is face else "b", other, 0.0)
    said.withdraw("p_grace", "c", face)
    assert [len(said.about(person, (), ())) for person in ("p_grace", "p_bob")] == [1, 1]
    said.delete(said.about("p_grace", (), ()))
    assert [said.concern([person]) for person in ("p_grace", "p_bob")] == [False, True]


@pytest.mark.parametrize(("tracks", "who"), [(["a"], 2), ([], 1)])
def test_who_is_forgotten_is_not_kept_as_the_one_who_is_somebody_else_not(
    database: Database, tracks: list[str], who: int
) -> None:
    """What was said of Ada holds the face of who it really was: it goes with that person's tracks, or faces."""
    said = Rejections(database)
    said.add("p_ada", "a", vector(1), 0.0)
    said.add("p_ada", "b", vector(3), 0.0)
    said.delete(said.about("p_grace", tracks, [vector(who)]))
    assert database.rows("SELECT track FROM rejections") == [("b",)]


def test_what_was_said_long_ago_is_forgotten(database: Database) -> None:
    said = Rejections(database)
    said.add("p_ada", "a", vector(1), 10.0)
    said.expire(11.0)
    assert database.rows("SELECT * FROM rejections") == []
