"""Late binding: one mailbox a camera that holds its newest sampled frame, and the accounts that add up.

    offer ──> [ mailbox ] ──hold … take──> in flight ──finish──> results
                  │ superseded                │ failed{cause}        analysed

    sampled = analysed + superseded + dropped{cause} + failed{cause} + in flight

holds at any time, per camera, through any kill, because each move is one script on Redis (pipeline/lua). Every call carries the
job's token and may be repeated: a second `take` returns the same frame, a second `finish` counts nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

import redis

from pipeline import keys
from pipeline.entities import Frame, Operation, Policy, S3Object, TakenFrame
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Statement

FLIGHT_SECONDS = 15.0  # call time-outs of 2 s to connect and 10 s to read leave 3 s for the rest
NEWEST_FRAME_SECONDS = 60

_SCRIPTS = ("offer", "settle", "hold", "release", "take", "extend", "finish", "sweep", "balance", "forget")


class Offer(StrEnum):
    """What became of an offered frame."""

    ENQUEUED = "enqueued"  # the mailbox was empty: a job was enqueued for it
    REPLACED = "replaced"  # an older frame was superseded; the waiting job serves this one
    FULL = "full"  # policy `every`: not accepted and not counted, offer it again
    DUPLICATE = "duplicate"  # it was accepted before, and its reply was lost
    FENCED = "fenced"  # another producer has the camera now


class Finished(NamedTuple):
    """How a token ended: `counted` is False for a frame that was given up as lost before its result came."""

    counted: bool
    id: str
    published_at: float


@dataclass(frozen=True, slots=True)
class Balance:
    """A camera's frame counters at one moment; `late`, `reenqueued` and `retried` are not part of the sum."""

    sampled: int = 0
    analysed: int = 0
    superseded: int = 0
    in_flight: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    late: int = 0
    reenqueued: int = 0
    retried: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every sampled frame is accounted for."""
        ended = self.analysed + self.superseded + sum(self.dropped.values()) + sum(self.failed.values())
        return self.sampled == ended + self.in_flight


class Mailbox:
    """The mailboxes of all cameras, on a connection that repeats nothing by itself; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._connection = connection
        folder = files("pipeline") / "lua"
        common = (folder / "common.lua").read_text()
        self._scripts = {name: connection.register_script(common + (folder / f"{name}.lua").read_text()) for name in _SCRIPTS}

    # --- producers ---

    def offer(self, frame: Frame, statement: Statement, policy: Policy, fence: int | None = None) -> Offer:
        """Put `frame` into its camera's mailbox and make sure that a job will come for it.

        `statement` is the ledger's, up to this frame; `fence` the number of the producer's lease, None without one.
        """
        camera = frame.camera
        what, token = self._run(
            "offer",
            [*_box(camera), keys.in_flight(camera), QUEUE_KEY, keys.RESULTS, keys.fence(camera), keys.MAILBOXES],
            [
                camera,
                statement.as_json(),
                frame.jpeg,
                _meta(frame),
                policy,
                _new_token(),
                "" if fence is None else fence,
                frame.operation,
                b"" if isinstance(frame.target, S3Object) else frame.target,
            ],
        )
        if token:
            self._jobs.enqueue(camera, token.decode())
        return Offer(what.decode())

    def settle(self, camera: str, statement: Statement) -> None:
        """Count what a producer sampled and dropped without having a frame to offer after it."""
        self._run("settle", [keys.counts(camera)], [statement.as_json()])

    def drained(self, camera: str) -> bool:
        """Say whether nothing of the camera waits or is in flight."""
        return self.balance(camera).in_flight == 0

    # --- workers ---

    def hold(self, camera: str, token: str) -> str | None:
        """Renew the lease of a job that waits for its slot; return the operation that is asked, None for a stale job."""
        operation = self._run("hold", [keys.box(camera)], [token])
        return None if operation is None else operation.decode() or Operation.DETECT_FACES

    def release(self, camera: str, token: str) -> None:
        """Give up a job before its frame was taken, so that another one is enqueued at once."""
        self._run("release", [keys.box(camera)], [token])

    def take(self, camera: str, token: str, seconds: float = FLIGHT_SECONDS, provider: str = "") -> TakenFrame | None:
        """Take the newest frame there is, to be finished within `seconds`; None when the job is stale.

        `provider` is who will be asked, which stands in the result if nobody finishes it.
        """
        values = self._run(
            "take",
            [*_box(camera), keys.in_flight(camera), keys.RESULTS, keys.taken(token)],
            [camera, token, seconds, provider],
        )
        return None if values is None else _taken(camera, token, values)

    def extend(self, camera: str, token: str, seconds: float = FLIGHT_SECONDS) -> bool:
        """Say that the frame is still in hands for `seconds`; False when it was given up as lost meanwhile."""
        return bool(self._run("extend", [keys.in_flight(camera)], [token, seconds]))

    def finish(self, taken: TakenFrame, outcome: str, result: Mapping[str, Any], instead: bytes | None = None) -> Finished:
        """Publish the result and count the frame as `outcome`: ``analysed`` or ``failed:CAUSE``.

        The picture of an analysed frame is kept for a minute; `instead` is kept in its place, none at all when it is empty.
        """
        camera, token = taken.frame.camera, taken.token
        what, entry, published_at = self._run(
            "finish",
            [
                keys.counts(camera),
                keys.in_flight(camera),
                keys.RESULTS,
                keys.taken(token),
                keys.newest(camera),
                keys.done(token),
                keys.overtaken(camera),
            ],
            [camera, token, outcome, json.dumps(result, separators=(",", ":")), NEWEST_FRAME_SECONDS, *_kept(instead)],
        )
        return Finished(what == b"counted", entry.decode(), float(published_at))

    # --- whoever looks after the house ---

    def sweep(self) -> None:
        """Reap frames of lost workers and enqueue lost jobs, for every mailbox; those of tracks go when they are empty."""
        for camera in self.cameras():
            token = self._run(
                "sweep",
                [
                    *_box(camera),
                    keys.in_flight(camera),
                    QUEUE_KEY,
                    keys.RESULTS,
                    keys.MAILBOXES,
                    keys.again(camera),
                ],
                [camera, _new_token()],
            )
            if token:
                self._jobs.enqueue(camera, token.decode())

    def cameras(self) -> list[str]:
        """Return the ids of the cameras that have a mailbox."""
        members: Any = self._connection.smembers(keys.MAILBOXES)
        return sorted(member.decode() for member in members)

    def balance(self, camera: str) -> Balance:
        """Return a camera's counters, all of the same moment."""
        flat, in_flight = self._run(
            "balance",
            [keys.counts(camera), keys.in_flight(camera), keys.again(camera)],
            [],
        )
        counters = {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
        return _balance(counters, in_flight)

    def forget(self, camera: str) -> None:
        """Drop, and count, what waits for a camera that is gone."""
        self._run(
            "forget",
            [
                *_box(camera),
                keys.MAILBOXES,
                keys.again(camera),
                keys.newest(camera),
                keys.in_flight(camera),
                keys.overtaken(camera),
            ],
            [camera],
        )

    def _run(self, name: str, script_keys: list[str], args: list[Any]) -> Any:
        return self._scripts[name](keys=script_keys, args=args)


def _box(camera: str) -> list[str]:
    return [keys.box(camera), keys.counts(camera)]


def _kept(instead: bytes | None) -> tuple[str, bytes]:
    """Return which picture the script `finish` keeps, and that picture when it is not the frame's own."""
    if instead is None:
        return "own", b""
    return ("other", instead) if instead else ("none", b"")


def _new_token() -> str:
    return uuid.uuid4().hex


def _meta(frame: Frame) -> str:
    about: dict[str, Any] = {
        "number": frame.number,
        "captured_at": frame.captured_at,
        "width": frame.width,
        "height": frame.height,
        "encode_seconds": frame.encode_seconds,
        "attributes": frame.attributes,
    }
    if frame.options:
        about["options"] = dict(frame.options)
    if frame.place is not None:
        about["place"] = asdict(frame.place)
    if isinstance(frame.target, S3Object):
        about["target"] = asdict(frame.target)
    return json.dumps(about)


def _taken(camera: str, token: str, values: list[bytes]) -> TakenFrame:
    jpeg, meta, seq, attempt, taken_at, policy, operation, target = values
    about = json.loads(meta)
    frame = Frame(
        camera=camera,
        number=about["number"],
        captured_at=about["captured_at"],
        jpeg=jpeg,
        width=about["width"],
        height=about["height"],
        encode_seconds=about["encode_seconds"],
        attributes=tuple(about["attributes"]),
        operation=(operation or b"").decode() or Operation.DETECT_FACES,
        options=about.get("options", {}),
        place=S3Object(**about["place"]) if "place" in about else None,
        target=S3Object(**about["target"]) if "target" in about else target or b"",
    )
    return TakenFrame(
        token=token,
        seq=int(seq),
        frame=frame,
        taken_at=float(taken_at),
        policy=Policy(policy.decode()),
        attempt=int(attempt),
    )


def _balance(counters: dict[str, bytes], in_flight: int) -> Balance:
    def by_cause(kind: str) -> dict[str, int]:
        prefix = f"{kind}:"
        return {name[len(prefix) :]: int(value) for name, value in counters.items() if name.startswith(prefix)}

    def count(name: str) -> int:
        return int(counters.get(name, 0))

    return Balance(
        sampled=count("sampled"),
        analysed=count("analysed"),
        superseded=count("superseded"),
        in_flight=in_flight,
        dropped=by_cause("dropped"),
        failed=by_cause("failed"),
        late=count("late"),
        reenqueued=count("reenqueued"),
        retried=count("retried"),
    )
