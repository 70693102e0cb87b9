"""rekstream.yml: settings and cameras by the names people know, checked with the line named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from pipeline import settings as base
from pipeline.camera_spec import MEMBERS as CAMERA_MEMBERS
from pipeline.camera_spec import CameraDefaults, camera_of
from pipeline.entities import Camera
from pipeline.errors import RekstreamError, SettingsError
from pipeline.spending import Budget

FILE_NAME = "rekstream.yml"
SETTINGS = (
    "provider", "endpoint_url", "region", "tps", "budget", "fps", "attributes", "threads", "privacy", "host", "port", "data",
    "prometheus", "contact", "database", "keep", "archive", "archive_kms_key", "send", "prices",
)  # fmt: skip
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_USERINFO = re.compile(r"^(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<userinfo>[^/@]*)@(?P<rest>.*)$", re.DOTALL)

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """What a rekstream.yml says: `settings` by the names of `pipeline.settings.Settings`, the cameras, and the watches."""

    path: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    cameras: tuple[Camera, ...] = ()
    watches: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def read(path: Path, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Config:
    """Read and check a rekstream.yml; raises SettingsError with the file, the line, the value and what to do.

    `flags` go before the file's settings where a camera says nothing itself.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): name another file with --config") from error
    document = _Document(path, text, environ)
    values = document.values
    document.expect_names((), values, (*SETTINGS, "cameras", "watches"))
    settings = {name: values[name] for name in SETTINGS if values.get(name) is not None}
    if isinstance(settings.get("attributes"), list):
        settings["attributes"] = ",".join(map(str, settings["attributes"]))
    document.check_settings(settings)
    cameras = document.cameras(_defaults(base.load(**{**settings, **(flags or {})})))
    return Config(path, settings, cameras, document.watches())


class _Document:
    """The values of a file, and the line on which each of them stands."""

    def __init__(self, path: Path, text: str, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ
        self._lines: dict[Path_, int] = {}
        self.values: dict[str, Any] = {}
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            if root is not None and not isinstance(root, yaml.MappingNode):
                raise SettingsError(f"{path} line 1 is not a list of settings: begin with a line like `cameras:`")
            if root is not None:
                self.values = self._mapping(root, ())
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problem = " ".join((error.problem or "it cannot be read").split())
            raise SettingsError(f"{path} line {line} is not YAML: {problem}") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise SettingsError(f"{path} is not YAML: {' '.join(str(error).split())[:200]}") from error

    def fault(self, where: Path_, what: str) -> SettingsError:
        """Return the error that names the line of `where`."""
        line = next(self._lines[where[:end]] for end in range(len(where), -1, -1) if where[:end] in self._lines)
        return SettingsError(f"{self._path} line {line}: {what}")

    def expect_names(self, where: Path_, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Refuse names that mean nothing, with the one that was probably meant."""
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise self.fault((*where, name), f"there is no setting {name!r}: {hint}")

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Check all settings of the file, and name the line of the first that is wrong."""
        for name, value in settings.items():
            try:
                base.load(**{name: value})
                if name == "budget":
                    Budget.parse(str(value))
            except SettingsError as error:
                raise self.fault((name,), str(error)) from error

    def cameras(self, defaults: CameraDefaults) -> tuple[Camera, ...]:
        """Return the cameras of the file."""
        entries = self.values.get("cameras") or {}
        if not isinstance(entries, dict):
            raise self.fault(("cameras",), "cameras are named: write `front_door: {url: rtsp://…}` below `cameras:`")
        return tuple(self._camera(name, entry, defaults) for name, entry in entries.items())

    def watches(self) -> tuple[Mapping[str, Any], ...]:
        """Return the watches of the file; whether their people and cameras are there is seen when it runs."""
        entries = self.values.get("watches") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.fault(
                ("watches",), "watches are a list: write `- {who: Grace Hopper, notify: https://…}` below `watches:`"
            )
        for number, entry in enumerate(entries):
            self._check_watch(("watches", str(number)), entry)
        return tuple(entries)

    def _check_watch(self, where: Path_, entry: Mapping[str, Any]) -> None:
        from people.watches import wish_of  # noqa: PLC0415  # needs Apprise, and few files have watches

        named = entry.get("cameras")
        cameras = [named] if isinstance(named, str) else named if isinstance(named, list) else []
        try:
            wish_of(entry, str, {name: Camera(name, "", 1.0) for name in map(str, cameras)})
        except RekstreamError as error:
            raise self.fault(where, str(error)) from error

    def _camera(self, name: str, entry: Any, defaults: CameraDefaults) -> Camera:
        where = ("cameras", name)
        members = {"url": entry} if isinstance(entry, str | int) else entry
        if not isinstance(members, dict) or "url" not in members:
            raise self.fault(where, f"camera {name!r} has no url: write `{name}: {{url: rtsp://…}}`")
        self.expect_names(where, members, CAMERA_MEMBERS)
        try:
            return camera_of(name, members, defaults)
        except RekstreamError as error:
            raise self.fault(where, str(error)) from error

    def _mapping(self, node: yaml.MappingNode, where: Path_) -> dict[str, Any]:
        values: dict[str, Any] = {}
        self._lines[where] = node.start_mark.line + 1
        for key_node, value_node in node.value:
            name = str(key_node.value)
            here = (*where, name)
            if name in values:
                raise SettingsError(
                    f"{self._path} line {key_node.start_mark.line + 1}: {name!r} stands here a second time, "
                    f"first on line {self._lines[here]}: give each its own name"
                )
            self._lines[here] = key_node.start_mark.line + 1
            values[name] = self._value(value_node, here)
        return values

    def _value(self, node: yaml.Node, where: Path_) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*where, str(number))) for number, item in enumerate(node.value)]
        value = yaml.SafeLoader("").construct_object(node)
        return self._filled(value, where) if isinstance(value, str) else value

    def _filled(self, text: str, where: Path_) -> str:
        """Put the environment's values in; inside a URL's user and password, they are percent-encoded."""
        url = _USERINFO.match(text)
        if url:
            userinfo = self._substitute(url["userinfo"], where, encode=True)
            return f"{url['scheme']}{userinfo}@{self._substitute(url['rest'], where)}"
        return self._substitute(text, where)

    def _substitute(self, text: str, where: Path_, *, encode: bool = False) -> str:
        def value(match: re.Match[str]) -> str:
            found = self._environ.get(match["name"])
            if found is None:
                raise self.fault(where, f"${{{match['name']}}} is not set in the environment: set it before the start")
            return quote(found, safe="") if encode else found

        return _VARIABLE.sub(value, text)


def _defaults(settings: base.Settings) -> CameraDefaults:
    return CameraDefaults(settings.sampled_fps, base.parse_attributes(settings.attributes), settings.default_gate)
