"""Who is who over time: on clips whose truth is known, and on whatever hypothesis thinks of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clips import CLIPS, HD, SeenFace
from vision.embedding import distance
from vision.entities import Box
from vision.faces import FaceEngine
from vision.tracks import FORGET_SECONDS, MOST_TRACKS, Scene, Unlikeness, follow, nobody_knows

NOW = 1_795_000_000.0
LIKE, UNLIKE = 0.3, 0.7


@dataclass
class Watched:
    """A clip as a tracker sees it: the truth's boxes, a little off, and who has had which track."""

    scene: Scene = field(default_factory=Scene)
    owners: dict[int, str] = field(default_factory=dict)
    tracks: dict[str, list[int]] = field(default_factory=dict)
    asked: int = 0
    fps: float = 5.0

    def see(self, at: float, faces: list[SeenFace], *, alike: bool = True) -> list[int | None]:
        def unlikeness(face: int, track: int) -> float | None:
            self.asked += 1
            return (LIKE if self.owners[track] == faces[face].who else UNLIKE) if alike else None

        boxes = [face.box for face in faces]
        followed = follow(self.scene, boxes, NOW + at, unlikeness=unlikeness, interval=1 / self.fps)
        self.scene = Scene.of_json(followed.scene.as_json())
        for number, face in zip(followed.numbers, faces, strict=True):
            if number is not None:
                assert self.owners.setdefault(number, face.who) == face.who, f"{number} is two people at {at}"
                mine = self.tracks.setdefault(face.who, [])
                mine += [number] if number not in mine else []
        return list(followed.numbers)


def seen_of(name: str, fps: float, misses: float = 0.0) -> list[tuple[float, list[SeenFace]]]:
    """The faces of a clip as a detector would find them: not those that are hidden, a little off, some overlooked."""
    clip, dice = CLIPS[name], random.Random(7)
    moments = [number / fps for number in range(round(clip.seconds * fps))]
    return [
        (at, [_off(face, dice) for face in clip.faces(at) if face.hidden < 0.4 and dice.random() >= misses]) for at in moments
    ]


def _off(face: SeenFace, dice: random.Random) -> SeenFace:
    box, off = face.box, [dice.gauss(0, 0.03) for _ in range(4)]
    moved = Box(
        box.left + off[0] * box.width, box.top + off[1] * box.height, box.width * (1 + off[2]), box.height * (1 + off[3])
    )
    return SeenFace(face.who, moved, face.hidden)


@pytest.mark.parametrize("fps", [25, 5, 2, 1, 0.5])
@pytest.mark.parametrize(
    "name", ["two", "crossing", "meeting", "leaving", "returning", "turning", "approaching", "far", "poster"]
)
def test_each_person_keeps_one_track_through_the_clip(name: str, fps: float) -> None:
    watched = Watched(fps=fps)
    for at, faces in seen_of(name, fps):
        watched.see(at, faces)
    assert all(len(tracks) == 1 for tracks in watched.tracks.values()), watched.tracks


@pytest.mark.parametrize("fps", [25, 5, 2])
def test_people_who_cross_are_told_apart_by_their_boxes_alone(fps: float) -> None:
    """So that an audience, whose faces are never compared, is counted right."""
    watched = Watched()
    for at, faces in seen_of("crossing", fps):
        watched.see(at, faces, alike=False)
    assert all(len(tracks) == 1 for tracks in watched.tracks.values())


@pytest.mark.parametrize("name", ["two", "crossing", "meeting"])
def test_faces_that_are_overlooked_for_a_moment_keep_their_tracks(name: str) -> None:
    watched = Watched()
    for at, faces in seen_of(name, 10, misses=0.3):
        watched.see(at, faces)
    assert all(len(tracks) == 1 for tracks in watched.tracks.values())


