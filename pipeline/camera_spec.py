"""A camera as people write it down (API, command line, rekstream.yml), made into a `Camera`, or into one clear sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from pipeline import keys, rules_spec
from pipeline.entities import Camera, Gate, Policy
from pipeline.errors import SettingsError, redact
from pipeline.settings import LOCAL_FPS, check_fps, parse_attributes

MEMBERS = ("url", "preview_url", "fps", "attributes", "policy", "paused", *rules_spec.MEMBERS)
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
DEMO = "demo"
BROWSER = "browser:"  # the webcam of a browser that has the page open; only the dashboard's socket makes such cameras
PHOTO_PREFIX = "photo-"  # the API's one-shot photos travel as cameras of such ids

LONGEST_ID, LONGEST_URL = 40, 2000
HIDDEN = "***"

ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_ID - 1}}}")
_HAS_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")
_WEBCAM = re.compile(r"^(?:webcam|\d{1,3}|/dev/video\d+)$")
_UNDERSTOOD = "rtsp://, rtsps://, http://, https://, a file, a folder of pictures, a webcam (0) or demo"
_ENCODE = "write special characters of a user or password percent-encoded (@ as %40, # as %23, / as %2F, ? as %3F, : as %3A)"


@dataclass(frozen=True, slots=True)
class CameraDefaults:
    """What a camera is given where it says nothing itself; `attributes` are Rekognition's names."""

    fps: float = LOCAL_FPS
    attributes: tuple[str, ...] = ("ALL",)
    gate: Gate = Gate.OFF


def is_camera(mailbox: str) -> bool:
    """Say whether a mailbox is a camera's own: not a photo's, nor one for the labels or the tracks of a camera."""
    return not mailbox.startswith(PHOTO_PREFIX) and not keys.is_derived(mailbox)


def camera_of(
    camera_id: str | None,
    values: Mapping[str, Any],
    defaults: CameraDefaults,
    taken: Collection[str] = (),
    *,
    browser: bool = False,
) -> Camera:
    """Return the camera that `values` (members by the names in MEMBERS, None for not said) describe.

    Without an id it gets one made of its URL that is not among `taken`. Files and folders get policy `every`, live sources
    `latest`, unless said otherwise. `browser` says that the URL may be that of a browser. Raises SettingsError with one
    sentence that names the camera, the member and its value.
    """
    given = {name: value for name, value in values.items() if value is not None}
    try:
        if camera_id is not None:
            check_id(camera_id)
        _check_members(given)
        url = check_url(given.get("url"), browser=browser)
        gate = Gate.OFF if is_browser(url) else defaults.gate
        return Camera(
            id=new_id(url, taken) if camera_id is None else camera_id,
            url=url,
            fps=_fps(given.get("fps", defaults.fps)),
            attributes=_attributes(given["attributes"]) if "attributes" in given else defaults.attributes,
            policy=_policy(given["policy"]) if "policy" in given else default_policy(url),
            preview_url=check_url(given["preview_url"], "preview_url") if "preview_url" in given else None,
            paused=_paused(given.get("paused", False)),
            **rules_spec.rules_of(given, gate, browser=is_browser(url)),
        )
    except SettingsError as error:
        if camera_id is None:
            raise
        raise SettingsError(f"camera {camera_id!r}: {error}") from None


def check_id(camera_id: object) -> str:
    """Return a camera's id when it can be one; raises SettingsError."""
    if not isinstance(camera_id, str) or not ID.fullmatch(camera_id):
        raise SettingsError(
            f"the id {camera_id!r} cannot be used: write up to {LONGEST_ID} of a-z, 0-9, _ and -, a letter or digit first"
        )
    if camera_id.startswith(PHOTO_PREFIX):
        raise SettingsError(f"the id {camera_id!r} begins with {PHOTO_PREFIX}, which is kept for photos: choose another")
    return camera_id


def new_id(url: str, taken: Collection[str]) -> str:
    """Return an id for a camera that has none: of the URL's host and path or the file's name, numbered when it is taken.

    User, password and query never become part of it.
    """
    stem = _slug(_name_of(url)) or "camera"
    if stem.startswith(PHOTO_PREFIX):
        stem = _slug(f"camera-{stem}")
    candidate, number = stem, 2
    while candidate in taken:
        ending = f"-{number}"
        candidate, number = stem[: LONGEST_ID - len(ending)].rstrip("-") + ending, number + 1
    return candidate


def default_policy(url: str) -> Policy:
    """Return `every` for what ends by itself (files and folders), `latest` for what is live."""
    return Policy.EVERY if is_file(url) else Policy.LATEST


def is_file(url: str) -> bool:
    """Say whether a URL names a file or a folder."""
    if url == DEMO or _WEBCAM.match(url) or is_browser(url):
        return False
    return not _HAS_SCHEME.match(url) or urlsplit(url).scheme.lower() == "file"


def is_browser(url: str) -> bool:
    """Say whether a URL stands for a browser's webcam, which no producer can open: its pictures come by themselves."""
    return url.startswith(BROWSER)


def check_url(url: object, member: str = "url", *, browser: bool = False) -> str:
    """Return the URL when its form names a source; nothing is opened.

    A path has to exist on this machine and becomes absolute, unless it is written as file://, for producers elsewhere.
    Raises SettingsError.
    """
    if isinstance(url, int) and not isinstance(url, bool):
        url = str(url)  # webcam 0, as YAML and JSON read it
    if not isinstance(url, str) or not url.strip():
        raise SettingsError(f"{member} is missing: say where the pictures come from, {_UNDERSTOOD}")
    url = url.strip()
    if len(url) > LONGEST_URL or not url.isprintable():
        raise SettingsError(f"{member} of {len(url)} characters is too long or holds unprintable ones: check it")
    if is_browser(url) and not browser:
        raise SettingsError(f"{member} {url!r} stands for a browser, which nobody can open: it adds itself on the page /camera")
    if url == DEMO or _WEBCAM.match(url) or is_browser(url):
        return url
    return _check_address(url, member) if _HAS_SCHEME.match(url) else _check_path(url, member)


