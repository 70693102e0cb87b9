"""What passes a gate: films of the two people, drawn frame by frame, looked at by the real detector."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.entities import Camera, Gate, Policy, Polygon, Saved
from producer import gate as gates
from producer.finder import LEAST_PIXELS, TILE, TILE_OVERLAP, NetFinder, Searcher, tiles_of
from producer.gate import FaceGate, Tally, gate_of
from producer.masks import Masks
from producer.motion import Region
from producer.sources.base import Image, Pixels
from tests.clips import CLIPS, FULL_HD, HD, Clip, Person, Stand
from tests.vision.scenes import ASTRONAUT, HOPPER

FPS = 5.0
LEFT_HALF: Polygon = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
RIGHT_HALF: Polygon = ((0.5, 0), (1, 0), (1, 1), (0.5, 1))
NET = NetFinder()
EMPTY = CLIPS["empty"]

Look = tuple[float, Saved | None]


def camera(gate: Gate = Gate.FACE, fps: float = FPS, **rules: object) -> Camera:
    return replace(Camera("door", "demo", fps=fps, gate=gate), **rules)  # type: ignore[arg-type]  # by their names


def new_gate(wanted: Camera, *, is_film: bool = True) -> gates.Gate:
    return gate_of(wanted, is_film=is_film, finder=lambda: NET)


def film(
    clip: Clip, seconds: float | None = None, size: tuple[int, int] = HD, fps: float = FPS
) -> Iterator[tuple[float, Image]]:
    for shot in replace(clip, seconds=seconds or clip.seconds).film(size, fps):
        yield shot.at, np.ascontiguousarray(shot.rgb[..., ::-1])


def looks(gate: gates.Gate, pictures: Iterable[tuple[float, Image]], masks: Masks | None = None) -> list[Look]:
    """Return by time what the gate says of each picture."""
    masks = masks or Masks(())
    return [(at, gate.look(masks.over(Pixels(image)), at)) for at, image in pictures]


def passed(found: Iterable[Look]) -> list[float]:
    return [at for at, saved in found if saved is None]


def somebody(since: float, until: float, *, height: float = 0.3, who: str = HOPPER, seconds: float = 8.0) -> Clip:
    """A clip in which somebody walks through between two times."""

    def walk(at: float) -> Stand | None:
        return Stand(0.3 + 0.4 * (at - since) / (until - since), 0.45, height) if since <= at < until else None

    return Clip("somebody", seconds, (Person(who, walk),))


# --- a face ---


def test_who_is_there_from_the_start_is_found() -> None:
    """Though nothing moves yet."""
    gate = new_gate(camera())
    assert looks(gate, film(CLIPS["two"], 0.2)) == [(0.0, None)]
    assert gate.sees == "2 faces"


def test_an_empty_room_costs_nothing_and_its_grain_is_no_motion() -> None:
    gate = new_gate(camera())
    found = looks(gate, film(EMPTY, 5))
    assert {saved for at, saved in found if at > 2.5} == {Saved.NO_MOTION}
    assert passed(found) == []
    assert gate.sees == "nobody"


def test_a_face_passes_while_it_is_there_and_no_longer() -> None:
    """From its first picture on, and for less than a second after its last."""
    gate = new_gate(camera())
    found = looks(gate, film(somebody(3, 5)))
    assert passed(found)[0] == 3.0
    assert {at for at, _ in found if 3 <= at < 5} <= set(passed(found))
    assert max(passed(found)) < 5 + gates.RECENT_SECONDS
    assert gate.sees == "nobody"


@pytest.mark.parametrize("who", [HOPPER, ASTRONAUT])
def test_a_face_of_40_pixels_in_a_1080p_picture_is_not_lost(who: str) -> None:
    gate = new_gate(camera(fps=2.0))
    found = looks(gate, film(somebody(3, 5, height=40 / 1080, who=who, seconds=5), size=FULL_HD, fps=2.0))
    assert len([at for at in passed(found) if 3 <= at < 5]) >= 3


def test_a_face_in_the_dark_is_found() -> None:
    clip = replace(somebody(3, 4, seconds=4), light=lambda _: 0.2)
    assert passed(looks(new_gate(camera()), film(clip)))[:1] == [3.0]


def test_what_moves_without_a_face_is_not_paid_for() -> None:
    """It is looked at, and counted under its own cause."""
    gate = new_gate(camera())
    found = looks(gate, with_box(film(EMPTY)))
    assert passed(found) == []
    assert Counter(saved for _, saved in found)[Saved.NO_FACE] >= 10


def test_a_poster_is_paid_for_once_and_then_rarely() -> None:
    """Each `still_seconds`, ten minutes unless said otherwise, whatever the light does meanwhile."""
    poster = Clip("poster", 1, (Person(HOPPER, lambda _: Stand(0.7, 0.4, 0.2), is_poster=True),))
    shown = [image for _, image in film(replace(poster, light=lambda at: 1 - at / 4))]
    gate = FaceGate(camera(fps=1.0), Searcher(NET), is_film=True, still_seconds=40.0)
    found = looks(gate, ((float(at), shown[at // 20 % len(shown)]) for at in range(85)))
    assert passed(found) == [0.0, 40.0, 80.0]
    assert {saved for at, saved in found if at > 3} == {None, Saved.STILL_FACE}


def test_who_stands_still_is_told_of_again_and_again() -> None:
    """Often enough that a visit does not break off; after five minutes it may as well be a picture."""
    clip = Clip("comes and stays", 1, (Person(HOPPER, lambda at: Stand(min(0.5, 0.1 * at), 0.45, 0.3)),))
    moments = [0.0, 1.0, 2.0, *(float(at) for at in range(3, 330))]
    pictures = {min(at, 5.0): clip.shot(min(at, 5.0)).rgb[..., ::-1] for at in moments}
    found = looks(new_gate(camera(fps=1.0)), ((at, np.ascontiguousarray(pictures[min(at, 5.0)])) for at in moments))
    times = passed(found)
    standing = [at for at in times if 20 < at < 300]
    assert np.diff(standing).max() <= gates.STANDING_EACH_SECONDS
    assert len(standing) <= 280 / gates.STANDING_EACH_SECONDS + 1
    assert [at for at in times if at > 315] == []


class CountedNet:
    """The real detector, which counts how often it is asked."""

    def __init__(self) -> None:
        self.looks = 0

    def find(self, image: Image, *, quick: bool = False) -> list[Region]:
        self.looks += 1
        return NET.find(image, quick=quick)


def test_a_face_that_was_seen_a_moment_ago_and_moves_passes_without_another_look() -> None:
    """It is looked for again within half a second, and who left does not pass for longer than before."""
    finder = CountedNet()
    gate = FaceGate(camera(fps=25.0), Searcher(finder), is_film=True)
    without: list[float] = []
    seen: set[str] = set()
    found: list[Look] = []
    for at, image in film(somebody(3, 5), fps=25.0):
        before = finder.looks
        found.append((at, gate.look(Pixels(image), at)))
        if 3.5 <= at < 5:
            seen.add(gate.sees)
            without += [at] * (finder.looks == before)
    times = passed(found)
    assert [at for at, _ in found if 3 <= at < 5 and at not in times] == []
    assert len(without) > 0.8 * 25 * 1.5
    looked = [at for at, _ in found if 3.5 <= at < 5 and at not in without]
    assert max(np.diff(looked)) <= gates.BELIEVED_SECONDS + 2 / 25
    assert seen == {"1 face"}
    assert max(times) < 5 + gates.RECENT_SECONDS


def test_who_turns_away_for_a_moment_is_not_lost() -> None:
    """While something still moves where a face was, pictures pass for most of a second."""
    turning = replace(CLIPS["turning"], seconds=6.0)
    times = passed(looks(new_gate(camera()), film(turning)))
    assert max(np.diff(times), default=math.inf) <= 1.0


def test_faces_that_are_too_small_to_be_told_are_not_paid_for() -> None:
    gate = new_gate(camera(smallest_face=150))
    assert passed(looks(gate, film(somebody(3, 4, height=0.12, seconds=4)))) == []
    assert passed(looks(gate, film(somebody(3, 4, height=0.3, seconds=4))))


def test_pictures_that_are_no_film_are_each_looked_at_whole() -> None:
    """Those of a folder have nothing to do with each other, so nothing moves in them."""
    gate = new_gate(camera(policy=Policy.EVERY), is_film=False)
    shown = [("two", None), ("empty", Saved.NO_FACE), ("crossing", None), ("empty", Saved.NO_FACE)]
    for at, (name, expected) in enumerate(shown):
        image = np.ascontiguousarray(CLIPS[name].shot(3.5).rgb[..., ::-1])
        assert gate.look(Pixels(image), float(at)) is expected


# --- light, wind, time ---


def test_a_lamp_that_goes_on_and_off_is_no_motion() -> None:
    lamp = replace(EMPTY, seconds=8, light=lambda at: 0.55 if 4 <= at < 6 else 1.0)
    assert passed(looks(new_gate(camera()), film(lamp))) == []
    found = looks(new_gate(camera(Gate.MOTION)), film(lamp))
    assert [at for at in passed(found) if at >= 2.5] == []


def test_dusk_is_no_motion() -> None:
    dusk = replace(EMPTY, seconds=10, light=lambda at: 1 - at / 20)
    assert [at for at in passed(looks(new_gate(camera(Gate.MOTION)), film(dusk))) if at >= 2.5] == []


def test_a_camera_that_trembles_sees_no_motion() -> None:
    pushes = np.random.default_rng(3).normal(0, 2.0, (50, 2))

    def trembling() -> Iterator[tuple[float, Image]]:
        for number, (at, image) in enumerate(film(EMPTY)):
            push = np.hstack([np.eye(2), pushes[number][:, None]])
            yield at, np.asarray(cv2.warpAffine(image, push, HD, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    found = looks(new_gate(camera(Gate.MOTION)), trembling())
    assert [at for at in passed(found) if at >= 2.5] == []


def test_after_a_pause_all_is_looked_at_anew() -> None:
    """Who came while the camera was away, and stands there now, is found."""
    gate = new_gate(camera())
    looks(gate, film(EMPTY, 4))
    assert looks(gate, ((at + 30, image) for at, image in film(CLIPS["two"], 0.2))) == [(30.0, None)]


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    gate = new_gate(camera())
    pictures = list(film(CLIPS["two"], 1))
    looks(gate, ((at + 3600, image) for at, image in pictures))
    assert passed(looks(gate, pictures))[0] == 0.0


def test_a_picture_that_became_another_one_is_looked_at_anew() -> None:
    """Somebody turned the camera, or it changed its resolution."""
    gate = new_gate(camera())
    looks(gate, film(EMPTY, 4))
    two = next(image for _, image in film(CLIPS["two"]))
    negative = 255 - next(image for _, image in film(EMPTY))
    assert looks(gate, [(4.0, negative), (5.2, two)]) == [(4.0, Saved.NO_FACE), (5.2, None)]
    assert looks(gate, [(6.4, np.asarray(cv2.resize(negative, (640, 360)), np.uint8))]) == [(6.4, Saved.NO_FACE)]
    assert looks(gate, [(7.6, two)]) == [(7.6, None)]


# --- motion ---


def test_motion_passes_whatever_moves_and_nothing_else() -> None:
    """It says so, too; at first, while the background is not known, everything passes."""
    gate = new_gate(camera(Gate.MOTION))
    found = looks(gate, film(EMPTY, 3))
    assert [at for at, saved in found if saved is None] == [at for at, _ in found if at < 2]
    assert gate.sees == "nothing moves"
    found = looks(gate, ((at + 3, image) for at, image in with_box(film(EMPTY, 4), since=1.0)))
    assert found[0][1] is Saved.NO_MOTION
    assert {saved for at, saved in found if at >= 4} == {None}
    assert gate.sees == "something moves"


# --- masks and zones ---


def test_below_a_mask_nobody_is_seen() -> None:
    film_of_two = list(film(CLIPS["two"], 4))
    assert passed(looks(new_gate(camera()), film_of_two, Masks((LEFT_HALF, RIGHT_HALF)))) == []
    gate = new_gate(camera())
    looks(gate, film_of_two[:1], Masks((LEFT_HALF,)))
    assert gate.sees == "1 face"


def test_outside_of_the_zones_nobody_is_looked_for() -> None:
    walk = Clip("right", 5, (Person(HOPPER, lambda at: Stand(0.75 + 0.02 * at, 0.45, 0.2) if at > 2.5 else None),))
    pictures = list(film(walk))
    inside = looks(new_gate(camera(zones=(RIGHT_HALF,))), pictures)
    outside = looks(new_gate(camera(zones=(LEFT_HALF,))), pictures)
    assert passed(inside)
    assert {saved for at, saved in outside if at > 2.2} == {Saved.NO_MOTION}


# --- what it costs ---


class Counting:
    """A finder that finds nothing and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def find(self, image: Image, *, quick: bool = False) -> list[Region]:  # as every finder
        self.seen.append(image.shape[:2])
        return []

    @property
    def pixels(self) -> int:
        return sum(height * width for height, width in self.seen)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.builds(Region, *(st.integers(0, 1200),) * 2, *(st.integers(1, 1280),) * 2), max_size=12))
