"""One people process serves a system, and a folder; another one waits until it is gone, so that nothing is told or paid twice.

Of the folder the kernel knows who has it (a lock that goes with the process), of the system Redis does (a lease).
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import time
import uuid
from pathlib import Path
from typing import IO, Any

import redis

from pipeline import keys

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0


class Ownership:
    """Whether this process is the one of its role; `look` renews it each second and may raise redis.RedisError.

    What it keeps is `file`; whoever has the lock beside that (people.lock, beside people.sqlite) uses it alone.
    """

    def __init__(self, connection: redis.Redis, role: str, file: Path) -> None:
        self.role = role
        self._connection: Any = connection
        self._file = file
        self._lock_file = file.with_suffix(".lock")
        self._lock: IO[bytes] | None = None
        self._key = keys.owner(role)
        self._me = {"name": uuid.uuid4().hex, "host": socket.gethostname(), "pid": os.getpid()}
        self._until = 0.0
        self._has_warned = False

    @property
    def is_ours(self) -> bool:
        """Whether this process is to serve now."""
        return time.monotonic() < self._until

    def look(self) -> None:
        """Be the one, if no other is."""
        if not self._has_folder():
            self._wait_for(f"another rekstream uses {self._file}: name another folder with --data")
            return
        asked_at, life = time.monotonic(), int(LEASE_SECONDS * 1000)
        text = json.dumps(self._me)
        if self._connection.set(self._key, text, nx=True, px=life) or self._may_take_over():
            self._connection.set(self._key, text, px=life)
            self._until = asked_at + LEASE_SECONDS
            self._has_warned = False
            return
        self._wait_for(f"{self._holder()} serves this system as `rekstream {self.role}` already")

    def give_up(self) -> None:
        """Let another one serve at once; may raise redis.RedisError."""
        self._until = 0.0
        if self._lock is not None:
            self._lock.close()
        if self._read() == self._me:
            self._connection.delete(self._key)

    def _wait_for(self, why: str) -> None:
        self._until = 0.0
        if not self._has_warned:
            self._has_warned = True
            log.warning("%s; this one waits until that is gone", why)

    def _has_folder(self) -> bool:
        """Say whether the folder is this process's; it stays so while it lives."""
        if self._lock is not None:
            return True
        lock = self._lock_file.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _may_take_over(self) -> bool:
        """Say whether the holder is this process, or one of this machine that has died."""
        holder = self._read()
        if holder is None or holder == self._me:
            return True
        return holder.get("host") == self._me["host"] and not _is_alive(int(holder.get("pid", 0)))

    def _holder(self) -> str:
        holder = self._read() or {}
        return f"process {holder.get('pid')} on {holder.get('host')}"

    def _read(self) -> dict[str, Any] | None:
        text = self._connection.get(self._key)
        return None if text is None else dict(json.loads(text))


def _is_alive(pid: int) -> bool:
    """Say whether another process of this machine lives; a container that started again has its own number once more."""
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
