"""A face lies near other pictures of the same person and far from other people; similarity says how near, in percent."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.scenes import ASTRONAUT, FACES, HOPPER, background, place, portrait
from vision.embedding import VECTOR_SIZE, Embedder, distance, distance_at, similarity
from vision.faces import FaceEngine
from vision.nets import OnFirstUse


def _copies(name):
    """The same portrait as other cameras might show it: mirrored, small, turned, darker."""
    rgb = portrait(name)
    turned = background(640, 480)
    place(turned, name, (320, 240), 200, 25)
    return [rgb, rgb[:, ::-1], cv2.resize(rgb, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), turned, rgb // 2]


@pytest.fixture(scope="module")
def vectors(engine):
    return {name: [engine.analyse(copy, vectors=True)[0].vector for copy in _copies(name)] for name in (HOPPER, ASTRONAUT)}


def test_copies_of_one_face_are_near_and_another_persons_are_far(vectors):
    for name in vectors:
        assert max(distance(a, b) for a, b in itertools.combinations(vectors[name], 2)) < 0.45
    assert min(distance(a, b) for a, b in itertools.product(*vectors.values())) > 0.6


def test_a_vector_is_128_floats_and_there_is_none_unless_asked(engine, vectors):
    assert vectors[HOPPER][0].shape == (VECTOR_SIZE,)
    assert vectors[HOPPER][0].dtype == np.float32
    assert engine.analyse(portrait(HOPPER), ["ALL"])[0].vector is None


def test_a_face_without_a_mesh_has_no_vector(engine):
    scene, (left, top, width, height) = portrait(ASTRONAUT).copy(), FACES[ASTRONAUT]
    scene[top + height // 2 : top + height, left : left + width] = 90  # nothing to see from the nose down
    (face,) = engine.analyse(scene, vectors=True)
    assert (face.landmarks, face.vector) == ((), None)


def test_only_the_most_largest_faces_are_read(engine):
    scene = background(1280, 720)
    for left, name, height in ((200, HOPPER, 150), (640, ASTRONAUT, 250)):
        place(scene, name, (left, 360), height, closeup=True)
    (face,) = engine.analyse(scene, vectors=True, most=1)
    assert face.box.height * 720 > 200


def test_no_meshes_need_no_net():
    assert Embedder().embed(portrait(HOPPER), []).shape == (0, VECTOR_SIZE)


def test_distances_are_taken_along_the_last_axis():
    gallery = np.zeros((3, VECTOR_SIZE), np.float32)
    gallery[1, 0], gallery[2, :2] = 2, (3, 4)
    assert distance(gallery[0], gallery).tolist() == [0, 2, 5]
    assert distance(gallery[:, None], gallery).shape == (3, 3)


def test_similarity_falls_from_100_at_no_distance_to_0():
    percents = similarity(np.linspace(0, 3, 301))
    assert percents[0] == 100
    assert (np.diff(percents) < 0).all()
    assert percents[-1] < 1e-9
    assert (similarity(0.60), similarity(0.50)) == (pytest.approx(80), pytest.approx(99))


@given(st.floats(0, 2))
def test_distance_at_is_the_inverse_of_similarity(far):
    assert distance_at(float(similarity(far))) == pytest.approx(far, abs=1e-6)


def test_the_ends_of_the_scale_are_the_ends_of_distance():
    assert distance_at(100) == pytest.approx(0, abs=1e-9)
    assert distance_at(0) == math.inf
    assert similarity(math.inf) == pytest.approx(0, abs=1e-100)


def test_an_engine_loads_the_embedding_when_it_is_first_asked_for_and_once(monkeypatch):
    loaded = []
    monkeypatch.setattr("vision.faces.Embedder", lambda: loaded.append(1) or Embedder())
    engine = FaceEngine()
    engine.analyse(portrait(ASTRONAUT), ["ALL"])
    assert not loaded
    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(lambda _: engine.analyse(portrait(ASTRONAUT), vectors=True)[0].vector, range(8)))
    assert len(loaded) == 1
    assert all(np.array_equal(vector, vectors[0]) for vector in vectors)


def test_what_fails_to_be_made_is_made_anew_the_next_time():
    tries = iter([OSError("disk"), "made"])

    def make():
        made = next(tries)
        if isinstance(made, OSError):
            raise made
        return made

    thing = OnFirstUse(make)
    with pytest.raises(OSError, match="disk"):
        thing()
    assert thing() == "made"
