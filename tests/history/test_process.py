"""The history process as others meet it: over HTTP, by its heartbeat, and through migrations."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from dashboard.settings import DashboardSettings
from history.database import Database, upgrade, url_of, version_of, versions
from history.rooms import TABLES
from pipeline import keys
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from pipeline.presence import living
from scripts import first_migration
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, dashboard
from tests.history.support import history_process, publish


def test_how_the_history_does_is_told_over_http(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    with dashboard(session_valkey.url, DashboardSettings(data=tmp_path, provider=LOCAL, port=0)) as api:
        away = api.http.get("/api/history/status")
        assert (away.status_code, away.json()["error"]["code"]) == (503, "HistoryAway")
        assert "start `rekstream history`" in away.json()["error"]["message"]
        with history_process(broker, tmp_path, keep=3600.0):
            publish(broker)
            wait_until(lambda: broker.scripts.exists(keys.serving("history")))
            wait_until(lambda: api.get("/api/history/status")["results"] == 1)
            told = api.get("/api/history/status")
            assert (told["database"], told["keep_seconds"]) == (str(tmp_path / "history.sqlite"), 3600.0)
            assert (told["writing"], told["why"], told["behind"], told["gaps"]) == (True, "", 0, [])
            assert told["bytes"] > 10_000
            (present,) = living(broker.scripts, "history")
            served = httpx.get(f"http://{present.metrics}/metrics").text
            assert "rekstream_history_results_total 1.0" in served
            assert "rekstream_history_writing 1.0" in served
    assert living(broker.scripts, "history") == []


def test_migrations_lead_to_the_tables_that_the_rooms_have(tmp_path: Path) -> None:
    database = Database(tmp_path, "", TABLES)
    database._create_file()
    with database._begin("BEGIN IMMEDIATE") as connection:  # as an older program left it: with no table yet
        upgrade(connection)
        assert version_of(connection) == versions()[-1]
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    database.close()


def test_the_first_migration_is_what_its_script_writes() -> None:
    assert first_migration.TARGET.read_text() == first_migration.written(), "run python -m scripts.first_migration"


def test_a_database_of_a_newer_program_is_refused_in_one_sentence(tmp_path: Path) -> None:
    database = Database(tmp_path, "", TABLES)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(SettingsError, match=r"was written by a newer rekstream.*its version 9999"), database.reading():
        pass
    database.close()


@pytest.mark.parametrize(
    "url", ["mysql://root:secret@host/db", "postgresql://host", "sqlite://", "nonsense", "postgresql://h:x/d"]
)
def test_a_url_of_no_database_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="write postgresql://") as refused:
        url_of(tmp_path, url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "postgresql://host/db?user=me&password=secret"])
def test_what_a_database_is_called_has_no_password(url: str, tmp_path: Path) -> None:
    assert "secret" not in Database(tmp_path, url).name
