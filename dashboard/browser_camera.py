"""A browser's webcam as a camera like any other: a mailbox, a lease, a status, and accounts that add up.

    page ──(WebSocket: when it was taken, JPEG)──> BrowserCamera ──> mailbox ──> workers ──> results

Such a camera lives as long as its socket. It is never stored; what a dashboard that was killed left behind is swept away.
"""

from __future__ import annotations

import hashlib
import logging
import math
import struct
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import redis

from dashboard.answers import RefusedError
from dashboard.browser_status import BrowserStatus
from dashboard.pictures import CheckedPicture, check
from pipeline.broker import Broker
from pipeline.camera_spec import BROWSER, CameraDefaults, camera_of, is_browser
from pipeline.cameras import LEASE_SECONDS, CameraRegistry, Lease
from pipeline.clock import Clock
from pipeline.entities import Camera, Frame, Policy, Preview
from pipeline.errors import CameraExists, PictureError, SettingsError, UnknownCamera
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.previews import PREVIEWS_PER_SECOND, PreviewPublisher
from vision.pictures import PictureError as UnreadablePicture
from vision.pictures import inspect

log = logging.getLogger(__name__)

MOST_CAMERAS = 16
MOST_FPS = 25.0
LARGEST_JPEG = 1_500_000
LONGEST_SIDE = 4096
LONGEST_NAME, LONGEST_KEY = 40, 64
OLDEST_SECONDS = 10.0  # a picture that says it is older, or from the future, is from a clock that is wrong
MOST_SKIPPED = 1000  # frames that one message may count
TEND_SECONDS = 1.0
STATUS_SECONDS = 5.0
SWEEP_SECONDS = 2.0
TRIES = 5

_STAMP = struct.Struct(">d")
_JPEG = b"\xff\xd8\xff"


class CameraOverError(RefusedError):
    """The camera is not this socket's any more; the sentence says why."""

    def __init__(self, message: str, code: str = "CameraOver") -> None:
        super().__init__(410, code, message)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a browser says of itself at first; `key` lets the same page take its camera over after a lost connection."""

    name: str = "browser"
    key: str = ""
    members: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, message: object) -> Wishes:
        """Read the first message of a socket; raises SettingsError."""
        if not isinstance(message, dict):
            raise SettingsError('the first message has to be a JSON object, for example {"name": "my phone"}')
        name = message.get("name") or "browser"
        if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
            raise SettingsError(f"name {str(name)[:LONGEST_NAME]!r} cannot be used: write up to {LONGEST_NAME} characters")
        key = message.get("key") or ""
        if not isinstance(key, str) or len(key) > LONGEST_KEY or not key.isprintable():
            raise SettingsError(f"key cannot be used: send up to {LONGEST_KEY} characters that nobody else can guess")
        return cls(name.strip(), key, {member: message.get(member) for member in ("fps", "attributes")})


class BrowserCameras:
    """The door by which browsers become cameras; every method may raise redis.RedisError."""

    def __init__(self, broker: Broker, clock: Clock, defaults: CameraDefaults, *, privacy: bool = False) -> None:
        self._registry = CameraRegistry(broker.scripts)
        self._mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self._clock = clock
        self._defaults = defaults
        self._previews = PreviewPublisher(broker.scripts, privacy=privacy)
        self._lock = threading.Lock()
        self._open: dict[str, BrowserCamera] = {}
        self._gone: dict[str, float] = {}

    def admit(self, wishes: Wishes) -> BrowserCamera:
        """Return a new camera; one of the same key ends, and its name is free again.

        Raises SettingsError, or RefusedError when there are too many.
        """
        with self._lock:
            for camera in [camera for camera in self._open.values() if wishes.key and camera.key == wishes.key]:
                self._dismiss(camera)
            if len(self._open) >= MOST_CAMERAS:
                raise RefusedError(503, "Busy", f"{MOST_CAMERAS} browsers are cameras already: close the page of one of them")
            camera = self._added(wishes)
            self._open[camera.id] = camera
        return camera

    def dismiss(self, camera: BrowserCamera) -> None:
        """Take a camera away with all that waits for it; nothing happens when it is gone already."""
        with self._lock:
            self._dismiss(camera)

    def close(self) -> None:
        """Take all cameras away; what Redis, when it is away, does not hear of is swept away by the next dashboard."""
        with self._lock, suppress(redis.RedisError):
            for camera in list(self._open.values()):
                self._dismiss(camera)

    def sweep(self) -> None:
        """Take away what a dashboard that was killed left behind: browsers' cameras that nobody has leased."""
        with self._lock:
            cameras = self._registry.all()
            for camera in cameras:
                if is_browser(camera.url) and self._registry.leased_by(camera.id) is None:
                    self._forget(camera.id)
            self._settle({camera.id for camera in cameras})

    def _added(self, wishes: Wishes) -> BrowserCamera:
        """Lease a free name, then put it on the list: whatever of a browser is on the list and not leased is a leftover."""
        owner = _owner(wishes.key)
        for _ in range(TRIES):
            camera, is_leftover = self._described(wishes, owner)
            fence = self._registry.lease(camera.id, owner, LEASE_SECONDS)
            if fence is None:
                continue
            lease = Lease(self._registry, camera.id, owner, fence)
            try:
                self._registry.put([camera]) if is_leftover else self._registry.add(camera)
            except CameraExists:
                lease.release()
                continue
            self._gone.pop(camera.id, None)
            outlets = Outlets(self._registry, self._mailbox, self._previews, self._clock)
            return BrowserCamera(camera, wishes.key, lease, outlets)
        raise CameraExists(f"camera {wishes.name!r} found no free id in {TRIES} tries: choose another name")

    def _described(self, wishes: Wishes, owner: str) -> tuple[Camera, bool]:
        """Return the camera that the browser wishes to be, and whether it was that before, at a dashboard that was killed."""
        cameras = self._registry.all()
        members = {**(wishes.members or {}), "url": BROWSER + wishes.name}
        camera = camera_of(None, members, self._defaults, {camera.id for camera in cameras} | self._open.keys(), browser=True)
        if (wishes.members or {}).get("fps") is not None and camera.fps > MOST_FPS:
            raise SettingsError(f"fps {camera.fps:g}: a browser sends {MOST_FPS:g} pictures a second at most")
        for before in cameras:
            if (
                before.url == camera.url
                and before.id not in self._open
                and self._registry.leased_by(before.id) in (None, owner)
            ):
                return replace(camera, id=before.id), True
        return camera, False

    def _dismiss(self, camera: BrowserCamera) -> None:
        if not camera.end():
            return
        del self._open[camera.id]
        if camera.lease.keep():  # else the name is another's by now
            self._forget(camera.id)
            camera.lease.release()

    def _forget(self, camera_id: str) -> None:
        with suppress(UnknownCamera):
            if not is_browser(self._registry.get(camera_id).url):
                return
            self._registry.remove(camera_id)
        self._registry.forget_status(camera_id)
        self._mailbox.forget(camera_id)
        self._gone[camera_id] = time.monotonic()

    def _settle(self, known: set[str]) -> None:
        """Drop the picture that a worker, busy while its camera went, has kept as the newest."""
        due = [camera_id for camera_id, at in self._gone.items() if time.monotonic() - at > SWEEP_SECONDS]
        for camera_id in due:
            if camera_id not in known:
                self._mailbox.forget(camera_id)
            del self._gone[camera_id]


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a browser's camera is told of, its pictures go, and the time comes from."""

    registry: CameraRegistry
    mailbox: Mailbox
    previews: PreviewPublisher
    clock: Clock


