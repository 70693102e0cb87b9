"""The audit log of people, for commands that read the history by themselves: whoever writes names out is written down."""

from __future__ import annotations

import redis

from people.audit import Audit, note
from people.database import FILE_NAME, Database
from pipeline.broker import Broker
from pipeline.errors import RekstreamError
from pipeline.requests import PEOPLE, Requests
from pipeline.settings import Settings

_WHO = "this machine"
_SECONDS = 5.0
_UNNOTED = "that names were written out stands in no audit log"


def noted(settings: Settings, what: str, detail: str) -> str:
    """Write into the log that names are written out, and return '', or one sentence where it cannot be.

    It stands in people.sqlite of the data folder; where that is elsewhere, as with containers, the people process is asked.
    """
    path = settings.data / FILE_NAME
    try:
        if path.exists():
            database = Database(settings.data, Audit.tables)
            try:
                note(database, _WHO, what, "", detail)
            finally:
                database.close()
            return ""
        if settings.redis:
            _ask(settings, settings.redis, {"what": what, "detail": detail})
            return ""
    except (RekstreamError, redis.RedisError) as error:
        return f"{_UNNOTED}: {error}"
    return f"{_UNNOTED}: there is no {path}, and no REKSTREAM_REDIS at which to ask for it"


def _ask(settings: Settings, url: str, members: dict[str, str]) -> None:
    broker = Broker(url, settings.password())
    try:
        broker.check()
        Requests(broker, PEOPLE).ask("audit.note", members, _WHO, _SECONDS)
    finally:
        broker.close()
