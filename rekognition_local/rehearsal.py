"""Quotas, slowness and errors on demand, so that a system can be tried against a strict or failing Rekognition.

How fast Amazon's service answers was never measured here: a latency set is an assumption of whoever sets it.
"""

import math
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pipeline.errors import SettingsError
from pipeline.provider import default_quota
from rekognition_local.protocol import ServiceError, error_names, regions, service_model

DEFAULT_BURST = 3.0


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What to act out; as it is, nothing.

    `tps`: calls a second allowed, by operation, from a bucket of `burst` tokens; in JSON also the name of a region, whose
    default quotas are meant. `latency`: median seconds added to each call, `latency_sigma`: the spread of its logarithm.
    `errors`: share of calls, 0 to 1, answered with `error_code`, or with InternalServerError and ThrottlingException in turn.
    """

    tps: Mapping[str, float] = field(default_factory=dict)
    burst: float = DEFAULT_BURST
    latency: float = 0.0
    latency_sigma: float = 0.0
    errors: float = 0.0
    error_code: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.tps, Mapping):
            raise SettingsError(f'tps is {self.tps!r}; write {{"DetectFaces": 20}}')
        for operation, rate in self.tps.items():
            _require_operation(operation)
            _require(f"tps of {operation}", rate, above=0)
        _require("burst", self.burst, least=1)
        _require("latency", self.latency, least=0)
        _require("latency_sigma", self.latency_sigma, least=0)
        _require("errors", self.errors, least=0, most=1)
        if self.error_code is not None and self.error_code not in error_names():
            raise SettingsError(
                f"error_code is {self.error_code!r}; write the name of an error of AWS, such as AccessDeniedException"
            )

    @classmethod
    def from_json(cls, members: object) -> "Rehearsal":
        """Return the rehearsal a JSON object describes by these members' names; what it leaves out is off."""
        if not isinstance(members, dict):
            raise SettingsError('a rehearsal is a JSON object such as {"latency": 0.3}')
        known = [entry.name for entry in fields(cls)]
        unknown = sorted(set(members) - set(known))
        if isinstance(members.get("tps"), str):
            members = {**members, "tps": quotas_of(members["tps"])}
        if unknown:
            raise SettingsError(f"{unknown[0]!r} is no part of a rehearsal; it has {', '.join(known)}")
        return cls(**members)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)


def parse_tps(texts: Iterable[str]) -> dict[str, float]:
    """Return the rates that `DetectFaces=20` describes, or a region such as `us-east-1`: its default quotas; later ones win."""
    rates: dict[str, float] = {}
    for text in texts:
        operation, equals, rate = text.partition("=")
        if equals:
            rates[operation.strip()] = _number(rate, f"--tps {text}", "DetectFaces=20")
        else:
            rates |= quotas_of(text.strip())
    return rates


def quotas_of(region: str) -> dict[str, float]:
    """Return the default quota of each operation in a region of AWS; SettingsError for a name that is none."""
    known = regions()
    if region not in known:
        raise SettingsError(f"{region!r} is no region that Rekognition has; write one of {', '.join(known)}, or DetectFaces=20")
    return {operation: default_quota(operation, region) for operation in service_model().operation_names}


def parse_latency(text: str) -> tuple[float, float]:
    """Return median seconds and sigma of `0.3` or `0.3:0.15`."""
    median, _, sigma = text.partition(":")
    example = "0.3 or 0.3:0.15"
    return _number(median, f"--latency {text}", example), _number(sigma or "0", f"--latency {text}", example)


class Stage:
    """Acts a rehearsal out, for many calls at once; it can be changed while it runs."""

    def __init__(self, rehearsal: Rehearsal, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._random = random.Random()
        self._buckets: dict[str, TokenBucket] = {}
        self._failures = 0
        self.rehearsal = rehearsal

    def change(self, rehearsal: Rehearsal) -> None:
        """Act this one out from now on, with full buckets."""
        with self._lock:
            self.rehearsal = rehearsal
            self._buckets.clear()

    def admit(self, operation: str) -> None:
        """Take a token; without one, raise what AWS answers above the quota."""
        with self._lock:
            rate = self.rehearsal.tps.get(operation)
            if rate is None:
                return
            bucket = self._buckets.get(operation)
            if bucket is None:
                bucket = self._buckets[operation] = TokenBucket(rate, self.rehearsal.burst, self._clock)
            admitted = bucket.take()
        if not admitted:
            raise ServiceError("ProvisionedThroughputExceededException", f"more than {rate:g} calls a second of {operation}")

    def delay(self) -> float:
        """Return the seconds to add to a call: log-normal around the median."""
        rehearsal = self.rehearsal
        with self._lock:
            return rehearsal.latency * self._random.lognormvariate(0, rehearsal.latency_sigma)

    def failure(self) -> ServiceError | None:
        """Return an error for the share of calls that shall have one, instead of being done; None for the others."""
        with self._lock:
            if self._random.random() >= self.rehearsal.errors:
                return None
            self._failures += 1
            code = self.rehearsal.error_code or ("InternalServerError", "ThrottlingException")[self._failures % 2]
        return ServiceError(code, "this error was asked for: see /rehearsal")


class TokenBucket:
    """Admits `rate` calls a second, and `size` at once."""

    def __init__(self, rate: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._size, self._clock = rate, size, clock
        self._tokens, self._filled_at = size, clock()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Stats:
    """Counts calls by operation and outcome ("ok" or an error's name), and those being answered now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._in_flight = 0
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)

    def begin(self) -> None:
        """Count a call that has come in."""
        with self._lock:
            self._in_flight += 1

    def end(self, operation: str, outcome: str) -> None:
        """Count what became of it."""
        with self._lock:
            self._in_flight -= 1
            self._outcomes[operation][outcome] += 1

    def to_json(self) -> dict[str, Any]:
        """Return the counts since the start."""
        with self._lock:
            outcomes = {operation: dict(counts) for operation, counts in self._outcomes.items()}
            return {"seconds": time.monotonic() - self._started, "in_flight": self._in_flight, "operations": outcomes}


def _require_operation(name: str) -> None:
    if name not in service_model().operation_names:
        raise SettingsError(f"{name!r} is no operation of Rekognition; write one such as DetectFaces")


def _require(
    name: str, value: object, *, above: float | None = None, least: float | None = None, most: float | None = None
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingsError(f"{name} is {value!r}; it must be a number")
    if above is not None and not value > above:
        raise SettingsError(f"{name} is {value}; it must be more than {above}")
    if least is not None and not value >= least:
        raise SettingsError(f"{name} is {value}; the least is {least}")
    if most is not None and not value <= most:
        raise SettingsError(f"{name} is {value}; the most is {most}")


def _number(text: str, where: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{where}: {text!r} is no number; write {example}") from None
