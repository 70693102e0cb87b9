"""The clips are what they say they are: other tests lean on their truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import CLIPS, FPS, FULL_HD, HD, write_video
from vision.faces import FaceEngine


@pytest.mark.parametrize(("name", "at"), [("two", 3.0), ("crossing", 2.0), ("turning", 1.2), ("dark", 5.0), ("poster", 4.0)])
def test_faces_are_where_the_truth_says(name: str, at: float) -> None:
    shot = CLIPS[name].shot(at)
    found = FaceEngine().detect(shot.rgb)
    assert len(found) == len(shot.faces)
    for face in shot.faces:
        assert any(
            abs(box.left + box.width / 2 - face.box.left - face.box.width / 2) < face.box.width / 4
            and abs(box.top + box.height / 2 - face.box.top - face.box.height / 2) < face.box.height / 4
            for box in found
        )


def test_a_clip_is_the_same_each_time_and_at_any_rate() -> None:
    clip = CLIPS["crossing"]
    slow = {shot.at: shot for shot in replace(clip, seconds=1).film(HD, fps=2)}
    assert np.array_equal(slow[0.5].rgb, clip.shot(0.5).rgb)
    assert slow[0.5].faces == clip.faces(0.5)


def test_whoever_is_behind_is_hidden() -> None:
    faces = [CLIPS["crossing"].faces(at) for at in np.arange(0, 7, 0.1)]
    assert max(face.hidden for both in faces if len(both) == 2 for face in both[:1]) > 0.9
    assert all(both[1].hidden == 0 for both in faces if len(both) == 2 and 0.2 < both[1].box.left < 0.7)


def test_a_far_face_has_40_pixels_of_1080() -> None:
    assert CLIPS["far"].faces(3, FULL_HD)[0].box.height * 1080 == pytest.approx(43, abs=1)


def test_a_clip_can_be_written_as_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", replace(CLIPS["crossing"], seconds=0.4), HD)
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 0.4 * FPS
    truth = CLIPS["crossing"].shot(0.2).rgb
    assert np.abs(pictures[5].astype(int) - truth).mean() < 6
