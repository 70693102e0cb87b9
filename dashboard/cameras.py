"""Cameras as the API shows and changes them; a password goes in and never comes out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import redis

from dashboard.keeper import Keeper
from dashboard.scenes import Scenes
from pipeline.camera_spec import CameraDefaults, camera_of, check_id, check_url, is_browser, with_known_secrets
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, CameraState, CameraStatus, Polygon
from pipeline.errors import CameraExists, SettingsError, redact
from pipeline.keys import labels_mailbox
from pipeline.mailbox import Mailbox
from pipeline.rules_spec import parse_polygons

SETTLE_SECONDS = 3.0  # in which the producer of a removed camera hears of it
TRIES = 5


class CameraDesk:
    """Shows and changes the list of cameras; every method may raise redis.RedisError."""

    def __init__(
        self, connection: redis.Redis, mailbox: Mailbox, keeper: Keeper, defaults: CameraDefaults, scenes: Scenes
    ) -> None:
        self._scenes = scenes
        self._registry = CameraRegistry(connection)
        self._mailbox = mailbox
        self._keeper = keeper
        self._defaults = defaults
        self._leaving: dict[str, float] = {}

    def all(self) -> list[dict[str, Any]]:
        """Return all cameras with their status, in the order of their ids."""
        cameras = self._registry.all()
        statuses = self._registry.statuses([camera.id for camera in cameras])
        return [camera_as_json(camera, statuses[camera.id], self._scenes.of(camera.id)) for camera in cameras]

    def add(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Add the camera that `body` describes, under an id made of its URL where it names none.

        Raises SettingsError or CameraExists.
        """
        camera_id = body.get("id")
        members = {name: value for name, value in body.items() if name != "id"}
        if camera_id is not None:
            return self._added(camera_of(check_id(camera_id), members, self._defaults))
        for _ in range(TRIES):
            try:
                return self._added(camera_of(None, members, self._defaults, self._taken()))
            except CameraExists:
                continue
        raise CameraExists(f"{redact(str(body.get('url')))} found no free id in {TRIES} tries: name one with `id`")

    def change(self, camera_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change the members of a camera that `body` names; a password shown as ``***`` stays what it is.

        Raises SettingsError or UnknownCamera.
        """
        before = self._registry.get(camera_id)
        if body.get("id", camera_id) != camera_id:
            raise SettingsError(f"the id of camera {camera_id!r} cannot become {body['id']!r}: remove it and add another")
        members = _merged(before, body)
        if is_browser(before.url):
            _check_change_of_browser(before, body)
        camera = camera_of(camera_id, members, self._defaults, browser=is_browser(before.url))
        self._keeper.change(camera)
        return self._shown(camera)

    def remove(self, camera_id: str) -> None:
        """Take a camera off the list and drop what waits for it; raises UnknownCamera."""
        self._keeper.remove(camera_id)
        self._leaving[camera_id] = time.monotonic() + SETTLE_SECONDS
        self._forget(camera_id)

    def require(self, camera_id: str) -> Camera:
        """Return a camera; raises UnknownCamera."""
        return self._registry.get(camera_id)

    def source(self, body: Mapping[str, Any]) -> str:
        """Return the URL that `body` names, ready to be opened; with an `id`, its ``***`` are that camera's passwords.

        Raises SettingsError or UnknownCamera.
        """
        camera_id, url = body.get("id"), body.get("url")
        if camera_id is not None and isinstance(url, str):
            url = with_known_secrets(url.strip(), self._registry.get(check_id(camera_id)).url)
        return check_url(url)

    def masks(self, body: Mapping[str, Any]) -> tuple[Polygon, ...]:
        """Return what may not be seen of a source: the masks that `body` names, else those of the camera with its `id`.

        Raises SettingsError or UnknownCamera.
        """
        if body.get("masks") is not None:
            return parse_polygons("masks", body["masks"])
        return () if body.get("id") is None else self._registry.get(check_id(body["id"])).masks

    def settle(self) -> None:
        """Drop what the producer of a removed camera still offered before it heard; called about once a second."""
        due = [camera for camera, at in list(self._leaving.items()) if at <= time.monotonic()]
        known = {camera.id for camera in self._registry.all()} if due else set()
        for camera in due:
            if camera not in known:
                self._forget(camera)
            self._leaving.pop(camera, None)

    def _forget(self, camera_id: str) -> None:
        self._mailbox.forget(camera_id)
        self._mailbox.forget(labels_mailbox(camera_id))
        self._scenes.forget(camera_id)

    def _added(self, camera: Camera) -> dict[str, Any]:
        self._keeper.add(camera)
        return self._shown(camera)

    def _shown(self, camera: Camera) -> dict[str, Any]:
        return camera_as_json(camera, self._registry.statuses([camera.id])[camera.id], self._scenes.of(camera.id))

    def _taken(self) -> set[str]:
        return {camera.id for camera in self._registry.all()}


def camera_as_json(camera: Camera, status: CameraStatus, scene: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a camera as the API shows it: no password in it; one that is paused is off, also when no producer says so.

    `scene` are the newest labels of what it sees.
    """
    if camera.paused and not status.since:
        status = replace(status, state=CameraState.OFF, message="")
    return {
        "id": camera.id,
        "url": redact(camera.url),
        "preview_url": None if camera.preview_url is None else redact(camera.preview_url),
        "fps": camera.fps,
        "attributes": list(camera.attributes),
        "policy": str(camera.policy),
        "paused": camera.paused,
        **_rules(camera),
        "status": {
            "state": str(status.state),
            "message": redact(status.message),
            "since": status.since,
            "width": status.width,
            "height": status.height,
            "codec": status.codec,
            "capture_fps": status.capture_fps,
            "reconnects": status.reconnects,
            "stalls": status.stalls,
            "gate": _gate(status),
        },
        "scene": None if scene is None else dict(scene),
    }


def _gate(status: CameraStatus) -> dict[str, Any] | None:
    """Return what the camera's gate does, None without one, or while it sees nothing."""
    if not status.gate_sees:
        return None
    return {"sees": status.gate_sees, "passed": status.gate_passed, "saved": status.gate_saved}


def _rules(camera: Camera) -> dict[str, Any]:
    return {
        "gate": str(camera.gate),
        "labels": camera.labels,
        "purpose": str(camera.purpose),
        "zones": [[list(corner) for corner in zone] for zone in camera.zones],
        "masks": [[list(corner) for corner in mask] for mask in camera.masks],
        "smallest_face": camera.smallest_face,
        "schedule": camera.schedule,
    }


def _check_change_of_browser(before: Camera, body: Mapping[str, Any]) -> None:
    """Refuse what a browser's camera has no choice of; raises SettingsError."""
    for member in ("url", "preview_url", "policy"):
        if body.get(member, getattr(before, member)) != getattr(before, member):
            raise SettingsError(f"{member} of camera {before.id!r} cannot change: its pictures come from a browser")


def _merged(before: Camera, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a camera after a change; another URL brings its own policy, unless one is named."""
    members: dict[str, Any] = {
        "url": before.url,
        "preview_url": before.preview_url,
        "fps": before.fps,
        "attributes": list(before.attributes),
        "policy": None if "url" in body else str(before.policy),
        "paused": before.paused,
        **_rules(before),
    }
    members |= {name: value for name, value in body.items() if name != "id"}
    for member, known in (("url", before.url), ("preview_url", before.preview_url)):
        if known is not None and isinstance(members[member], str):
            members[member] = with_known_secrets(members[member].strip(), known, member)
    return members
