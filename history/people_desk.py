"""What people.sqlite keeps of a show goes with it: at once where the people process runs, else as soon as it is back."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Connection, Double, Table, Text, and_, delete, select

from history.database import insert_new
from history.house import House, Recorder
from history.schema import METADATA
from pipeline.chores import Chore
from pipeline.errors import PeopleAway
from pipeline.requests import PEOPLE, Requests

log = logging.getLogger(__name__)

ASK_SECONDS = 5.0
_ME = "the history"

leftovers = Table(
    "people_leftovers",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("since", Double, primary_key=True),
    Column("until", Double, primary_key=True),
    sqlite_with_rowid=False,
)
"""What the people process is still to be asked to erase: all that a camera saw between two times."""


class PeopleDesk(Recorder):
    """Asks the people process to erase; what it could not be asked stands in the database until it could."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._people = Requests(house.broker, PEOPLE)

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Write down that visits and alerts of a camera between two times are to be erased there."""
        insert_new(connection, leftovers, [{"camera": camera, "since": since, "until": until}])
        return {}

    def chores(self) -> Sequence[Chore]:
        """Return what asks for what was written down."""
        return (Chore("visits elsewhere", ASK_SECONDS, self.finish),)

    def finish(self) -> None:
        """Have erased what was written down; nothing while the people process is away."""
        with self.house.database.reading() as connection:
            found = connection.execute(select(leftovers)).all()
        try:
            for row in found:
                self._people.ask("people.erase", row._asdict(), _ME)
                with self.house.database.writing() as connection:
                    same = and_(*(column == getattr(row, column.name) for column in leftovers.primary_key))
                    connection.execute(delete(leftovers).where(same))
        except PeopleAway as error:
            log.debug("people: %s", error)
