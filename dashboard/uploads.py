"""The three ways in which a photo may be sent."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.guard import PHOTO_BYTES
from pipeline.errors import SettingsError
from pipeline.settings import parse_attributes

_SAY = 'send multipart/form-data with a file `image`, the bytes themselves, or JSON {"image": "data:image/jpeg;base64,…"}'

_PICTURE = {"type": "string", "format": "binary"}
_ATTRIBUTES = {"type": "string", "example": "smile,emotions"}
OPENAPI: dict[str, Any] = {
    "parameters": [{"name": "attributes", "in": "query", "schema": _ATTRIBUTES}],
    "requestBody": {
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": {"image": _PICTURE, "attributes": _ATTRIBUTES}}},
            "image/jpeg": {"schema": _PICTURE},
            "image/png": {"schema": _PICTURE},
            "application/json": {
                "schema": {"type": "object", "properties": {"image": {"type": "string"}, "attributes": _ATTRIBUTES}}
            },
        }
    },
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it was sent, unchecked, and the attributes asked for by Rekognition's names."""

    data: bytes
    attributes: tuple[str, ...]


async def read(request: Request) -> Upload:
    """Take the picture and the attributes (form field, JSON member or query; all by default) out of a request.

    Raises SettingsError.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    asked = request.query_params.get("attributes")
    if kind == "multipart/form-data":
        data, named = await _of_form(request)
    elif kind == "application/json":
        data, named = _of_json(await request.body())
    else:
        data, named = await request.body(), None
    return Upload(data, _attributes(named if named is not None else asked))


async def _of_form(request: Request) -> tuple[bytes, object]:
    try:
        async with request.form(max_files=4, max_fields=8, max_part_size=PHOTO_BYTES) as form:
            file = _file_of(form)
            return await file.read(), form.get("attributes")
    except (HTTPException, KeyError) as error:  # Starlette turns every fault of a form into the former
        raise SettingsError(f"the form cannot be read ({getattr(error, 'detail', error)}): {_SAY}") from error


def _file_of(form: FormData) -> UploadFile:
    files = [value for value in (form.get("image"), *form.values()) if isinstance(value, UploadFile)]
    if not files:
        raise SettingsError(f"the form with the fields {', '.join(form) or 'none'} holds no file: {_SAY}")
    return files[0]


def _of_json(body: bytes) -> tuple[bytes, object]:
    try:
        members = json.loads(body)
    except ValueError as error:
        raise SettingsError(f"the body is no JSON ({error}): {_SAY}") from error
    image = members.get("image") if isinstance(members, dict) else None
    if not isinstance(image, str):
        raise SettingsError(f"the JSON has no string `image`: {_SAY}")
    try:
        return base64.b64decode(image.rpartition(",")[2], validate=True), members.get("attributes")
    except (binascii.Error, ValueError) as error:
        raise SettingsError(f"image {image[:40]!r}… is not base64 ({error}): {_SAY}") from error


def _attributes(named: object) -> tuple[str, ...]:
    if named is None or named == "":
        return ("ALL",)
    is_list = isinstance(named, list) and all(isinstance(name, str) for name in named)
    if not isinstance(named, str) and not is_list:
        raise SettingsError(f"attributes {named!r} are not names: write all, default, or for example smile,emotions")
    try:
        return parse_attributes(named)  # type: ignore[arg-type]  # a string or a list of strings, as just checked
    except ValueError as error:
        raise SettingsError(f"attributes {named!r}: {error}") from error
