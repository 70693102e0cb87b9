"""`rekstream photo`: the one-shot. Bytes or an S3 object in, Rekognition's full response out, with nothing else running."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer

from dashboard.pictures import check
from pipeline.errors import PictureError, ProviderError, SettingsError
from pipeline.provider import Provider
from pipeline.settings import Settings, parse_attributes
from rekognition_local.server import Server, ServerSettings
from rekstream.outputs import check_outputs
from rekstream.words import face_in_words
from vision.detector import DetectorSettings
from vision.pictures import decode
from workers.rekognition import BotoRekognition, CallFailed

S3 = "s3://"
_PICTURES = frozenset({".jpg", ".jpeg", ".png"})
_GREEN = (60, 200, 60)


def analyse_photos(names: list[str], settings: Settings, *, as_json: bool, save: Path | None) -> int:
    """Analyse each picture and print what was found; return 0, or 2 when one of them could not be analysed."""
    if save is not None and len(names) > 1:
        raise SettingsError(f"--save {save} takes the boxes of one picture, and {len(names)} are named: name one")
    check_outputs({"--save": save}, names)
    if save is not None and save.suffix.lower() not in _PICTURES:
        raise SettingsError(f"--save {save} has no ending of a picture: name it .jpg or .png")
    attributes = parse_attributes(settings.attributes)
    worst = 0
    with _rekognition(settings) as rekognition:
        for name in names:
            try:
                _analyse(name, rekognition, attributes, as_json=as_json, save=save)
            except PictureError as error:
                typer.echo(f"error: {error}", err=True)
                worst = 2
    return worst


def _analyse(name: str, rekognition: BotoRekognition, attributes: tuple[str, ...], *, as_json: bool, save: Path | None) -> None:
    image = _image(name)
    started = time.monotonic()
    try:
        response = rekognition.detect_faces_of(image, attributes).response
    except CallFailed as failure:
        if failure.kind in ("denied", "connection", "timeout"):
            raise ProviderError(f"{name} was not analysed ({failure}): {failure.advice}") from failure
        raise PictureError(f"{name} was not analysed: {failure.message.rstrip('.')} ({failure.code})") from failure
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps({"file": name, "seconds": round(seconds, 4), **response}, indent=2))
    else:
        typer.echo(_summary(name, response["FaceDetails"], seconds))
    if save is not None:
        _save(image, response["FaceDetails"], save)


def _image(name: str) -> dict[str, Any]:
    """Return the picture as Rekognition's Image: the bytes of a file, or the place of an S3 object."""
    if name.startswith(S3):
        bucket, _, key = name.removeprefix(S3).partition("/")
        if not bucket or not key:
            raise PictureError(f"{name!r} names no S3 object: write s3://bucket/key")
        return {"S3Object": {"Bucket": bucket, "Name": key}}
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {error.strerror}") from error
    try:
        return {"Bytes": check(data).data}
    except PictureError as error:
        raise PictureError(f"{name} cannot be analysed: {error}") from error


@contextmanager
def _rekognition(settings: Settings) -> Iterator[BotoRekognition]:
    """Return who answers: AWS or another endpoint if it was asked for, else a local server for as long as this lasts."""
    if settings.provider == "aws" or settings.endpoint_url:
        yield _client(Provider.of(settings), settings)
        return
    detector = DetectorSettings(side=settings.detector_side)
    with Server(ServerSettings(s3_endpoint_url=settings.s3_endpoint_url, detector=detector)) as server:
        yield _client(Provider.of(settings, server.url), settings)


def _client(provider: Provider, settings: Settings) -> BotoRekognition:
    return BotoRekognition(provider, 1, settings.connect_timeout, settings.read_timeout)


def _summary(name: str, faces: list[Mapping[str, Any]], seconds: float) -> str:
    count = "no face" if not faces else "1 face" if len(faces) == 1 else f"{len(faces)} faces"
    lines = [f"{name}: {count}, {seconds:.2f} s"]
    return "\n".join(lines + [f"  {number}. {face_in_words(face)}" for number, face in enumerate(faces, 1)])


def _save(image: Mapping[str, Any], faces: list[Mapping[str, Any]], path: Path) -> None:
    """Write the picture with a box around each face."""
    if "Bytes" not in image:
        raise SettingsError(f"--save {path} needs the picture itself, and it lies on S3: fetch it first")
    picture = np.ascontiguousarray(decode(image["Bytes"])[:, :, ::-1])
    height, width = picture.shape[:2]
    line = max(2, round(max(height, width) / 400))
    for face in faces:
        box = face["BoundingBox"]
        left, top = round(box["Left"] * width), round(box["Top"] * height)
        right, bottom = left + round(box["Width"] * width), top + round(box["Height"] * height)
        cv2.rectangle(picture, (left, top), (right, bottom), _GREEN, line)
        cv2.putText(
            picture,
            face_in_words(face),
            (left, max(12, top - 3 * line)),
            cv2.FONT_HERSHEY_SIMPLEX,
            line / 4,
            _GREEN,
            line // 2 or 1,
        )
    try:
        written = cv2.imwrite(str(path), picture)
    except cv2.error:
        written = False
    if not written:
        raise SettingsError(
            f"the picture cannot be written to {path}: use an existing folder and a name that ends in .jpg or .png"
        )
