"""A camera as people write it (a flag, a line of rekstream.yml, JSON of the API), checked once and in one place."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from pipeline.entities import Camera, Policy
from pipeline.errors import SettingsError, UnsupportedSource, redact
from pipeline.settings import check_fps, parse_attributes

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
DEMO = "demo"
_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
_SCHEME = re.compile(r"^(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://")
_WEBCAM = re.compile(r"^(?:webcam|\d{1,3}|/dev/video\d+)$")
_LONGEST_URL = 2000
_LONGEST_SLUG = 32


@dataclass(frozen=True, slots=True)
class CameraDefaults:
    """What a camera gets where it says nothing itself."""

    fps: float
    attributes: tuple[str, ...]


def camera_of(camera_id: str, members: Mapping[str, Any], defaults: CameraDefaults) -> Camera:
    """Return the camera that these members describe; raises SettingsError with the value and what to do."""
    url = check_url(members.get("url"))
    preview = members.get("preview_url")
    return Camera(
        id=check_id(camera_id),
        url=url,
        fps=_fps(members.get("fps"), defaults.fps),
        attributes=_attributes(members.get("attributes"), defaults.attributes),
        policy=_policy(members.get("policy"), url),
        preview_url=None if preview is None else check_url(preview),
        paused=_flag("paused", members.get("paused", False)),
    )


def check_id(camera_id: str) -> str:
    """Return a camera's id if it may be one; raises SettingsError."""
    if not _ID.match(camera_id):
        raise SettingsError(
            f"camera id {camera_id!r} cannot be used: write up to 40 of a-z, 0-9, _ and -, beginning with a letter or digit"
        )
    return camera_id


def check_url(url: Any) -> str:
    """Return what names a source if its form can be understood; whether anything is there shows when it is opened."""
    text = str(url).strip() if isinstance(url, str | int) and not isinstance(url, bool) else ""
    if not text or len(text) > _LONGEST_URL or "\0" in text:
        raise SettingsError(f"url {redact(str(url))[:80]!r} names no source: write for example rtsp://10.0.0.7/stream1")
    scheme = _SCHEME.match(text)
    if scheme and scheme["scheme"].lower() not in (*STREAM_SCHEMES, "file"):
        raise UnsupportedSource(
            f"{redact(text)} cannot be read: there is no source for {scheme['scheme']}://; "
            "use rtsp://, rtsps://, http://, https://, a file, a folder of pictures, a webcam (0) or demo"
        )
    if scheme and scheme["scheme"].lower() in STREAM_SCHEMES:
        _check_host(text)
    return text


def is_file(url: str) -> bool:
    """Say whether a source is a file or folder, which is read once, every sampled frame of it."""
    if url == DEMO or _WEBCAM.match(url):
        return False
    scheme = _SCHEME.match(url)
    return scheme is None or scheme["scheme"].lower() == "file"


def new_id(url: str, taken: Container[str]) -> str:
    """Return an id for a source, made from its host and path, that is not taken: two equal URLs are two cameras."""
    slug = _slug(url)
    if slug not in taken:
        return slug
    return next(name for name in (f"{slug}-{number}" for number in range(2, 10_000)) if name not in taken)


def _slug(url: str) -> str:
    if url == DEMO:
        return DEMO
    if _WEBCAM.match(url):
        return "webcam-" + (re.sub(r"\D", "", url) or "0")
    parts = urlsplit(url) if _SCHEME.match(url) and not is_file(url) else None
    text = f"{parts.hostname or ''}{parts.path}" if parts else PurePath(url.removeprefix("file://")).stem
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_SLUG].strip("-") or "camera"


def _check_host(url: str) -> None:
    try:
        parts = urlsplit(url)
        found = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        found = False
    if not found:
        raise SettingsError(f"url {redact(url)!r} names no host: write for example rtsp://10.0.0.7:554/stream1")


def _fps(value: Any, default: float) -> float:
    if value is None:
        return default
    try:
        return check_fps(float(value))
    except (TypeError, ValueError) as error:
        reason = str(error) if "between" in str(error) else "frames a second are a number"
        raise SettingsError(f"fps {value!r} cannot be used: {reason}, for example 5") from error


def _attributes(value: Any, default: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return default
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise SettingsError(f"attributes {value!r} cannot be used: write all, default, or for example [smile, emotions]")
    try:
        return parse_attributes(value)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _policy(value: Any, url: str) -> Policy:
    if value is None:
        return Policy.EVERY if is_file(url) else Policy.LATEST
    try:
        return Policy(value)
    except ValueError as error:
        raise SettingsError(f"policy {value!r} cannot be used: write latest (newest wins) or every (none is left out)") from error


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{name} {value!r} cannot be used: write true or false")
    return value
