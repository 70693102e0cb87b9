"""Whoever looks at what is kept of people is written down by the people process."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from dashboard.process_desk import ProcessDesk
from pipeline.errors import PartAway

log = logging.getLogger(__name__)

NOTE_SECONDS = 5.0


async def note_view(people: ProcessDesk, caller: HTTPConnection, what: str, person: Mapping[str, str] | None) -> None:
    """Write into the audit log that `caller` looked at `what`, of a person if that was asked for; where it cannot, log it."""
    members = {"what": what, "person": person["Id"] if person else ""}
    try:
        await people.ask(caller, "audit.viewed", members, NOTE_SECONDS)
    except PartAway as error:
        log.warning("a look at %s is not in the audit log: %s", what, error)
