"""Whether one part of the system is well on this machine: what the health checks of containers ask."""

from __future__ import annotations

import contextlib
import socket

import httpx
import redis

from pipeline.errors import BrokerError, RekstreamError
from pipeline.presence import Process, living
from pipeline.settings import Settings
from rekstream.parts import broker_of

TIMEOUT_SECONDS = 3.0
_ROLES = {"produce": "producer", "work": "worker", "people": "people", "history": "history"}  # who meets in Redis, by command


class UnwellError(RekstreamError):
    """The part does not run here, or does not do its work."""


def check_health(part: str, settings: Settings) -> str:
    """Return one sentence about the part that a command runs, if it is well; raises UnwellError or BrokerError."""
    return _seen_in_redis(part, settings) if part in _ROLES else _answers(part, settings)


def _seen_in_redis(part: str, settings: Settings) -> str:
    here = socket.gethostname()
    with contextlib.closing(broker_of(settings)) as broker:
        try:
            found = [process for process in living(broker.scripts, _ROLES[part]) if process.host == here]
        except redis.RedisError as error:
            raise BrokerError(f"Redis at {broker.address} does not answer: is it running?") from error
    if not found:
        raise UnwellError(f"no `rekstream {part}` on {here} was heard of in the last seconds: see its log")
    if part == "work" and not any(map(_threads, found)):
        raise UnwellError(f"no thread of the worker on {here} is alive: see its log")
    return f"{part} on {here} is well"


def _threads(process: Process) -> int:
    return int(process.details.get("alive", 0))


def _answers(part: str, settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    try:
        answer = httpx.get(f"{url}/healthz", timeout=TIMEOUT_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise UnwellError(f"{part} does not answer at {url} ({error}): see its log") from error
    if not answer.is_success:
        raise UnwellError(f"{part} at {url} answers {answer.status_code}: see its log")
    return f"{part} at {url} is well"
