"""The lines of Python that ask Rekognition the same with boto3 alone, for people to copy."""

from __future__ import annotations

import json

from dashboard.questions import Question
from dashboard.uploads import Picture
from pipeline.entities import Operation, S3Object
from pipeline.errors import redact
from pipeline.provider import Provider

LOCAL_URL = "http://127.0.0.1:9000"  # where `rekstream local-rekognition` listens if it is not told otherwise

_METHODS = {
    Operation.DETECT_FACES: ("detect_faces", "FaceDetails"),
    Operation.DETECT_LABELS: ("detect_labels", "Labels"),
    Operation.COMPARE_FACES: ("compare_faces", "FaceMatches"),
}
_FILES = {"Image": "photo.jpg", "SourceImage": "source.jpg", "TargetImage": "target.jpg"}


def boto_lines(question: Question, provider: Provider, *, reduced: bool) -> str:
    """Return a program for `question`; files have names to be replaced, passwords of an endpoint are hidden.

    `reduced` tells that what was sent is smaller than what people have in their files.
    """
    method, answer = _METHODS[question.operation]
    note = ["# for pictures of at most 5,242,880 bytes; what was sent here was made smaller first"] if reduced else []
    return "\n".join(
        [
            *_imports(question),
            *_client(provider),
            *note,
            f"response = rekognition.{method}(",
            *(f"    {argument}," for argument in _arguments(question)),
            ")",
            f'print(response["{answer}"])',
            "",
        ]
    )


def _imports(question: Question) -> list[str]:
    is_on_disk = not all(isinstance(picture, S3Object) for picture in question.pictures)
    return [*(["from pathlib import Path", ""] if is_on_disk else []), "import boto3", ""]


def _client(provider: Provider) -> list[str]:
    """Return the line that makes the client; the local server takes any credentials, and boto3 wants some."""
    arguments = ['"rekognition"', f"region_name={_quoted(provider.region)}"]
    url = provider.endpoint_url or (LOCAL_URL if provider.name == "local" else None)
    if url:
        arguments.append(f"endpoint_url={_quoted(redact(url))}")
    if provider.name == "local":
        arguments += ['aws_access_key_id="local"', 'aws_secret_access_key="local"']
    return ["rekognition = boto3.client(", *(f"    {argument}," for argument in arguments), ")"]


def _arguments(question: Question) -> list[str]:
    names = ("SourceImage", "TargetImage") if question.operation == Operation.COMPARE_FACES else ("Image",)
    pictures = [f"{name}={_image(name, picture)}" for name, picture in zip(names, question.pictures, strict=True)]
    attributes = [f"Attributes={json.dumps(question.attributes)}"] if question.attributes else []
    return [*pictures, *attributes, *(f"{name}={value:g}" for name, value in question.options.items())]


def _image(name: str, picture: Picture) -> str:
    if not isinstance(picture, S3Object):
        return f'{{"Bytes": Path("{_FILES[name]}").read_bytes()}}'
    version = f', "Version": {_quoted(picture.version)}' if picture.version else ""
    return f'{{"S3Object": {{"Bucket": {_quoted(picture.bucket)}, "Name": {_quoted(picture.name)}{version}}}}}'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
