"""Colours are counted as the eye parts them; brightness, sharpness and contrast follow what is done to a picture."""

import cv2
import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, background, portrait
from vision.colours import _palette, colours, cut, look
from vision.entities import Box

WORDS = {"black", "white", "red", "green", "yellow", "blue", "brown", "purple", "pink", "orange", "grey"}


def flat(*rgb, height=90, width=120):
    return np.full((height, width, 3), rgb, np.uint8)


def test_each_of_the_139_named_colours_of_css_is_told_by_its_own_name():
    shades = _palette().shades
    assert len({shade.rgb for shade in shades}) == len({shade.name for shade in shades}) == 139
    assert {shade.plain for shade in shades} == WORDS
    for shade in shades:
        (found,) = colours(flat(*shade.rgb))
        assert (found.rgb, found.name, found.plain, found.share) == (shade.rgb, shade.name, shade.plain, 100.0)


@pytest.mark.parametrize(
    ("rgb", "name", "plain", "code"),
    [
        ((250, 8, 4), "red", "red", "#ff0000"),
        ((20, 22, 18), "black", "black", "#000000"),
        ((50, 75, 80), "darkslategrey", "grey", "#2f4f4f"),
        ((80, 110, 50), "darkolivegreen", "green", "#556b2f"),
        ((128, 129, 127), "gray", "grey", "#808080"),
        ((200, 150, 110), "burlywood", "brown", "#deb887"),
        ((250, 162, 20), "orange", "orange", "#ffa500"),
    ],
)
def test_a_shade_without_a_name_is_told_as_its_nearest_that_has_one(rgb, name, plain, code):
    (found,) = colours(flat(*rgb))
    assert (found.name, found.plain, found.hex) == (name, plain, code)


def test_shares_are_of_the_pixels_and_the_commonest_colour_comes_first():
    scene = np.hstack([flat(255, 0, 0, width=40), flat(0, 0, 255, width=100), flat(255, 255, 255, width=60)])
    found = colours(scene)
    assert [colour.name for colour in found[:3]] == ["blue", "white", "red"]
    assert [colour.share for colour in found[:3]] == pytest.approx([50, 30, 20], abs=3)
    assert sum(colour.share for colour in found) <= 100 + 1e-9


@pytest.mark.parametrize("most", [0, 1, 2, 20])
def test_no_more_colours_are_told_than_asked_for(most):
    everything = colours(portrait(ASTRONAUT), 139)
    assert colours(portrait(ASTRONAUT), most) == everything[:most]
    assert len(everything) > 5


def test_what_covers_less_than_a_hundredth_is_not_told():
    scene = flat(0, 0, 0, height=1000, width=1000)
    scene[:80, :80] = (0, 255, 0)
    assert [colour.name for colour in colours(scene)] == ["black"]


def test_colours_of_a_scaled_copy_are_the_same():
    scene = portrait(HOPPER)
    small = {colour.name: colour.share for colour in colours(cv2.resize(scene, None, fx=0.5, fy=0.5))}
    large = {colour.name: colour.share for colour in colours(cv2.resize(scene, None, fx=2, fy=2))}
    assert small == pytest.approx(large, abs=3)


def test_black_is_dark_white_is_bright_and_neither_has_contrast_or_sharpness():
    black, white = look(flat(0, 0, 0)), look(flat(255, 255, 255))
    assert (black.brightness, black.sharpness, black.contrast) == (0, 0, 0)
    assert (white.brightness, white.sharpness, white.contrast) == (pytest.approx(100), 0, 0)


def test_half_black_half_white_is_all_the_contrast_there_is():
    scene = np.vstack([flat(0, 0, 0), flat(255, 255, 255)])
    assert look(scene).contrast == pytest.approx(100)
    assert look(scene).brightness == pytest.approx(50)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_blur_takes_sharpness_shade_brightness_and_fog_contrast(name):
    scene, plain = portrait(name), look(portrait(name))
    assert look(cv2.GaussianBlur(scene, (0, 0), 2)).sharpness < plain.sharpness - 20
    assert look((scene * 0.5).astype(np.uint8)).brightness == pytest.approx(plain.brightness / 2, rel=0.05)
    assert look((scene * 0.5 + 64).astype(np.uint8)).contrast == pytest.approx(plain.contrast / 2, rel=0.05)


def test_noise_is_as_sharp_as_it_gets():
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    assert look(noise).sharpness == 100


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (3, 40_000), (3000, 4000)])
def test_every_size_of_picture_can_be_looked_at(size):
    scene = np.zeros((*size, 3), np.uint8)
    assert [colour.name for colour in colours(scene)] == ["black"]
    assert look(scene).brightness == 0


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (Box(0.25, 0.5, 0.5, 0.25), (25, 100)),
        (Box(0.0, 0.0, 1.0, 1.0), (100, 200)),
        (Box(0.999, 0.999, 0.0, 0.0), (1, 1)),
        (Box(1.0, 1.0, 0.0, 0.0), (1, 1)),
    ],
)
def test_what_is_cut_out_is_what_lies_in_the_box_and_a_pixel_at_least(box, shape):
    scene = background(200, 100)
    part = cut(scene, box)
    assert part.shape[:2] == shape
    top, left = min(99, int(box.top * 100)), min(199, int(box.left * 200))
    assert (part[0, 0] == scene[top, left]).all()