def test_faces_are_compared_only_where_boxes_leave_a_doubt() -> None:
    for fps in (25, 5, 1):
        watched = Watched(fps=fps)
        for at, faces in seen_of("two", fps):
            watched.see(at, faces)
        assert watched.asked == 0
    watched = Watched()
    for at, faces in seen_of("meeting", 1):
        watched.see(at, faces)
    assert 0 < watched.asked <= 12


def test_people_are_told_apart_by_their_real_faces() -> None:
    """Where two meet and go back, once a second: what moves on as expected is the other one."""
    engine, vectors, owners, scene = FaceEngine(), {}, {}, Scene()
    for shot in CLIPS["meeting"].film(HD, fps=1):
        found = engine.analyse(shot.rgb, vectors=True)

        def unlikeness(face: int, track: int, found: list = found) -> float:
            return float(distance(found[face].vector, vectors[track]))

        followed = follow(scene, [face.box for face in found], NOW + shot.at, unlikeness=unlikeness)
        scene = followed.scene
        for number, face in zip(followed.numbers, found, strict=True):
            vectors.setdefault(number, face.vector)
            who = min(shot.faces, key=lambda one, box=face.box: abs(one.box.left - box.left)).who
            assert owners.setdefault(number, who) == who
    assert len(owners) == 2


def test_who_stands_where_somebody_was_lost_is_that_person_only_if_the_faces_agree() -> None:
    before = follow(Scene(), [Box(0.4, 0.4, 0.1, 0.2)], NOW).scene
    for apart, same in ((LIKE, True), (UNLIKE, False)):
        after = follow(before, [Box(0.41, 0.4, 0.1, 0.2)], NOW + 5, unlikeness=lambda face, track, apart=apart: apart)
        assert (after.numbers[0] in before.tracks) is same


def test_who_is_back_elsewhere_within_ten_seconds_is_the_same_if_the_faces_surely_are() -> None:
    before = follow(Scene(), [Box(0.9, 0.4, 0.05, 0.1)], NOW).scene
    for apart, at, same in ((0.4, 6.0, True), (0.55, 6.0, False), (0.4, FORGET_SECONDS + 1, False)):
        after = follow(before, [Box(0.05, 0.4, 0.06, 0.12)], NOW + at, unlikeness=lambda face, track, apart=apart: apart)
        assert (after.numbers[0] in before.tracks) is same


def test_a_frame_that_was_overtaken_gets_tracks_by_looking_and_moves_none() -> None:
    frames = seen_of("crossing", 10)
    in_order, shuffled = Watched(), Watched()
    expected = {at: in_order.see(at, faces) for at, faces in frames}
    for pair in zip(frames[1::2], frames[::2], strict=True):  # each second frame is overtaken by the one after it
        for at, faces in pair:
            before = shuffled.scene
            numbers = shuffled.see(at, faces)
            if NOW + at < before.at:
                assert shuffled.scene == before
                known = [(mine, theirs) for mine, theirs in zip(numbers, expected[at], strict=True) if mine is not None]
                assert all(shuffled.owners[mine] == in_order.owners[theirs] for mine, theirs in known)
    assert all(len(tracks) == 1 for tracks in shuffled.tracks.values())


@pytest.mark.parametrize("fps", [0.2, 0.1, 0.01])
def test_who_stands_still_is_one_track_also_where_results_are_rare(fps: float) -> None:
    scene, numbers = Scene(), set()
    for step in range(20):
        followed = follow(scene, [Box(0.4, 0.4, 0.1, 0.2)], NOW + step / fps, 16 / 9, lambda face, track: LIKE, 1 / fps)
        scene, numbers = followed.scene, numbers | set(followed.numbers)
    assert len(numbers) == 1


