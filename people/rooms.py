"""The rooms of the people process, and all tables of people.sqlite: whoever adds a room adds it here."""

from __future__ import annotations

from people import follower
from people.adoption import Adoption
from people.alerts import Alerts
from people.audit import Audit
from people.budget_alerts import BudgetAlerts
from people.changes import Changes
from people.corrections import Corrections
from people.desk import Desk
from people.enrolment import Enrolment
from people.erasing import Erasing
from people.face_library import Library
from people.forgetting import Forgetting
from people.guestbook import Guestbook
from people.history_desk import HistoryDesk
from people.house import Room
from people.identities import Identities
from people.register import Register

ROOMS: tuple[type[Room], ...] = (
    Register,
    Audit,
    Library,
    Enrolment,
    Desk,
    Forgetting,
    Adoption,
    Identities,
    Corrections,
    Guestbook,
    Alerts,
    BudgetAlerts,
    HistoryDesk,
    Erasing,
    Changes,
)
"""In the order in which they hear results."""

TABLES = (*follower.TABLES, *(table for room in ROOMS for table in room.tables))
