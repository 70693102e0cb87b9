"""What keeps more or fresher results from coming out: one word, and one sentence why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LOSS = 0.02  # of the sampled frames; less is chance
FULL = 0.9  # of a limit or of the threads; more is all of it
SLOW_UPLOAD_SECONDS = 0.15
SLOW_SERVICE_SECONDS = 1.0
ENOUGH_FPS = 0.8  # of the asked rate
SHOWN_NAMES = 3


class What(StrEnum):
    """Where the bottleneck can be."""

    QUOTA = "quota"
    UPLINK = "uplink"
    SERVICE = "service"
    WORKERS = "workers"
    CAMERAS = "cameras"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The verdict: `what`, and `why` in one sentence."""

    what: What
    why: str

    def as_json(self) -> dict[str, str]:
        """Return the verdict as the API shows it."""
        return {"what": str(self.what), "why": self.why}


@dataclass(frozen=True, slots=True)
class Signs:
    """What the verdict is made from; rates are per second, `stages` the medians of the last minute in seconds.

    `held` says why no call is let out at all (permission, budget), '' when they are. `quota` and `allowed` are the limit and
    what is left of it after throttles, None without one. `threads` are alive, `idle` those without work; `silent` are
    cameras that should deliver and do not, `slow` those that deliver less than they are sampled. `saved` are frames that
    gates found not worth a call.
    """

    cameras: int = 0
    silent: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    sampled: float = 0.0
    lost: float = 0.0
    failed: float = 0.0
    saved: float = 0.0
    calls: float = 0.0
    quota: float | None = None
    allowed: float | None = None
    held: str = ""
    threads: int = 0
    idle: int = 0
    queue_length: int = 0
    is_local_service: bool = False
    stages: Mapping[str, float] | None = None


def find(signs: Signs) -> Bottleneck:
    """Name the bottleneck: the first of these that is so.

    1. quota: calls are held back altogether, for missing permission or a spent budget.
    2. workers: frames are sampled or jobs wait, and no worker thread is alive.
    3. If more than 2 % of the sampled frames fail: quota where throttles have cut the limit, else service.
    4. If more than 2 % of the sampled frames are superseded or dropped (the system cannot keep up):
       a. quota: at least 90 % of the calls that the limit allows now are made;
       b. where at least 90 % of the threads are busy: uplink if the median upload lasts longer than 0.15 s (where JPEG
          quality begins to yield) or than the service, service if it answers from this machine or takes over a second,
          else workers (more threads would help);
       c. otherwise the stage with the longest median: queue workers, limit quota, upload uplink, service service.
    5. cameras: there are none, or some do not deliver, or deliver fewer frames than are asked of them.
    6. none: what is sampled is analysed.
    """
    if signs.held:
        return Bottleneck(What.QUOTA, signs.held)
    if signs.threads == 0 and (signs.sampled > 0 or signs.queue_length > 0):
        return Bottleneck(What.WORKERS, "no worker is running: start one with `rekstream work`")
    if signs.failed > LOSS * signs.sampled:
        return _failing(signs)
    if signs.lost > LOSS * signs.sampled:
        return _overload(signs)
    return _cameras(signs) or Bottleneck(What.NONE, _all_well(signs))


def _all_well(signs: Signs) -> str:
    if not signs.sampled:
        return "nothing to do"
    return (
        f"every frame worth a call is analysed, {signs.saved:.1f}/s are not"
        if signs.saved
        else "every sampled frame is analysed"
    )


def _failing(signs: Signs) -> Bottleneck:
    share = f"{signs.failed:.1f} of {signs.sampled:.1f} frames/s fail"
    if signs.quota and signs.allowed and signs.allowed < signs.quota:
        return Bottleneck(What.QUOTA, f"{share}; {_allowed(signs)} calls/s are allowed")
    return Bottleneck(What.SERVICE, f"{share}: the notices say why")


def _overload(signs: Signs) -> Bottleneck:
    excess = f"{signs.lost:.1f} of {signs.sampled:.1f} frames/s are superseded or dropped"
    if signs.allowed and signs.calls >= FULL * signs.allowed:
        return Bottleneck(What.QUOTA, f"{signs.calls:.1f} of {_allowed(signs)} calls/s are used; {excess}")
    if signs.threads - signs.idle >= FULL * signs.threads:
        return _busy_threads(signs, excess)
    stages = signs.stages or {}
    causes = {"queue": What.WORKERS, "limit": What.QUOTA, "upload": What.UPLINK, "service": What.SERVICE}
    longest = max(causes, key=lambda stage: stages.get(stage, 0.0))
    seconds = stages.get(longest, 0.0)
    return Bottleneck(causes[longest], f"the stage {longest} takes longest, {_ms(seconds)} at the median; {excess}")


def _busy_threads(signs: Signs, excess: str) -> Bottleneck:
    stages = signs.stages or {}
    upload, service = stages.get("upload", 0.0), stages.get("service", 0.0)
    busy = f"{signs.threads - signs.idle} of {signs.threads} threads are busy"
    if upload > min(service, SLOW_UPLOAD_SECONDS):
        return Bottleneck(What.UPLINK, f"sending a frame takes {_ms(upload)}, the answer {_ms(service)}; {excess}")
    if signs.is_local_service or service > SLOW_SERVICE_SECONDS:
        return Bottleneck(What.SERVICE, f"an answer takes {_ms(service)} and {busy}; {excess}")
    return Bottleneck(What.WORKERS, f"{busy}: start more with `rekstream work`; {excess}")


def _cameras(signs: Signs) -> Bottleneck | None:
    if signs.cameras == 0:
        return Bottleneck(What.CAMERAS, "there is no camera: add one")
    if signs.silent:
        return Bottleneck(What.CAMERAS, f"no pictures come from {_some(signs.silent, signs.cameras)}")
    if signs.slow:
        return Bottleneck(What.CAMERAS, f"fewer frames than are asked for come from {_some(signs.slow, signs.cameras)}")
    return None


def _allowed(signs: Signs) -> str:
    if signs.quota and signs.allowed and signs.allowed < signs.quota:
        return f"{signs.allowed:.1f} (the limit of {signs.quota:g} was cut after a throttle)"
    return f"{signs.allowed:.1f}"


def _some(names: tuple[str, ...], of: int) -> str:
    shown = ", ".join(names[:SHOWN_NAMES]) + (" …" if len(names) > SHOWN_NAMES else "")
    return f"{len(names)} of {of} cameras ({shown})"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
