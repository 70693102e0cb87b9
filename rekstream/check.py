"""`rekstream camera check`: the source itself is asked, and the local detector says how large the faces in it are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.camera_spec import check_url
from pipeline.settings import Settings
from producer.checks import CheckSettings
from producer.probe import FindFaces, check
from producer.sources.base import Image
from rekstream.local import DEMO_FOLDER


def check_camera(url: str, settings: Settings) -> str:
    """Return one sentence about a source that works; raises CameraError with one about what is wrong."""
    return check(check_url(url), faces=find_faces(settings.detector_side), demo_folder=DEMO_FOLDER).sentence


def check_settings(settings: Settings) -> CheckSettings:
    """Return how the producer checks sources; the detector is loaded by the process of a check only."""
    return CheckSettings(partial(find_faces, settings.detector_side), DEMO_FOLDER, privacy=settings.privacy)


def find_faces(detector_side: int | None) -> FindFaces:
    """Load the local detector and return what tells the heights of the faces in a picture."""
    from vision.detector import DetectorSettings  # noqa: PLC0415  # the producer itself never needs onnxruntime
    from vision.faces import FaceEngine  # noqa: PLC0415  # nor this

    engine = FaceEngine(DetectorSettings(side=detector_side))

    def heights(rgb: Image) -> Sequence[int]:
        return [round(box.height * rgb.shape[0]) for box in engine.detect(rgb)]

    return heights