def test_no_picture_costs_more_than_it_may(regions: list[Region]) -> None:
    """Whatever moves: at 720p a little more than a quarter of the picture is looked at, in pieces of bounded size."""
    finder = Counting()
    Searcher(finder).within(np.zeros((720, 1280, 3), np.uint8), regions)
    assert finder.pixels <= LEAST_PIXELS * 1.5
    assert all(height * width <= 640 * 400 for height, width in finder.seen)


@given(st.builds(Region, st.integers(0, 500), st.integers(0, 500), st.integers(1, 2000), st.integers(1, 2000)))
def test_tiles_cover_all_of_a_region_and_overlap(region: Region) -> None:
    covered = np.zeros((2500, 2500), bool)
    for tile in tiles_of(region, *TILE):
        covered[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] = True
    wanted = covered[region.top : region.top + region.height, region.left : region.left + region.width]
    assert wanted.all()
    assert covered.sum() == region.area
    lefts = sorted({tile.left for tile in tiles_of(region, *TILE)})
    assert all(b - a <= tiles_of(region, *TILE)[0].width - TILE_OVERLAP for a, b in itertools.pairwise(lefts))


def test_a_large_restless_place_is_seen_tile_by_tile() -> None:
    """Each picture shows another part of it at native size, until all of it was seen."""
    image = np.arange(720 * 1280, dtype=np.uint32).reshape(720, 1280)
    shown = np.zeros((720, 1280), bool)

    class Marking(Counting):
        def find(self, image: Image, *, quick: bool = False) -> list[Region]:  # as every finder
            code = image.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
            height, width = code.shape
            if width > 1 and code[0, 1] == code[0, 0] + 1:  # native: neighbours are neighbours
                top, left = divmod(int(code[0, 0]), 1280)
                shown[top : top + height, left : left + width] = True
            return []

    searcher = Searcher(Marking())
    coded = np.stack([(image >> shift) & 255 for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
    for _ in range(13):
        searcher.within(coded, [Region(0, 0, 1280, 720)])
    assert shown.all()


def test_the_net_is_not_loaded_before_a_face_is_looked_for() -> None:
    """A camera without the gate does not pay for it."""
    made = []
    for wanted in (Gate.OFF, Gate.MOTION):
        gate = gate_of(camera(wanted), finder=lambda: made.append(1) or NET)
        looks(gate, film(EMPTY, 1))
    assert made == []
    assert isinstance(gate_of(camera()), FaceGate)


def test_the_figures_are_of_the_last_ten_seconds() -> None:
    tally = Tally()
    for tenth in range(300):
        tally.note(tenth / 10, passed=tenth % 10 == 0)
    assert tally.per_second(30.0) == (pytest.approx(1.0, abs=0.11), pytest.approx(9.0, abs=0.11))
    assert tally.per_second(45.0) == (0.0, 0.0)


def with_box(pictures: Iterable[tuple[float, Image]], since: float = 3.0) -> Iterator[tuple[float, Image]]:
    """Yield pictures through which a box is pushed."""
    for at, image in pictures:
        if at >= since:
            left = round(200 + 150 * (at - since))
            cv2.rectangle(image, (left, 300), (left + 140, 600), (60, 90, 160), -1)
        yield at, image
