"""The tables of watches, alerts and their deliveries, for the database of people; URLs of receivers are secrets in it."""

from __future__ import annotations

from people import appearances

TABLES = (
    *appearances.TABLES,
    "CREATE TABLE IF NOT EXISTS receivers (id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE IF NOT EXISTS watches (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, cameras TEXT NOT NULL, receivers TEXT NOT NULL,
    cooldown REAL NOT NULL, schedule TEXT NOT NULL, created_at REAL NOT NULL
) STRICT""",
    "CREATE TABLE IF NOT EXISTS file_watches (id TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, watch TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT NOT NULL, camera TEXT NOT NULL,
    subject TEXT NOT NULL, person TEXT NOT NULL, visit TEXT NOT NULL, track TEXT NOT NULL, result TEXT NOT NULL,
    captured_at REAL NOT NULL, at REAL NOT NULL, what TEXT NOT NULL, verdict TEXT, UNIQUE (watch, cause)
) STRICT""",
    "CREATE INDEX IF NOT EXISTS alerts_by_time ON alerts (at)",
    "CREATE INDEX IF NOT EXISTS alerts_by_watch ON alerts (watch, camera, subject, captured_at)",
    "CREATE INDEX IF NOT EXISTS alerts_by_visit ON alerts (visit)",
    """CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, alert TEXT NOT NULL, receiver INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, since REAL NOT NULL, ended_at REAL,
    trouble TEXT NOT NULL DEFAULT '', UNIQUE (alert, receiver)
) STRICT""",
    "CREATE INDEX IF NOT EXISTS deliveries_in_line ON deliveries (receiver, id) WHERE state = 'waiting'",
)
