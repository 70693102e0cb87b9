"""A net answers the same for a crop alone and among others; large inputs take turns, small ones do not wait for them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vision import nets
from vision.nets import BATCH, LARGE, Net

PIXELS = {"age": 64, "gender": 32, "expression": 112, "mesh": 192, "iris": 64, "embedding": 150}


@pytest.mark.parametrize("name", PIXELS)
def test_a_crop_has_the_same_answer_alone_and_in_a_batch(name):
    net, pixels = Net(name), PIXELS[name]
    crops = np.random.default_rng(1).integers(0, 255, (BATCH + 2, pixels, pixels, 3)).astype(np.uint8)
    together = net(crops)
    for index in (0, BATCH - 1, BATCH + 1):
        alone = net(crops[index : index + 1])
        assert all(np.allclose(one[0], many[index], rtol=1e-3, atol=1e-3) for one, many in zip(alone, together, strict=True))


@pytest.mark.parametrize(("name", "shares"), [("age", 81), ("gender", 2), ("expression", 7)])
def test_shares_add_up_to_one(name, shares):
    crops = np.random.default_rng(2).integers(0, 255, (3, PIXELS[name], PIXELS[name], 3)).astype(np.uint8)
    (answer,) = Net(name)(crops)
    assert answer.shape == (3, shares)
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-4)


def test_large_inputs_take_turns_and_small_ones_do_not_wait():
    net = Net("yunet")
    large, small = np.zeros((1, 640, 640, 3), np.uint8), np.zeros((1, 64, 64, 3), np.uint8)
    assert small.nbytes < LARGE < large.nbytes
    with ThreadPoolExecutor(1) as pool:
        with nets._one_at_a_time:
            waiting = pool.submit(net, large)
            for _ in range(200):
                net(small)
            assert not waiting.done()
        assert len(waiting.result()) == 3
