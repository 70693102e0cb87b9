"""Alembic's way in: runs the versions on the connection that `database.upgrade` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from history.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters little: Alembic copies the table instead
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
