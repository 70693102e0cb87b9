"""The people process as a process of its own, to be killed: `python -m tests.people.enrolling REDIS FOLDER COLLECTION STEP`.

It kills itself, as nothing else can hit that moment, once Rekognition has answered the operation STEP for the first time.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from people.calls import Calls
from people.house import PeopleSettings
from people.process import run
from pipeline.broker import Broker
from tests.people.support import LOCAL


def main(redis_url: str, folder: str, collection: str, step: str) -> None:
    call = Calls.call

    def call_and_die(self: Calls, operation: str, options: Mapping[str, Any], *rest: Any) -> dict[str, Any]:
        answer = call(self, operation, options, *rest)  # type: ignore[arg-type]  # an Operation is a str
        if operation == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Calls.call = call_and_die  # type: ignore[method-assign, assignment]  # this process is made to die
    run(Broker(redis_url), PeopleSettings(Path(folder), LOCAL, collection=collection), threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
