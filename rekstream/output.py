"""Results of cameras as lines of JSON in a file, none left out, in the order in which they came.

They hold the names that faces have when they are written: the file is for its owner only, and `forget` does not reach it.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import redis

from pipeline.broker import Broker
from pipeline.camera_spec import is_camera
from pipeline.errors import SettingsError
from pipeline.names import Names
from pipeline.results import Results

_PAGE = 1000
_RIGHTS = 0o600  # of a new file


class ResultFile:
    """Appends the results of one run; opening it raises SettingsError when it cannot be written."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _RIGHTS), "a", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{path} cannot be written ({error.strerror}): name another file with --output") from error
        self._after: str | None = None

    def begin(self, after: str) -> None:
        """Leave out what came before the result of this id."""
        self._after = after

    def write_new(self, broker: Broker) -> None:
        """Write what came out since the last call; when Redis is away, the next call goes on where this one stopped."""
        if self._after is None:
            return
        with contextlib.suppress(redis.RedisError):
            results, names = Results(broker.scripts), Names(broker.scripts)
            found, after = results.read(self._after, limit=_PAGE)
            while found:
                ours = [result for result in found if is_camera(result.camera)]
                self._file.writelines(json.dumps(result.as_json()) + "\n" for result in names.into(ours))
                self._after = after
                found, after = results.read(after, limit=_PAGE)
        self._file.flush()

    def finish(self, broker: Broker) -> None:
        """Write the last ones and close the file."""
        self.write_new(broker)
        self._file.close()
