"""Things are found where they are and told once; nothing is found where there is nothing."""

import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, background, place, portrait
from vision.objects import KINDS, LEAST_CONFIDENCE, ObjectFinder

GREY = 128


@pytest.fixture(scope="module")
def finder():
    return ObjectFinder()


def draw_stop_sign(scene, center, radius):
    """A stop sign is a drawing to begin with: this is one."""
    angles = np.radians(22.5 + 45 * np.arange(8))
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for share, color in ((1.0, (255, 255, 255)), (0.93, (190, 20, 30))):
        cv2.fillPoly(scene, [np.int32(corners * radius * share + center)], color)
    (width, height), _ = cv2.getTextSize("STOP", cv2.FONT_HERSHEY_DUPLEX, 1, 2)
    scale = 1.5 * radius / width
    start = round(center[0] - width * scale / 2), round(center[1] + height * scale / 2)
    cv2.putText(scene, "STOP", start, cv2.FONT_HERSHEY_DUPLEX, scale, (255, 255, 255), max(1, radius // 14), cv2.LINE_AA)


def draw_clock(scene, center, radius):
    """The dial of a clock: a rim, twelve ticks, two hands."""
    cv2.circle(scene, center, radius, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.circle(scene, center, round(radius * 0.92), (250, 250, 245), -1, cv2.LINE_AA)
    strokes = [(30 * hour, 0.75, 0.87) for hour in range(12)] + [(60, 0, 0.5), (300, 0, 0.7)]
    for degrees, start, end in strokes:
        x, y = math.sin(math.radians(degrees)), -math.cos(math.radians(degrees))
        ends = [(round(center[0] + radius * at * x), round(center[1] + radius * at * y)) for at in (start, end)]
        cv2.line(scene, *ends, (20, 20, 20), max(2, radius // 20), cv2.LINE_AA)


def pixels(box, scene):
    """Left, top, right and bottom of a box in the scene's pixels."""
    height, width = scene.shape[:2]
    return [box.left * width, box.top * height, (box.left + box.width) * width, (box.top + box.height) * height]


@pytest.mark.parametrize(("kind", "draw"), [("stop sign", draw_stop_sign), ("clock", draw_clock)])
@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640), (900, 300)])
@pytest.mark.parametrize("share", [0.15, 0.38])
def test_a_thing_is_found_once_in_its_place_and_size(finder, kind, draw, size, share):
    scene = np.full((size[1], size[0], 3), GREY, np.uint8)
    center, radius = (size[0] * 5 // 8, size[1] * 7 // 16), round(min(size) * share)
    draw(scene, center, radius)
    thing, *others = finder.find(scene)
    assert thing.kind == kind
    assert kind not in {other.kind for other in others}
    expected = [center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius]
    assert pixels(thing.box, scene) == pytest.approx(expected, abs=0.25 * radius)


def test_in_the_portraits_are_a_person_each_and_a_tie(finder):
    hopper, astronaut = finder.find(portrait(HOPPER)), finder.find(portrait(ASTRONAUT))
    assert [thing.kind for thing in hopper] == ["person", "tie"]
    assert [thing.kind for thing in astronaut] == ["person"]
    assert hopper[0].confidence > 75
    assert astronaut[0].confidence > 65
    tie = pixels(hopper[1].box, portrait(HOPPER))
    assert tie == pytest.approx([226, 434, 290, 533], abs=20)


def test_a_person_cut_off_by_the_edge_has_a_box_within_the_picture(finder):
    left, top, right, bottom = pixels(finder.find(portrait(HOPPER))[0].box, portrait(HOPPER))
    assert (left, bottom) == (pytest.approx(0, abs=15), pytest.approx(600, abs=5))
    assert left >= 0
    assert top >= 0
    assert right <= 512
    assert bottom <= 600


def test_two_things_of_one_kind_side_by_side_are_two(finder):
    scene = background(900, 450)
    for left in (200, 520):
        draw_stop_sign(scene, (left, 225), 120)
    found = sorted(pixels(thing.box, scene)[0] for thing in finder.find(scene) if thing.kind == "stop sign")
    assert found == pytest.approx([80, 400], abs=25)


def test_things_of_several_kinds_come_surest_first(finder):
    scene = background(1280, 720)
    place(scene, ASTRONAUT, (300, 200), 110)
    draw_stop_sign(scene, (800, 250), 130)
    draw_clock(scene, (1120, 300), 140)
    found = finder.find(scene)
    assert {"person", "stop sign", "clock"} <= {thing.kind for thing in found}
    sure = [thing.confidence for thing in found]
    assert sure == sorted(sure, reverse=True)
    assert all(LEAST_CONFIDENCE <= confidence <= 100 for confidence in sure)


@pytest.mark.parametrize(
    "scene",
    [
        background(1280, 720),
        np.zeros((480, 640, 3), np.uint8),
        np.random.default_rng(3).integers(0, 255, (480, 640, 3)).astype(np.uint8),
    ],
    ids=["pattern", "black", "noise"],
)
def test_nothing_is_found_where_nothing_is(finder, scene):
    assert finder.find(scene) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (2, 50_000), (40_000, 3), (417, 415), (4000, 3000)])
def test_every_size_of_picture_can_be_searched(finder, size):
    assert finder.find(np.zeros((*size, 3), np.uint8)) == []


def test_many_threads_on_one_finder_get_the_same_answers():
    finder = ObjectFinder()
    scenes = [portrait(HOPPER), portrait(ASTRONAUT)] * 3
    with ThreadPoolExecutor(6) as pool:  # the first calls find the net not loaded yet
        found = list(pool.map(finder.find, scenes))
    assert found == [finder.find(portrait(HOPPER)), finder.find(portrait(ASTRONAUT))] * 3


def test_the_kinds_are_eighty_and_each_has_its_own_name():
    assert len(set(KINDS)) == len(KINDS) == 80
