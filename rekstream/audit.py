"""The audit log of people, for commands that read the history by themselves: whoever writes names out is written down."""

from __future__ import annotations

from pathlib import Path

from people.audit import Audit, note
from people.database import FILE_NAME, Database
from pipeline.errors import RekstreamError

_WHO = "this machine"


def noted(data: Path, what: str, detail: str) -> str:
    """Write into the log of a data folder that names are written out, and return '', or one sentence where it cannot be."""
    path = data / FILE_NAME
    if not path.exists():
        return f"that names were written out stands in no audit log: there is no {path}"
    try:
        database = Database(data, Audit.tables)
        try:
            note(database, _WHO, what, "", detail)
        finally:
            database.close()
    except RekstreamError as error:
        return f"that names were written out does not stand in the audit log: {error}"
    return ""