@pytest.mark.parametrize(("fps", "after"), [(1, 2.0), (1, 2.4), (0.2, 7.0), (0.1, 14.0), (0.01, 149.0)])
def test_a_stranger_where_somebody_was_is_somebody_else_however_rare_results_are(fps: float, after: float) -> None:
    before = follow(Scene(), [Box(0.4, 0.4, 0.1, 0.2)], NOW, interval=1 / fps)
    for apart in (UNLIKE, None):
        if apart is None and after <= 2.5:
            continue  # nothing speaks against it
        there = follow(
            before.scene, [Box(0.4, 0.4, 0.1, 0.2)], NOW + after, 16 / 9, lambda face, track, apart=apart: apart, 1 / fps
        )
        assert there.numbers != before.numbers
    same = follow(before.scene, [Box(0.4, 0.4, 0.1, 0.2)], NOW + after, 16 / 9, lambda face, track: LIKE, 1 / fps)
    assert same.numbers == before.numbers


def test_a_clock_that_was_set_back_begins_anew_with_other_numbers() -> None:
    before = follow(Scene(), [Box(0.4, 0.4, 0.1, 0.2)], NOW)
    after = follow(before.scene, [Box(0.4, 0.4, 0.1, 0.2)], NOW - 3600)
    assert not after.is_overtaken
    assert after.numbers[0] > before.numbers[0]


def test_an_emptied_server_gives_no_number_out_again_however_many_there_were() -> None:
    """Five minutes of an entrance with three new faces a second, then nobody for so long that the state is gone."""
    scene, dice, ever = Scene(), random.Random(5), set()
    for second in range(300):
        crowd = [Box(dice.random(), dice.random(), 0.01, 0.02) for _ in range(3)]
        followed = follow(scene, crowd, NOW + second, unlikeness=lambda face, track: UNLIKE)
        scene, ever = followed.scene, ever | set(followed.numbers)
    fresh = set().union(*(follow(Scene(), [Box(0.1, 0.1, 0.1, 0.1)], NOW + 361 + wait).numbers for wait in range(50)))
    assert len(ever) > 800
    assert not fresh & ever


boxes = st.builds(Box, st.floats(-0.2, 1.2), st.floats(-0.2, 1.2), st.floats(1e-3, 1), st.floats(1e-3, 1))
frames = st.lists(st.tuples(st.floats(-3, 12), st.lists(boxes, max_size=5)), min_size=1, max_size=8)


@given(frames, st.sampled_from([nobody_knows, lambda face, track: LIKE, lambda face, track: (face * 7 + track) % 10 / 10]))
def test_whatever_comes_no_two_faces_of_a_frame_are_one_person(
    story: list[tuple[float, list[Box]]], unlikeness: Unlikeness
) -> None:
    scene, at, ever = Scene(), NOW, set()
    for step, found in story:
        at += step
        followed = follow(scene, found, at, unlikeness=unlikeness)
        numbers = [number for number in followed.numbers if number is not None]
        assert len(set(numbers)) == len(numbers)
        assert followed.is_overtaken == (at < scene.at)
        if followed.is_overtaken:
            assert set(numbers) <= scene.tracks.keys()
        else:
            assert len(numbers) == len(found)
            fresh = set(numbers) - scene.tracks.keys()
            assert not fresh & ever
            assert all(track.seen_at >= at - FORGET_SECONDS for track in followed.scene.tracks.values())
        ever |= set(numbers)
        assert followed.scene.tracks.keys() >= set(numbers)
        scene = Scene.of_json(followed.scene.as_json())


def test_a_scene_never_outgrows_its_bounds() -> None:
    scene, dice = Scene(), random.Random(3)
    for number in range(6):
        crowd = [Box(dice.random(), dice.random(), 0.01, 0.02) for _ in range(100)]
        scene = follow(scene, crowd, NOW + number / 10).scene
    assert len(scene.tracks) <= MOST_TRACKS


@pytest.mark.parametrize("odd", [{}, {"at": "x", "tracks": []}, {"at": 1, "tracks": [[1, 2]]}, {"at": 1, "tracks": 5}])
def test_what_is_no_scene_is_refused(odd: dict) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Scene.of_json(odd)
