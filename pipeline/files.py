"""Files that nobody but their owner may read."""

from __future__ import annotations

import os
from pathlib import Path


def create_private(path: Path) -> None:
    """Create a file, and its folder, with rights for its owner alone (SQLite gives its side files the same); raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
