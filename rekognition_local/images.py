"""The `Image` of a request to an RGB picture: bytes, or an object in S3, within AWS's limits.

Limits and formats: AWS's page "Guidelines and quotas in Amazon Rekognition".
"""

import hashlib
import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import SettingsError, redact
from rekognition_local.protocol import ServiceError, invalid_parameter
from vision.entities import Rgb
from vision.pictures import PictureError, PictureTooLargeError, decode, inspect

MAX_BYTES = 5_242_880
MAX_S3_BYTES = 15 * 1024 * 1024
MIN_SIDE = 80

_LONGEST_PATH = 300

IMAGE_MEMBERS = frozenset({"Image", "SourceImage", "TargetImage"})
"""The members of requests that are images."""

_S3_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"max_attempts": 2},
    s3={"addressing_style": "path"},  # an S3 of one's own has no host name for each bucket
)


class ImageLoader:
    """Loads images; S3 objects only when an endpoint for S3 was set, because nothing here may reach AWS unasked."""

    def __init__(self, s3_endpoint_url: str | None = None) -> None:
        if s3_endpoint_url is not None and not _is_url(s3_endpoint_url):
            raise SettingsError(f"the S3 endpoint {redact(s3_endpoint_url)!r} is no URL: write http://localhost:9000")
        self._s3_endpoint_url = s3_endpoint_url

    def fetched(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's parameters with the bytes of its S3 objects beside their names: waiting for S3 needs no core."""
        return {name: self._fetched(name, value) if name in IMAGE_MEMBERS else value for name, value in params.items()}

    def _fetched(self, name: str, image: Mapping[str, Any]) -> Mapping[str, Any]:
        if ("Bytes" in image) == ("S3Object" in image):
            raise invalid_parameter(f"{name} must have Bytes or S3Object, one of the two")
        return image if "Bytes" in image else {**image, "Bytes": self._fetch(name, image["S3Object"])}

    def _fetch(self, name: str, place: Mapping[str, str]) -> bytes:
        if "Bucket" not in place or "Name" not in place:
            raise invalid_parameter(f"{name}.S3Object must have Bucket and Name")
        shown = f"s3://{place['Bucket']}/{place['Name']}"
        if self._s3_endpoint_url is None:
            raise ServiceError(
                "InvalidS3ObjectException",
                f"{shown} cannot be read: this local server has no S3 endpoint; "
                "name one with --s3-endpoint-url or REKSTREAM_S3_ENDPOINT_URL, or send the picture as Bytes",
            )
        version = {"VersionId": place["Version"]} if "Version" in place else {}
        try:
            answer = self._s3.get_object(Bucket=place["Bucket"], Key=place["Name"], **version)
            with answer["Body"] as body:
                return bytes(body.read(MAX_S3_BYTES + 1))
        except (ClientError, BotoCoreError) as error:
            raise ServiceError(
                "InvalidS3ObjectException", f"{shown} cannot be read from {self._s3_endpoint_url}: {error}"
            ) from error

    @cached_property
    def _s3(self) -> Any:  # no types of S3 are installed
        session = boto3.session.Session(region_name="us-east-1")
        if session.get_credentials() is None:  # an endpoint of one's own may want none
            session = boto3.session.Session("local", "local", region_name="us-east-1")
        return session.client("s3", endpoint_url=self._s3_endpoint_url, config=_S3_CONFIG)


def picture_of(image: Mapping[str, Any]) -> Rgb:
    """Return the picture of an image member whose bytes are there; a ServiceError says what is wrong with it."""
    return read_picture(image["Bytes"], MAX_S3_BYTES if "S3Object" in image else MAX_BYTES)


def image_id(image: Mapping[str, Any], salt: str) -> str:
    """Return an ImageId: the same for the same bytes and salt, and nothing of the picture can be read from it."""
    return str(uuid.UUID(bytes=hashlib.sha256(salt.encode() + b"/" + image["Bytes"]).digest()[:16]))


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def read_picture(data: bytes, max_bytes: int) -> Rgb:
    """Return the RGB picture in a JPEG or PNG of at most `max_bytes`, each side at least MIN_SIDE pixels."""
    if len(data) > max_bytes:
        raise ServiceError("ImageTooLargeException", f"the image has {len(data)} bytes; the most is {max_bytes}")
    try:
        info = inspect(data)
        if min(info.width, info.height) < MIN_SIDE:
            raise invalid_parameter(
                f"the image is {info.width} x {info.height} pixels; each side must have at least {MIN_SIDE}"
            )
        return decode(data)
    except PictureTooLargeError as error:
        raise ServiceError("ImageTooLargeException", str(error)) from error
    except PictureError as error:
        hint = "; with the AWS command line write fileb://photo.jpg" if len(data) <= _LONGEST_PATH and data.isascii() else ""
        raise ServiceError("InvalidImageFormatException", f"{error}{hint}") from error
