"""vision's faces as Rekognition's members (API_FaceDetail); what vision did not answer is left out."""

from collections.abc import Mapping

from rekognition_local.protocol import Response
from vision.entities import Answer, Box, Face, Pose

_FRACTION_DIGITS = 7  # what a 32-bit float holds, as AWS sends
_PERCENT_DIGITS = 5


def place(box: Box) -> Response:
    """Return a BoundingBox."""
    return _fractions(Width=box.width, Height=box.height, Left=box.left, Top=box.top)


def percent(value: float) -> float:
    """Return a percentage with as many digits as a 32-bit float holds."""
    return round(float(value), _PERCENT_DIGITS)


def face_detail(face: Face) -> Response:
    """Return a FaceDetail; of a face read with the default attributes that is a ComparedFace too."""
    return {
        "BoundingBox": place(face.box),
        "Quality": _percents(Brightness=face.quality.brightness, Sharpness=face.quality.sharpness),
        "Confidence": percent(face.confidence),
        **_found(
            Landmarks=[{"Type": point.name, **_fractions(X=point.x, Y=point.y)} for point in face.landmarks],
            Pose=_pose(face.pose),
            AgeRange=face.age and {"Low": face.age.low, "High": face.age.high},
            Gender=face.gender and {"Value": face.gender.value, **_percents(Confidence=face.gender.confidence)},
            Smile=_answer(face.smile),
            EyesOpen=_answer(face.eyes_open),
            MouthOpen=_answer(face.mouth_open),
            Emotions=[{"Type": one.name, **_percents(Confidence=one.confidence)} for one in face.emotions],
        ),
    }


def _found(**members: object) -> dict[str, object]:
    return {name: member for name, member in members.items() if member}


def _pose(pose: Pose | None) -> Mapping[str, float] | None:
    return _percents(Roll=pose.roll, Yaw=pose.yaw, Pitch=pose.pitch) if pose else None


def _answer(answer: Answer | None) -> Mapping[str, object] | None:
    return {"Value": answer.value, **_percents(Confidence=answer.confidence)} if answer else None


def _fractions(**members: float) -> dict[str, float]:
    return {name: round(member, _FRACTION_DIGITS) for name, member in members.items()}


def _percents(**members: float) -> dict[str, float]:
    return {name: percent(member) for name, member in members.items()}
