"""What every web socket here needs: a bound on how much is said, and room for the reason why it ends."""

from __future__ import annotations

import time

from pipeline.errors import SettingsError, redact

_REASON_BYTES = 120  # a close frame has room for 123 (RFC 6455, section 5.5)


class Allowance:
    """How many messages may come: so many a second, and `at_once` after a silence."""

    def __init__(self, a_second: float, at_once: float) -> None:
        self._a_second = a_second
        self._at_once = self._left = float(at_once)
        self._at = time.monotonic()

    def spend(self) -> None:
        """Count a message; raises SettingsError when there are too many."""
        now = time.monotonic()
        self._left = min(self._at_once, self._left + (now - self._at) * self._a_second) - 1
        self._at = now
        if self._left < 0:
            raise SettingsError(f"more than {self._a_second:g} messages a second are too many: send fewer")


def close_reason(sentence: str) -> str:
    """Return as much of a sentence as a close frame holds, without passwords."""
    return redact(sentence).encode(errors="replace")[:_REASON_BYTES].decode(errors="ignore")
