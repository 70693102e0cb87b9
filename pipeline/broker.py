"""Redis as the processes meet in it: which server, which pools, and whether it can be used."""

from __future__ import annotations

import ipaddress
import logging
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.errors import BrokerError, redact

log = logging.getLogger(__name__)

SCRIPT_TIMEOUT_SECONDS = 2.0
BLOCKING_TIMEOUT_SECONDS = 15.0


class Broker:
    """One Redis or Valkey server, with two pools of connections.

    `scripts` never repeats a command by itself (a repeated script counts twice or loses a frame) and gives up after two
    seconds; `jobs` may block for seconds, as RQ and stream readers do. `url` is redis://, rediss:// or unix://; a password may
    stand in it or come separately. Nothing connects before the first command; `check` does and says what is wrong. Raises
    BrokerError for another URL.
    """

    def __init__(self, url: str, password: str | None = None, max_connections: int = 1024) -> None:
        self._url = url
        self._password = password or _password_of(url)
        self._max_connections = max_connections
        self.scripts = self._client(socket_timeout=SCRIPT_TIMEOUT_SECONDS)
        self.jobs = self._client(socket_timeout=BLOCKING_TIMEOUT_SECONDS)

    @property
    def address(self) -> str:
        """The server's URL without its password, for people to read."""
        return redact(self._url)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server by this URL."""
        parts = urlsplit(self._url)
        return parts.scheme == "unix" or is_loopback(parts.hostname or "localhost")

    def check(self) -> None:
        """Make sure that the server answers and fits.

        Raises BrokerError when it does not answer, wants another password, is a cluster, or can be reached from other
        machines without a password. An evicting memory policy is logged as a warning.
        """
        if not self.is_local and not self._password:
            raise BrokerError(
                f"Redis at {self.address} needs a password, because whoever can write there decides what the workers do: "
                "set REKSTREAM_REDIS_PASSWORD or REKSTREAM_REDIS_PASSWORD_FILE"
            )
        try:
            server: Any = self.scripts.info("server")
            policy: Any = self.scripts.config_get("maxmemory-policy")
        except redis.AuthenticationError as error:
            raise BrokerError(self._wrong_password()) from error
        except redis.ResponseError as error:
            policy, server = {}, self._info_despite(error)
        except redis.RedisError as error:
            raise BrokerError(f"Redis at {self.address} does not answer ({_reason(error)}): is it running?") from error
        self._refuse_cluster(server)
        self._warn_of_eviction(policy.get("maxmemory-policy", "noeviction"))

    def ping(self) -> bool:
        """Say whether the server answers now."""
        try:
            return bool(self.scripts.ping())
        except redis.RedisError:
            return False

    def own_address(self) -> str:
        """Return the address of this machine from which it reaches the server, where others can reach its /metrics."""
        if self.is_local:
            return "127.0.0.1"
        parts = urlsplit(self._url)
        with socket.create_connection((parts.hostname or "localhost", parts.port or 6379), timeout=3) as probe:
            return str(probe.getsockname()[0])

    def close(self) -> None:
        """Close all connections."""
        self.scripts.close()
        self.jobs.close()

    def _client(self, socket_timeout: float) -> redis.Redis:
        try:
            pool = redis.ConnectionPool.from_url(
                self._url,
                max_connections=self._max_connections,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=socket_timeout,
                socket_connect_timeout=SCRIPT_TIMEOUT_SECONDS,
                **({"password": self._password} if self._password else {}),
            )
        except ValueError as error:
            raise BrokerError(f"{self.address!r} names no Redis: write redis://HOST:6379, rediss:// or unix://PATH") from error
        return redis.Redis(connection_pool=pool)

    def _wrong_password(self) -> str:
        given = "does not accept the password" if self._password else "asks for a password"
        return f"Redis at {self.address} {given}: set REKSTREAM_REDIS_PASSWORD or REKSTREAM_REDIS_PASSWORD_FILE"

    def _info_despite(self, error: redis.ResponseError) -> Any:
        """Go on without CONFIG, which managed servers forbid; anything else is worth stopping for."""
        if "NOAUTH" in str(error):
            raise BrokerError(self._wrong_password()) from error
        try:
            return self.scripts.info("server")
        except redis.RedisError as second:
            raise BrokerError(f"Redis at {self.address} cannot be used ({_reason(second)})") from second

    def _refuse_cluster(self, server: dict[str, Any]) -> None:
        if "cluster" in (server.get("redis_mode"), server.get("server_mode")):
            raise BrokerError(
                f"Redis at {self.address} is a cluster, and the job queue's pipelines cross its slots: use a single server"
            )

    def _warn_of_eviction(self, policy: str) -> None:
        if policy != "noeviction":
            log.warning(
                "Redis at %s may evict keys (maxmemory-policy %s): counters and jobs can vanish; set it to noeviction",
                self.address,
                policy,
            )


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _password_of(url: str) -> str | None:
    password = urlsplit(url).password
    return unquote(password) if password else None


def _reason(error: redis.RedisError) -> str:
    return redact(str(error).split("\n", maxsplit=1)[0].rstrip(".")) or type(error).__name__
