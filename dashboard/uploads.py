"""The ways in which photos may be sent: a form, the bytes themselves, JSON with data URLs, or the name of an S3 object."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from dashboard.guard import PHOTO_BYTES
from pipeline.entities import S3Object
from pipeline.errors import SettingsError

Picture = bytes | S3Object

S3 = "s3://"
MOST_FILES = 20
_BUCKET = re.compile(r"[0-9A-Za-z._-]{3,255}")
_LONGEST_KEY = 1024  # bytes of UTF-8

_SAY = (
    'send multipart/form-data with a file `image`, the bytes themselves, JSON {"image": "data:image/jpeg;base64,…"}, '
    'or JSON {"s3": "s3://bucket/key"}'
)
_SAY_SOME = (
    "send multipart/form-data with files `image`, the bytes of one picture, "
    'or JSON {"image": "data:image/jpeg;base64,…"} or {"images": […]}'
)
_SAY_TWO = (
    "send multipart/form-data with the files `source` and `target`, or JSON with both, "
    'each as "data:image/jpeg;base64,…" or "s3://bucket/key"'
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture, or source and target, as they were sent, unchecked; `asked` holds the other members by name."""

    pictures: tuple[Picture, ...]
    asked: Mapping[str, object] = field(default_factory=dict)


async def read_one(request: Request) -> Upload:
    """Take one picture, and what else is said, out of a request; raises SettingsError."""
    members = await _members(request, _SAY)
    if isinstance(members, bytes):
        return Upload((members,), request.query_params)
    return Upload((_one(members),), _asked(request, members))


async def read_two(request: Request) -> Upload:
    """Take the pictures `source` and `target`, and what else is said, out of a request; raises SettingsError."""
    members = await _members(request, _SAY_TWO)
    if isinstance(members, bytes):
        raise SettingsError(f"two pictures are compared, and one came: {_SAY_TWO}")
    pictures = tuple(_picture(name, members.get(name), members.get(f"{name}_version"), _SAY_TWO) for name in _TWO)
    return Upload(pictures, _asked(request, members))


async def read_some(request: Request) -> Upload:
    """Take any number of pictures, none too, and what else is said, out of a request; raises SettingsError."""
    members = await _members(request, _SAY_SOME)
    if isinstance(members, bytes):
        return Upload((members,) if members else (), request.query_params)
    sent = members.pop("images", None) or [value for value in (members.pop("image", None),) if value]
    if not isinstance(sent, list):
        raise SettingsError(f"`images` is no list: {_SAY_SOME}")
    files = [value for value in members.values() if isinstance(value, bytes)]
    pictures = [_picture("image", value, None, _SAY_SOME) for value in (*sent, *files)]
    if any(isinstance(picture, S3Object) for picture in pictures):
        raise SettingsError(f"pictures that lie on S3 are not enrolled: {_SAY_SOME}")
    return Upload(tuple(pictures), _asked(request, members))


async def _members(request: Request, say: str) -> dict[str, object] | bytes:
    """Return the fields of a form or the members of a JSON object, or the bytes of a body that is neither."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _of_form(request, say)
    body = await request.body()
    return _of_json(body, say) if kind == "application/json" else body


async def _of_form(request: Request, say: str) -> dict[str, object]:
    parser = MultiPartParser(request.headers, request.stream(), max_files=MOST_FILES, max_fields=12, max_part_size=PHOTO_BYTES)
    parser.spool_max_size = 2 * PHOTO_BYTES + 1  # never onto the disk: it is a picture of people
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise SettingsError(f"the form cannot be read ({getattr(error, 'message', error)}): {say}") from error
    return await _fields(form)


async def _fields(form: FormData) -> dict[str, object]:
    found: dict[str, object] = {}
    for number, (name, value) in enumerate(form.multi_items()):
        if isinstance(value, UploadFile):
            found[name if name not in found else f"{name} {number}"] = await value.read()  # several files of one name
        else:
            found[name] = value
    await form.close()
    return found


def _of_json(body: bytes, say: str) -> dict[str, object]:
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"the body is no JSON ({error}): {say}") from error
    if not isinstance(members, dict):
        raise SettingsError(f"the JSON is no object: {say}")
    return members


def _one(members: Mapping[str, object]) -> Picture:
    """Return the S3 object, the member `image`, or a form's file of any name."""
    if members.get("s3") is not None:
        return _object(members["s3"], members.get("version"))
    file = next((value for value in members.values() if isinstance(value, bytes)), None)
    return _picture("image", members.get("image", file), members.get("version"), _SAY)


def _picture(name: str, value: object, version: object, say: str) -> Picture:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not value:
        raise SettingsError(f"there is no picture `{name}`: {say}")
    if value.startswith(S3):
        return _object(value, version)
    try:
        return base64.b64decode(value.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingsError(f"{name} {value[:40]!r}… is not base64 ({error}): {say}") from error


def _object(url: object, version: object) -> S3Object:
    bucket, _, key = str(url).removeprefix(S3).partition("/")
    if not str(url).startswith(S3) or not _BUCKET.fullmatch(bucket) or not key.strip() or not _is_short(key):
        raise SettingsError(f"{str(url)[:200]!r} names no S3 object: write s3://bucket/key")
    if version is not None and (not isinstance(version, str) or not _is_short(version)):
        raise SettingsError(f"version {str(version)[:40]!r} is no version of an S3 object: leave it out for the newest")
    return S3Object(bucket, key, version or "")


def _is_short(text: str) -> bool:
    """Say whether S3 takes this as a key's length; what is no text at all (half a surrogate pair) it does not take."""
    try:
        return len(text.encode()) <= _LONGEST_KEY
    except UnicodeEncodeError:
        return False


def _asked(request: Request, members: Mapping[str, object]) -> dict[str, object]:
    """Return what is said beside the pictures; a member of the body goes before one of the query."""
    return {**request.query_params, **{name: value for name, value in members.items() if not isinstance(value, bytes)}}


_FILE = {"type": "string", "format": "binary"}
_ONE = {
    "image": {"type": "string"},
    "s3": {"type": "string", "example": "s3://bucket/photo.jpg"},
    "version": {"type": "string"},
}
_TWO = {"source": {"type": "string"}, "target": {"type": "string"}}


def openapi_of_one(options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Describe a route that takes one picture and these options."""
    form = {"type": "object", "properties": {"image": _FILE, **options}}
    content = {
        "multipart/form-data": {"schema": form},
        "image/jpeg": {"schema": _FILE},
        "image/png": {"schema": _FILE},
        "application/json": {"schema": {"type": "object", "properties": {**_ONE, **options}}},
    }
    return _openapi(content, options)


def openapi_of_two(options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Describe a route that takes two pictures and these options."""
    form = {"type": "object", "properties": {"source": _FILE, "target": _FILE, **options}}
    members = {"type": "object", "properties": {**_TWO, **options}}
    return _openapi({"multipart/form-data": {"schema": form}, "application/json": {"schema": members}}, options)


def _openapi(content: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in options.items()]
    return {"parameters": parameters, "requestBody": {"content": dict(content)}}
