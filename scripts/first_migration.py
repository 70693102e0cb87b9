"""Writes history/migrations/versions/0001_first.py anew from the tables of the rooms: until a release has carried it.

python -m scripts.first_migration
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from history.rooms import TABLES

TARGET = Path(__file__).parents[1] / "history" / "migrations" / "versions" / "0001_first.py"
TEXT = '''"""The first version of the tables.

Written by `python -m scripts.first_migration` until a release has carried it; what changes after that is a new file.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
{upgrade}


def downgrade() -> None:
    """Drop the tables."""
{downgrade}
'''


def written() -> str:
    """Return what the file should hold."""
    with create_engine("sqlite://").connect() as connection:
        made = produce_migrations(MigrationContext.configure(connection), TABLES)
    up, down = render_python_code(made.upgrade_ops), render_python_code(made.downgrade_ops)
    return formatted(TEXT.format(upgrade=_body(up), downgrade=_body(down)))


def formatted(text: str) -> str:
    """Return Python as the house writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _body(code: str) -> str:
    return "    " + "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#")).strip()


if __name__ == "__main__":
    TARGET.write_text(written())
    print(f"wrote {TARGET.name}: see what changed with git diff")
