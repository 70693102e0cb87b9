"""Which cameras name nobody, written down here: what is read by itself, as by an export, names nobody of theirs either."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Column, Connection, Table, Text, delete, select

from history.database import insert_new
from history.house import House, Recorder
from history.schema import METADATA
from pipeline.cameras import CameraRegistry
from pipeline.chores import Chore

LOOK_SECONDS = 2.0

nameless = Table("nameless", METADATA, Column("camera", Text, primary_key=True), sqlite_with_rowid=False)
"""The cameras whose purpose names nobody; one that was removed stays what it was."""


class Nameless(Recorder):
    """Follows the purposes of the cameras."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._cameras = CameraRegistry(house.broker.scripts)
        self._version = -1

    def chores(self) -> Sequence[Chore]:
        """Look whether a camera is for something else now."""
        return (Chore("purposes", LOOK_SECONDS, self.look),)

    def look(self) -> None:
        """Write down what changed."""
        version = self._cameras.version()
        if version == self._version:
            return
        cameras = self._cameras.all()
        naming = [camera.id for camera in cameras if camera.purpose.names_people]
        others = [{"camera": camera.id} for camera in cameras if not camera.purpose.names_people]
        with self.house.database.writing() as connection:
            connection.execute(delete(nameless).where(nameless.c.camera.in_(naming)))
            insert_new(connection, nameless, others)
        self._version = version


def who_may_be_named(connection: Connection) -> Callable[[str], bool]:
    """Return what says whether people at a camera may be named."""
    hidden = set(connection.execute(select(nameless.c.camera)).scalars())
    return lambda camera: camera not in hidden
