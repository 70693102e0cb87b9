"""Cameras written down as a rekstream.yml, without their passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pipeline import rules_spec
from pipeline.camera_spec import HIDDEN, default_policy, is_browser

_PLAIN: Mapping[str, Any] = {
    "labels": 0.0, "purpose": "test", "zones": [], "masks": [], "smallest_face": 0, "schedule": "",
}  # fmt: skip  # what need not be written; what a camera's gate is without a word depends on who answers


def export(cameras: Sequence[Mapping[str, Any]]) -> str:
    """Return a rekstream.yml with these cameras of the API; each password becomes a variable of the environment.

    The first lines name the variables that have to be set. Browsers are left out: they come by themselves.
    """
    variables: list[str] = []
    entries = {camera["id"]: _entry(camera, variables) for camera in cameras if not is_browser(camera["url"])}
    text = yaml.safe_dump({"cameras": entries}, sort_keys=False, allow_unicode=True)
    return "".join(f"# set {name} in the environment\n" for name in variables) + text


def _entry(camera: Mapping[str, Any], variables: list[str]) -> dict[str, Any]:
    stem = re.sub(r"\W", "_", camera["id"]).upper()
    if stem[0].isdigit():  # no name of a variable begins so
        stem = f"CAMERA_{stem}"
    entry: dict[str, Any] = {"url": _with_variables(camera["url"], f"{stem}_PASSWORD", variables)}
    if camera.get("preview_url"):
        entry["preview_url"] = _with_variables(camera["preview_url"], f"{stem}_PREVIEW_PASSWORD", variables)
    entry |= {"fps": camera["fps"], "attributes": [name.lower() for name in camera["attributes"]]}
    if camera.get("policy", default_policy(camera["url"])) != default_policy(camera["url"]):
        entry["policy"] = camera["policy"]
    entry |= {name: camera[name] for name in rules_spec.MEMBERS if name in camera and camera[name] != _PLAIN.get(name)}
    return entry | ({"paused": True} if camera.get("paused") else {})


def _with_variables(url: str, name: str, variables: list[str]) -> str:
    """Return the URL with a variable in place of each hidden secret: NAME, NAME_2 and so on."""
    for number in range(1, url.count(HIDDEN) + 1):
        variables.append(name if number == 1 else f"{name}_{number}")
        url = url.replace(HIDDEN, f"${{{variables[-1]}}}", 1)
    return url
