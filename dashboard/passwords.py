"""The password of the page: kept as a hash only, and guessed at no faster than people type."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dashboard.answers import RefusedError

MINUTE = 60.0
PER_ADDRESS, IN_ALL = 5, 60  # wrong passwords a minute
_COST, _BLOCK = 2**14, 8  # of scrypt: 16 MB and about 50 ms a try
_NETWORK_BITS = 64  # of an IPv6 address: the rest is at its owner's choice


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password: enough to tell whether another one is the same (scrypt, RFC 7914)."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str) -> PasswordHash:
        """Return the hash of a password, with a salt of its own."""
        salt = secrets.token_bytes(16)
        return cls(salt, _scrypt(password, salt))

    def fits(self, password: str) -> bool:
        """Say whether this is the password; takes as long whether it is or not."""
        return hmac.compare_digest(_scrypt(password, self.salt), self.digest)


class Attempts:
    """Counts wrong passwords of the last minute, by address and in all; used on the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tried: deque[tuple[float, str]] = deque()

    def begin(self, address: str) -> tuple[float, str]:
        """Count a try before its outcome is known, so that many at once are bounded too; raises RefusedError (429)."""
        now, who = self._clock(), _who(address)
        while self._tried and self._tried[0][0] <= now - MINUTE:
            self._tried.popleft()
        own = [when for when, other in self._tried if other == who]
        if len(own) >= PER_ADDRESS:
            raise _too_many(own[-PER_ADDRESS] + MINUTE - now)
        if len(self._tried) >= IN_ALL:
            raise _too_many(self._tried[-IN_ALL][0] + MINUTE - now)
        attempt = (now, who)
        self._tried.append(attempt)
        return attempt

    def forgive(self, attempt: tuple[float, str]) -> None:
        """Take a try back: the password was right."""
        if attempt in self._tried:
            self._tried.remove(attempt)


def _too_many(seconds: float) -> RefusedError:
    wait = max(1, math.ceil(seconds))
    return RefusedError(
        429, "TooManyAttempts", f"too many wrong passwords: try again in {wait} seconds", {"Retry-After": str(wait)}
    )


def _who(address: str) -> str:
    """Return whom an address stands for: itself, or its network where a caller has billions of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_loopback:  # noqa: PLR2004  # the version of IP
        return address
    return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(errors="surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=1)
