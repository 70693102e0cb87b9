"""What became of a photo whose call failed: an HTTP status, and a sentence where AWS's own says too little."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.answers import RefusedError
from dashboard.questions import Question
from pipeline.entities import Operation, S3Object
from pipeline.provider import Provider

# https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectFaces.html: what is wrong with the picture itself
_PICTURE_FAULTS = ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")
_S3_FAULT = "InvalidS3ObjectException"


def refusal_of(error: Mapping[str, str], question: Question, provider: Provider) -> RefusedError:
    """Return what to answer for a result that ended in an error."""
    code, message = error.get("Code", "Unknown"), error.get("Message", "").rstrip(".")
    if code == _S3_FAULT:
        return RefusedError(422, "PictureError", _about_s3(message, question, provider))
    if code in _PICTURE_FAULTS:
        return RefusedError(
            422, "PictureError", f"Rekognition refused the picture ({code}): {message}{_hint(message, question)}"
        )
    if code == "AccessDeniedException":
        message += f": the workers' credentials need the right to rekognition:{question.operation}"
    return RefusedError(502, code, f"the analysis failed ({code}): {message}")


def _hint(message: str, question: Question) -> str:
    """Say what AWS means with "Request has invalid parameters" when faces are compared."""
    is_cryptic = question.operation == Operation.COMPARE_FACES and "face" not in message.lower()
    return " (mostly this means that one of the two pictures shows no face)" if is_cryptic else ""


def _about_s3(message: str, question: Question, provider: Provider) -> str:
    places = " or ".join(str(picture) for picture in question.pictures if isinstance(picture, S3Object))
    if not provider.paid:  # the local server names the object and what to do
        return f"Rekognition cannot read it: {message}"
    return (
        f"Rekognition cannot read {places} ({message}): is the name right, does the bucket lie in {provider.region}, "
        "and may the workers' credentials read it (s3:GetObject)?"
    )
