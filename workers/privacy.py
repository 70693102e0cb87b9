"""What is kept of a picture where faces are to be made unrecognisable, or none may be kept at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pipeline.entities import Frame, Operation, Purpose
from pipeline.keys import is_derived
from pipeline.shared import Privacy

log = logging.getLogger(__name__)

NOTHING = b""


def kept_instead(privacy: Privacy, purpose: Purpose, frame: Frame, response: Mapping[str, Any]) -> bytes | None:
    """Return what is kept instead of the frame's own picture: None for no change, NOTHING for none at all.

    Only where the answer says where the faces are can they be covered; of anything else, and when covering fails, nothing
    is kept. Of a camera whose purpose keeps no pictures nothing is, nor of what was derived from a frame, which is kept itself.
    """
    if not purpose.keeps_pictures or is_derived(frame.camera):
        return NOTHING
    if not privacy.is_on:
        return None
    if frame.operation != Operation.DETECT_FACES or not frame.jpeg:
        return NOTHING
    return _disguised(frame, response)


def _disguised(frame: Frame, response: Mapping[str, Any]) -> bytes:
    from vision.disguise import disguise  # noqa: PLC0415  # only in this mode does a worker need OpenCV

    try:
        boxes = [face["BoundingBox"] for face in response["FaceDetails"]]
        places = [(box["Left"], box["Top"], box["Width"], box["Height"]) for box in boxes]
        return disguise(frame.jpeg, places)
    except (KeyError, TypeError, ValueError) as error:  # vision's PictureError is a ValueError
        log.warning("a picture of %s is not kept, its faces could not be covered: %s", frame.camera, error)
        return NOTHING
