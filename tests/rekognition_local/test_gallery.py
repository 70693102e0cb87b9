"""Searching in memory finds what comparing one by one would, whatever was added and removed before, by whomever."""

import time

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rekognition_local.gallery import Gallery, Shelf, means
from rekognition_local.store import NewFace, Store
from vision.embedding import distance, similarity
from vision.entities import Box


def _vector(seed: int) -> np.ndarray:
    """Near one of five people: distances fall on both sides of every threshold."""
    person = np.random.default_rng(seed % 5).normal(size=128) * 0.11
    return (person + np.random.default_rng(seed).normal(size=128) * 0.03).astype(np.float32)


def _one_by_one(known: dict[int, np.ndarray], vector: np.ndarray, threshold: float) -> list[int]:
    rated = sorted((-float(similarity(distance(one, vector))), number) for number, one in known.items())
    return [number for alike, number in rated if -alike >= threshold]


class Collections(RuleBasedStateMachine):
    """One gallery searches what two stores write."""

    @initialize()
    def start(self):
        self.store = Store()
        self.gallery = Gallery(self.store)
        self.store.create_collection("people")
        self.known: dict[int, tuple[str, np.ndarray]] = {}
        self.users: dict[str, list[int]] = {}
        self.added = 0

    @rule(seeds=st.lists(st.integers(0, 200), min_size=1, max_size=70))
    def add(self, seeds):
        new = [NewFace(Box(index / 100, 0, 0.1, 0.1), 99.0, _vector(seed)) for index, seed in enumerate(seeds)]
        self.added += 1
        for face, one in zip(self.store.add_faces("people", f"image-{self.added}", None, new), new, strict=True):
            self.known[face.number] = (face.id, one.vector)

    @rule(data=st.data())
    def remove(self, data):
        free = [number for number in self.known if not any(number in faces for faces in self.users.values())]
        if free:
            number = data.draw(st.sampled_from(free))
            self.store.remove_faces("people", [self.known.pop(number)[0]])

    @rule(data=st.data(), name=st.sampled_from(["ada", "grace"]))
    def give(self, data, name):
        free = [number for number in self.known if not any(number in faces for faces in self.users.values())]
        if not free:
            return
        if name not in self.users:
            self.store.create_user("people", name)
        number = data.draw(st.sampled_from(free))
        collection = self.store.collection("people")
        faces = self.store.faces(collection, 0, 1, ids=[self.known[number][0]])
        self.store.associate(collection, self.store.user(collection, name), faces)
        self.users.setdefault(name, []).append(number)

    @rule(name=st.sampled_from(["ada", "grace"]))
    def delete_user(self, name):
        if self.users.pop(name, None) is not None:
            self.store.delete_user("people", name)

    @invariant()
    def finds_what_comparing_one_by_one_finds(self):
        collection = self.store.collection("people")
        for seed, threshold in ((1, 80.0), (2, 99.0), (3, 0.0)):
            vector = _vector(1000 + seed)
            found = self.gallery.faces(collection, vector, threshold, 4096)
            known = {number: one for number, (_, one) in self.known.items()}
            assert {match.number for match in found} == set(_one_by_one(known, vector, threshold))
            assert [match.similarity for match in found] == sorted((match.similarity for match in found), reverse=True)
            few = self.gallery.faces(collection, vector, threshold, 3)
            assert [match.similarity for match in few] == [match.similarity for match in found[:3]]

    @invariant()
    def a_user_is_the_mean_of_its_faces(self):
        collection = self.store.collection("people")
        found = {match.number: match.similarity for match in self.gallery.users(collection, _vector(1), 0.0, 500)}
        expected = {}
        for name, faces in self.users.items():
            mean = np.mean([self.known[number][1] for number in faces], axis=0)
            expected[self.store.user(collection, name).number] = float(similarity(distance(mean, _vector(1))))
        assert found == pytest.approx(expected, abs=1e-3)

    def teardown(self):
        self.store.close()


Collections.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestCollections = Collections.TestCase


def test_a_search_goes_on_with_what_there_was_while_others_are_added():
    shelf = Shelf.empty(0).append(np.arange(60), np.stack([_vector(seed) for seed in range(60)]))
    grown = shelf.append(np.arange(60, 70), np.stack([_vector(seed) for seed in range(60, 70)]))
    again = grown.append(np.array([70]), _vector(70)[None])
    assert [len(one.search(_vector(1), 0, 1000)) for one in (shelf, grown, again)] == [60, 70, 71]


def test_a_vector_is_like_itself_by_a_hundred_percent():
    shelf = Shelf.empty(0).append(np.array([5]), _vector(3)[None])
    (match,) = shelf.search(_vector(3), 100, 10)
    assert (match.number, match.similarity) == (5, 100)


def test_the_mean_of_no_vectors_is_none():
    numbers, vectors = means(np.zeros(0, np.int64), np.zeros((0, 128), np.float32))
    assert (len(numbers), len(vectors)) == (0, 0)


def test_a_hundred_thousand_faces_are_searched_in_a_moment():
    vectors = np.random.default_rng(1).normal(size=(100_000, 128)).astype(np.float32) * 0.11
    shelf = Shelf.empty(0).append(np.arange(100_000), vectors)
    started = time.thread_time()
    (match,) = shelf.search(vectors[77_777], 99, 1)
    assert match.number == 77_777
    assert time.thread_time() - started < 0.2  # the bench says how much less: the line is 20 ms