def with_known_secrets(url: str, known: str, member: str = "url") -> str:
    """Return `url` with each ``***`` replaced by what the camera's `known` URL has there.

    So the URL that the API shows can be sent back. Only for the same scheme, user, host and port: a password is never
    carried to another host. Raises SettingsError when something stays hidden.
    """
    if HIDDEN not in url or url == redact(known):
        return known if HIDDEN in url else url
    if not (_HAS_SCHEME.match(url) and _HAS_SCHEME.match(known)):
        return url
    given, stored = _split(url, member), _split(known, member)
    if _place(given) == _place(stored) and stored.password is not None:
        url = url.replace(given.netloc, stored.netloc, 1)
    if HIDDEN in url:
        raise SettingsError(f"{member} {redact(url)} hides a secret that is not known for it: write the whole URL again")
    return url


def _check_members(given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in MEMBERS:
            near = difflib.get_close_matches(str(name), MEMBERS, n=1)
            advice = f"did you mean {near[0]}?" if near else f"choose among {', '.join(MEMBERS)}"
            raise SettingsError(f"a camera has no setting {name!r}: {advice}")


def _check_address(url: str, member: str) -> str:
    parts = _split(url, member)
    scheme = parts.scheme.lower()
    if scheme == "file":
        return url
    if scheme not in STREAM_SCHEMES:
        raise SettingsError(f"{member} {_shown(url)} starts with {scheme}://, which is none of {_UNDERSTOOD}")
    if parts.password == HIDDEN or f"={HIDDEN}" in parts.query:
        raise SettingsError(f"{member} {_shown(url)} holds {HIDDEN} instead of a password: write the password itself")
    return url


def _split(url: str, member: str) -> SplitResult:
    """Take a URL apart; an unencoded password that would make the wrong host of it is refused without being shown."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"{member} {_shown(url)} cannot be read as a URL: check host and port, and {_ENCODE}") from error
    if parts.scheme.lower() == "file":
        return parts
    if re.search(r"\s", url):
        raise SettingsError(f"{member} {_shown(url)} holds a blank: write it as %20")
    rest = url[url.index(parts.netloc) + len(parts.netloc) :] if parts.netloc else url
    if parts.fragment or ("@" in rest and ":" in parts.netloc + rest):
        raise SettingsError(f"{member} {_shown(url)} has a # or @ where none belongs: {_ENCODE}")
    if not host:
        raise SettingsError(f"{member} {_shown(url)} names no host: write it like rtsp://user:password@10.0.0.7/path")
    return parts


def _check_path(url: str, member: str) -> str:
    try:
        path = Path(url).expanduser().absolute()
        if path.exists():
            return str(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~user of nobody
        raise SettingsError(f"{member} {_shown(url)!r} cannot be looked up as a path: check its spelling") from error
    raise SettingsError(f"{member} {_shown(url)!r} is no file or folder here: a source is one of {_UNDERSTOOD}")


def _place(parts: SplitResult) -> tuple[str, str | None, str | None, int | None]:
    return parts.scheme.lower(), parts.username, parts.hostname, parts.port


def _shown(url: str) -> str:
    """Return a URL that may be malformed with everything hidden that could be a password."""
    head, at, tail = url.rpartition("@")
    if not at:
        return redact(url)
    scheme = _HAS_SCHEME.match(head)
    return f"{scheme.group() if scheme else ''}{HIDDEN}@{redact(tail)}"


def _name_of(url: str) -> str:
    if url == DEMO:
        return DEMO
    if _WEBCAM.match(url):
        return "webcam-" + (re.sub(r"\D", "", url) or "0")
    if not _HAS_SCHEME.match(url):
        return url.removeprefix(BROWSER) if is_browser(url) else _stem(url)
    try:
        parts = urlsplit(url)
        port = f"-{parts.port}" if parts.port else ""
    except ValueError:
        return "camera"
    if parts.scheme.lower() == "file":
        return _stem(unquote(parts.path))
    path = "/".join(part for part in unquote(parts.path).split("/") if not re.search("[=@:]", part))  # they may hold a password
    return f"{parts.hostname or ''}{port}-{path}"


def _stem(path: str) -> str:
    name = PurePosixPath(path.replace("\\", "/"))
    return name.stem or name.name


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:LONGEST_ID].strip("-_")


def _fps(value: object) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return check_fps(float(value))  # type: ignore[arg-type]  # what float cannot read is the TypeError below
    except TypeError:
        raise SettingsError(f"fps {value!r} is not a number: write how many frames a second, for example 5") from None
    except ValueError as error:
        reason = str(error) if _is_number(value) else "write how many frames a second, for example 5"
        raise SettingsError(f"fps {value!r}: {reason}") from None


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _attributes(value: object) -> tuple[str, ...]:
    if not isinstance(value, str) and not (isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)):
        raise SettingsError(f"attributes {value!r} are not names: write all, default, or for example [smile, emotions]")
    try:
        return parse_attributes(value if isinstance(value, str) else list(value))
    except ValueError as error:
        raise SettingsError(f"attributes {value!r}: {error}") from None


def _policy(value: object) -> Policy:
    try:
        return Policy(str(value).lower())
    except ValueError:
        choice = " or ".join(Policy)
        raise SettingsError(f"policy {value!r} is not known: choose {choice}") from None


def _paused(value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"paused {value!r} is neither true nor false: write one of them")
    return value
