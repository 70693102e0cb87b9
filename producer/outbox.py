"""Where frames go, as those who make them know it."""

from __future__ import annotations

from typing import Protocol

from pipeline.entities import Frame, Policy
from pipeline.ledger import Statement
from pipeline.mailbox import Offer


class Outbox(Protocol):
    """Where frames go: `pipeline.mailbox.Mailbox`; its methods raise redis.RedisError."""

    def offer(self, frame: Frame, statement: Statement, policy: Policy, fence: int | None = None) -> Offer:
        """Put a frame into its camera's mailbox."""
        ...

    def settle(self, camera: str, statement: Statement) -> None:
        """Count frames that were dropped without one to offer after them."""
        ...

    def drained(self, camera: str) -> bool:
        """Say whether nothing of the camera waits or is in flight."""
        ...