class BrowserCamera:
    """One browser's camera; its methods are called one at a time by its socket, and by the door at its end."""

    def __init__(self, camera: Camera, key: str, lease: Lease, outlets: Outlets) -> None:
        self.camera = camera
        self.key = key
        self.lease = lease
        self._outlets = outlets
        self._clock = outlets.clock
        self._is_watched = False
        self._shown_at = 0.0
        self._ledger = Ledger()
        self._status = BrowserStatus(camera.id, outlets.clock)
        self._lock = threading.Lock()
        self._is_over = False

    @property
    def id(self) -> str:
        """The camera's id."""
        return self.camera.id

    @property
    def terms(self) -> dict[str, Any]:
        """What the browser has to know: which camera it is, how many pictures a second are wanted, and whether any are."""
        return {"camera": self.id, "fps": min(self.camera.fps, MOST_FPS), "paused": self.camera.paused}

    def offer(self, message: bytes) -> dict[str, Any]:
        """Offer one picture, and return what became of it: `offered`, and `message` for one that was refused.

        `message` is when it was taken (8 bytes, big-endian double, seconds since 1970 on Redis's clock) and a JPEG. Raises
        CameraOverError when the camera is another's.
        """
        with self._lock:
            self._check_ours()
            if self.camera.paused:
                return {"offered": "paused"}
            number = self._ledger.sample()
            try:
                captured_at, picture = self._read(message)
            except PictureError as error:
                self._status.saw_nothing()
                self._ledger.drop("picture")
                return {"offered": "refused", "message": str(error)}
            self._status.saw(picture.width, picture.height)
            offered = self._offer(number, captured_at, picture)
            self._show(captured_at, picture)
            return {"offered": offered}

    def saw(self, width: int, height: int) -> None:
        """Note a picture that is shown and not to be analysed."""
        self._status.saw(width, height)

    def skip(self, count: int) -> None:
        """Count frames that the browser took and did not send, because earlier ones were still on their way."""
        with self._lock:
            for _ in range(min(count, MOST_SKIPPED)):
                self._ledger.sample()
                self._ledger.drop("late")
                self._status.saw_nothing()

    def hide(self, is_hidden: bool) -> None:
        """Note whether the page is out of sight, where browsers hold its camera back."""
        self._status.is_hidden = is_hidden

    def tend(self) -> None:
        """Keep the lease and the place on the list, see what people changed, tell how it is; called once a second.

        Raises CameraOverError when it was removed or is another's. Redis may be away: the next round tries again.
        """
        with self._lock:
            self._check_ours()
            try:
                self._keep_place()
                self._settle()
                self._outlets.registry.report(self._status.snapshot(is_paused=self.camera.paused), STATUS_SECONDS)
                self._is_watched = self._outlets.previews.watchers(self.id) > 0
            except redis.RedisError as error:
                log.debug("browser camera %s: not reported (%s)", self.id, type(error).__name__)

    def end(self) -> bool:
        """Be over: nothing is offered any more; False when it was over before."""
        with self._lock:
            if self._is_over:
                return False
            self._is_over = True
            with suppress(redis.RedisError):
                self._settle()
            return True

    def _check_ours(self) -> None:
        if self._is_over:
            raise CameraOverError(f"camera {self.id!r} has ended here: connect again")

    def _read(self, message: bytes) -> tuple[float, CheckedPicture]:
        jpeg = message[_STAMP.size :]
        if not jpeg.startswith(_JPEG):
            raise PictureError("a message has to be 8 bytes of time and a JPEG: this is none")
        if len(jpeg) > LARGEST_JPEG:
            raise PictureError(f"the JPEG has {len(jpeg):,} bytes, a browser may send {LARGEST_JPEG:,}: send a smaller one")
        _check_size(jpeg)
        picture = check(jpeg)
        now, (stated,) = self._clock.now(), _STAMP.unpack_from(message)
        return (max(now - OLDEST_SECONDS, min(now, stated)) if math.isfinite(stated) else now), picture

    def _offer(self, number: int, captured_at: float, picture: CheckedPicture) -> str:
        frame = Frame(
            camera=self.id,
            number=number,
            captured_at=captured_at,
            jpeg=picture.data,
            width=picture.width,
            height=picture.height,
            encode_seconds=max(0.0, self._clock.now() - captured_at),  # the way from the browser, too
            attributes=self.camera.attributes,
        )
        statement = self._ledger.statement(number)
        try:
            offer = self._outlets.mailbox.offer(frame, statement, Policy.LATEST, self.lease.fence)
        except redis.RedisError as error:
            log.debug("browser camera %s: Redis is away (%s)", self.id, type(error).__name__)
            return "away"
        if offer is Offer.FENCED:
            raise CameraOverError(f"camera {self.id!r} is another browser's now: connect again")
        self._ledger.confirm(statement)
        return str(offer)

    def _show(self, captured_at: float, picture: CheckedPicture) -> None:
        """Let those who watch see the picture, PREVIEWS_PER_SECOND at most; what is too large for that is not shown."""
        if not self._is_watched or time.monotonic() - self._shown_at < 1 / PREVIEWS_PER_SECOND:
            return
        self._shown_at = time.monotonic()
        with suppress(redis.RedisError, PictureError):
            self._outlets.previews.publish(Preview(self.id, captured_at, picture.width, picture.height, picture.data))

    def _keep_place(self) -> None:
        times_taken = self.lease.times_taken
        if not self.lease.keep():
            raise CameraOverError(f"camera {self.id!r} is another browser's now: connect again")
        if (
            self.lease.times_taken != times_taken
        ):  # Redis was emptied, or this process stood still: whoever swept knew no better
            with suppress(CameraExists):
                self._outlets.registry.add(self.camera)
        with suppress(UnknownCamera):
            camera = self._outlets.registry.get(self.id)
            if is_browser(camera.url):
                self.camera = camera
                return
        raise CameraOverError(f"camera {self.id!r} was removed", "CameraRemoved")

    def _settle(self) -> None:
        if self._ledger.unsettled:
            statement = self._ledger.statement()
            self._outlets.mailbox.settle(self.id, statement)
            self._ledger.confirm(statement)


def _owner(key: str) -> str:
    """Return in whose name a camera is leased: the same for the same key, which it does not tell."""
    return f"browser-{hashlib.sha256(key.encode()).hexdigest() if key else uuid.uuid4().hex}"


def _check_size(jpeg: bytes) -> None:
    """Refuse a picture by its header, before anything decodes it; raises PictureError."""
    try:
        about = inspect(jpeg)
    except UnreadablePicture as error:
        raise PictureError(str(error)) from error
    if max(about.width, about.height) > LONGEST_SIDE:
        raise PictureError(f"the picture is {about.width} x {about.height} pixels, each side may have {LONGEST_SIDE} at most")
