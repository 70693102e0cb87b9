"""`rekstream camera check`: the source itself is asked, and the local detector says how large the faces in it are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.camera_spec import check_url
from pipeline.settings import Settings
from producer.probe import check
from rekstream.local import DEMO_FOLDER
from vision.detector import DetectorSettings
from vision.faces import FaceEngine


def check_camera(url: str, settings: Settings) -> str:
    """Return one sentence about a source that works; raises CameraError with one about what is wrong."""
    engine = FaceEngine(DetectorSettings(side=settings.detector_side))

    def face_heights(rgb: NDArray[np.uint8]) -> list[int]:
        height = rgb.shape[0]
        return [round(box.height * height) for box in engine.detect(rgb)]

    return check(check_url(url), faces=face_heights, demo_folder=DEMO_FOLDER).sentence
