"""The people who are known: their names, why they may be known, and which faces of a collection are theirs."""

from __future__ import annotations

import difflib
import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from people.house import Room
from pipeline.errors import PersonExists, SettingsError, UnknownPerson

LONGEST_NAME, LONGEST_BASIS = 100, 500
PERSON_PREFIX = "p_"
USER, EXTERNAL = "user", "external"  # kinds of aliases
_PERSON = "SELECT id, name, consent, legal_basis, added, forgetting FROM people"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is known; `consent` is a date (2026-11-23) or '', `legal_basis` words or ''.

    Once `forgetting` is set nobody is recognised as this person any more, and nothing but the rest of it is left to do.
    """

    id: str
    name: str
    consent: str
    legal_basis: str
    added: float
    forgetting: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where faces are kept: a collection of one provider (`Provider.scope`); vectors of another one mean nothing here."""

    scope: str
    collection: str


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face of a collection that is a person's; `quality` is what was measured in its picture, which is not kept."""

    id: str
    place: Place
    person: str
    added: float
    quality: Mapping[str, float]


class Register(Room):
    """Who is known; every method may raise StorageError."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS people (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            consent TEXT NOT NULL,
            legal_basis TEXT NOT NULL,
            added REAL NOT NULL,
            forgetting INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        """CREATE TABLE IF NOT EXISTS faces (
            id TEXT NOT NULL,
            scope TEXT NOT NULL,
            collection TEXT NOT NULL,
            person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
            added REAL NOT NULL,
            quality TEXT NOT NULL,
            PRIMARY KEY (scope, collection, id)
        ) STRICT""",
        "CREATE INDEX IF NOT EXISTS faces_of_person ON faces (person)",
        "CREATE INDEX IF NOT EXISTS faces_by_id ON faces (id)",
        """CREATE TABLE IF NOT EXISTS aliases (
            kind TEXT NOT NULL,
            alias TEXT NOT NULL,
            scope TEXT NOT NULL,
            collection TEXT NOT NULL,
            person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
            PRIMARY KEY (kind, alias, scope, collection)
        ) STRICT""",
        "CREATE INDEX IF NOT EXISTS aliases_of_person ON aliases (person)",
    )

    # --- who it is ---

    def person_of(self, face: Mapping[str, Any]) -> str | None:
        """Return the id of the person whose Face (of a FaceMatch) this is: by its id, its user, or its picture's own name."""
        for query, alias in (
            ("SELECT person FROM faces WHERE id = ?", face.get("FaceId")),
            ("SELECT person FROM aliases WHERE kind = 'user' AND alias = ?", face.get("UserId")),
            ("SELECT person FROM aliases WHERE kind = 'external' AND alias = ?", face.get("ExternalImageId")),
        ):
            found = self._rows(query, str(alias)) if alias else []
            if found:
                person = self.get(str(found[0][0]))
                return None if person is None or person.forgetting else person.id
        return None

    def name_of(self, person_id: str) -> str | None:
        """Return a person's name, None for nobody's id."""
        person = self.get(person_id)
        return None if person is None else person.name

    def get(self, person_id: str) -> Person | None:
        """Return a person by id."""
        return next(iter(self._people("WHERE id = ?", person_id)), None)

    def find(self, who: object) -> Person:
        """Return a person by id or name; raises UnknownPerson, which names the nearest name there is."""
        text = str(who).strip()
        found = self._people("WHERE id = ? OR name = ?", text, text)
        if found:
            return next((person for person in found if person.id == text), found[0])
        names = [person.name for person in self.all()]
        lower = {name.lower(): name for name in names}
        near = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=0.5)
        hint = f"did you mean {lower[near[0]]!r}?" if near else "see who is known with `rekstream faces list`"
        raise UnknownPerson(f"there is nobody called {text[:LONGEST_NAME]!r}: {hint}")

    def all(self) -> list[Person]:
        """Return everybody, by name."""
        return self._people("ORDER BY name COLLATE NOCASE")

    def faces(self, person_id: str | None = None) -> list[EnrolledFace]:
        """Return the faces of a person, or of everybody, oldest first."""
        rows = self._rows(
            """SELECT id, scope, collection, person, added, quality FROM faces
               WHERE ?1 IS NULL OR person = ?1 ORDER BY added, id""",
            person_id,
        )
        return [
            EnrolledFace(face, Place(scope, collection), person, added, json.loads(quality))
            for face, scope, collection, person, added, quality in rows
        ]

    def aliases(self, kind: str, place: Place, person_id: str | None = None) -> list[str]:
        """Return what a person, or everybody, is called in a collection: ids of users, or of pictures (ExternalImageId)."""
        query = """SELECT alias FROM aliases WHERE kind = ?1 AND scope = ?2 AND collection = ?3
            AND (?4 IS NULL OR person = ?4) ORDER BY alias"""
        return [str(alias) for (alias,) in self._rows(query, kind, place.scope, place.collection, person_id)]

    def enrolled(self, place: Place) -> list[str]:
        """Return the ids of the people who can be recognised by a collection."""
        rows = self._rows(
            """SELECT id FROM people WHERE NOT forgetting AND (
                id IN (SELECT person FROM faces WHERE scope = ?1 AND collection = ?2)
                OR id IN (SELECT person FROM aliases WHERE scope = ?1 AND collection = ?2 AND kind = ?3))""",
            place.scope,
            place.collection,
            EXTERNAL,
        )
        return [str(person) for (person,) in rows]

    def places(self, person_id: str | None = None) -> list[Place]:
        """Return the collections that hold faces or a user of a person, or of anybody."""
        query = """SELECT scope, collection FROM faces WHERE ?1 IS NULL OR person = ?1
            UNION SELECT scope, collection FROM aliases WHERE ?1 IS NULL OR person = ?1"""
        return [Place(str(scope), str(collection)) for scope, collection in self._rows(query, person_id)]

    # --- changes ---

    def add(self, name: object, consent: object = None, legal_basis: object = None) -> Person:
        """Add somebody, with no face yet; raises SettingsError or PersonExists."""
        person = self.draft(name, consent, legal_basis)
        self.keep(person)
        return person

    def draft(self, name: object, consent: object = None, legal_basis: object = None) -> Person:
        """Return somebody who could be added; raises SettingsError or PersonExists."""
        person = Person(
            f"{PERSON_PREFIX}{uuid.uuid4().hex[:12]}", _name(name), _consent(consent), _basis(legal_basis), time.time()
        )
        self._check_free(person)
        return person

    def keep(self, person: Person) -> None:
        """Add somebody; raises PersonExists."""
        with self.house.database.transaction():
            self._check_free(person)
            self._execute(
                "INSERT INTO people (id, name, consent, legal_basis, added) VALUES (?, ?, ?, ?, ?)",
                *(person.id, person.name, person.consent, person.legal_basis, person.added),
            )

    def change(self, person_id: str, changes: Mapping[str, object]) -> Person:
        """Change name, consent or legal_basis, where they are named; raises SettingsError, PersonExists or UnknownPerson."""
        checks = {"name": _name, "consent": _consent, "legal_basis": _basis}
        unknown = [member for member in changes if member not in checks]
        if unknown:
            raise SettingsError(f"a person has no member {unknown[0]!r}: change name, consent or legal_basis")
        with self.house.database.transaction():
            before = self.find(person_id)
            after = Person(**{**asdict(before), **{member: checks[member](value) for member, value in changes.items()}})
            self._check_free(after)
            self._execute(
                "UPDATE people SET name = ?, consent = ?, legal_basis = ? WHERE id = ?",
                *(after.name, after.consent, after.legal_basis, after.id),
            )
        return after

    def keep_face(self, face: EnrolledFace) -> None:
        """Keep that a face is a person's."""
        with self.house.database.transaction():
            self._execute(
                "INSERT OR REPLACE INTO faces VALUES (?, ?, ?, ?, ?, ?)",
                *(face.id, face.place.scope, face.place.collection, face.person, face.added, json.dumps(dict(face.quality))),
            )

    def drop_faces(self, place: Place, faces: Iterable[str]) -> None:
        """Keep no longer whose faces these are."""
        with self.house.database.transaction():
            for face in faces:
                self._execute(
                    "DELETE FROM faces WHERE id = ? AND scope = ? AND collection = ?", face, place.scope, place.collection
                )

    def keep_alias(self, kind: str, alias: str, place: Place, person_id: str) -> None:
        """Keep what a person is called in a collection."""
        with self.house.database.transaction():
            self._execute(
                "INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?, ?)", kind, alias, place.scope, place.collection, person_id
            )

    def drop_alias(self, kind: str, alias: str, place: Place) -> None:
        """Keep no longer what somebody is called in a collection."""
        with self.house.database.transaction():
            self._execute(
                "DELETE FROM aliases WHERE kind = ? AND alias = ? AND scope = ? AND collection = ?",
                *(kind, alias, place.scope, place.collection),
            )

    def begin_forgetting(self, person_id: str) -> None:
        """Recognise nobody as this person any more."""
        with self.house.database.transaction():
            self._execute("UPDATE people SET forgetting = 1 WHERE id = ?", person_id)

    def drop(self, person_id: str) -> None:
        """Keep nothing of a person in these tables."""
        with self.house.database.transaction():
            self._execute("DELETE FROM people WHERE id = ?", person_id)

    def count(self, person_id: str) -> int:
        """Return how many rows of these tables are about a person."""
        queries = (
            "SELECT count(*) FROM people WHERE id = ?",
            "SELECT count(*) FROM faces WHERE person = ?",
            "SELECT count(*) FROM aliases WHERE person = ?",
        )
        return sum(int(self._rows(query, person_id)[0][0]) for query in queries)

    def _check_free(self, person: Person) -> None:
        others = [other for other in self._people("WHERE name = ?", person.name) if other.id != person.id]
        if others:
            raise PersonExists(
                f"{others[0].name!r} is known already (as {others[0].id}): add pictures to them, or choose another name"
            )

    def _people(self, rest: str, *values: Any) -> list[Person]:
        rows = self._rows(f"{_PERSON} {rest}", *values)
        return [Person(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]

    def _rows(self, query: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        return self.house.database.rows(query, *values)

    def _execute(self, query: str, *values: Any) -> None:
        self.house.database.execute(query, *values)


def _name(value: object) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise SettingsError(f"name {str(value)[:40]!r}: write a name of 1 to {LONGEST_NAME} characters")
    return text


def _consent(value: object) -> str:
    if value is None or value == "":
        return ""
    try:
        day = datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise SettingsError(f"consent {str(value)[:40]!r}: write the day it was given as 2026-11-23") from None
    if day > datetime.now(UTC) + timedelta(days=1):
        raise SettingsError(f"consent {value}: that day is yet to come, write the day it was given")
    return day.date().isoformat()


def _basis(value: object) -> str:
    text = "" if value is None else value
    if not isinstance(text, str) or len(text) > LONGEST_BASIS:
        raise SettingsError(f"legal_basis {str(value)[:40]!r}…: write at most {LONGEST_BASIS} characters")
    return text.strip()
