"""The quality bar of `QualityFilter`: which faces are too small, dark, blurred or turned to be compared with others.

AWS does not publish where its bars lie; these are ours, set by what the embedding was measured to tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from vision.entities import Face, Rgb

DEFAULT_WHEN_INDEXED, DEFAULT_WHEN_SEARCHED = "AUTO", "NONE"

_NO_VECTOR = "LOW_FACE_QUALITY"


@dataclass(frozen=True, slots=True)
class Bar:
    """The least a face must have: `confidence` in percent, `pixels` of height, brightness and sharpness of 0 to 100.

    `degrees` is the most that it may be turned away, by yaw or pitch.
    """

    confidence: float = 0
    pixels: float = 0
    brightness: float = 0
    sharpness: float = 0
    degrees: float = 180

    def reasons(self, face: Face, height: float) -> list[str]:
        """Return Rekognition's names for what keeps a face that is `height` pixels tall below this bar."""
        seen = face.quality
        turned = max(abs(face.pose.yaw), abs(face.pose.pitch)) if face.pose else 0.0
        failed = {
            "LOW_CONFIDENCE": face.confidence < self.confidence,
            "SMALL_BOUNDING_BOX": height < self.pixels,
            "LOW_BRIGHTNESS": seen.brightness < self.brightness,
            "LOW_SHARPNESS": seen.sharpness < self.sharpness,
            "EXTREME_POSE": turned > self.degrees,
            _NO_VECTOR: face.vector is None,
        }
        return [name for name, is_so in failed.items() if is_so]


# What blur and smallness do to a vector shows in the sharpness: faces of 36 people, of 24 to 120 pixels, sharp or blurred, lie
# this far from their own sharp picture (75 % of them; .60 is the line between two people):
# sharpness 17: .61   20: .53   25: .39   30: .33   38: .26   50: .20
_LOW = Bar(confidence=75, pixels=20, brightness=3, sharpness=20, degrees=60)
BARS = {
    "NONE": Bar(),
    "AUTO": _LOW,
    "LOW": _LOW,
    "MEDIUM": Bar(confidence=80, pixels=32, brightness=15, sharpness=25, degrees=45),
    "HIGH": Bar(confidence=85, pixels=48, brightness=25, sharpness=35, degrees=30),
}


def judged(faces: list[Face], picture: Rgb, bar: str) -> list[tuple[Face, list[str]]]:
    """Return each face with what keeps it below the bar: nothing, where it clears it.

    A face in which no landmarks are found has no vector and clears none, not even NONE: it cannot be compared.
    """
    return [(face, BARS[bar].reasons(face, face.box.height * picture.shape[0])) for face in faces]
