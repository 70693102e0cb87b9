"""The rooms of the history process: whoever adds a room adds it here."""

from __future__ import annotations

from history.archive import ArchivedPictures
from history.attendance import Attendance
from history.audience import Audience
from history.forgetting import Forgetting
from history.house import Recorder
from history.latency import Latency
from history.mirror import Mirror
from history.nameless import Nameless
from history.people_desk import PeopleDesk
from history.records import Records
from history.retention import Retention
from history.schema import METADATA
from history.search import Search
from history.shows import Shows
from history.spending import SpendingBook
from history.status import Status
from history.timeline import Timeline

ROOMS: tuple[type[Recorder], ...] = (
    ArchivedPictures,
    Records,
    Status,
    SpendingBook,
    Latency,
    Audience,
    Shows,
    Mirror,
    PeopleDesk,
    Nameless,
    Search,
    Timeline,
    Attendance,
    Forgetting,
    Retention,
)
"""In the order in which they hear results."""

TABLES = METADATA
"""All tables, of the rooms too: whole only where it is taken from here."""
