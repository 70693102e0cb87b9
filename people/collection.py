"""One collection of faces and its users, through Rekognition's operations; nothing of it is remembered here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from people.calls import CallError, Calls, Picture
from people.register import Place
from pipeline.entities import Operation

_PAGE_OF_USERS, _PAGE_OF_FACES = 500, 4096
_MOST_FACES_A_CALL = 100  # of AssociateFaces and DisassociateFaces
_TRIES = 4
_PAUSE_SECONDS = 1.0  # after a conflict: another change of the collection is under way


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection at `place`; methods may raise CallError or redis.RedisError. What is absent already need not be deleted."""

    calls: Calls
    place: Place

    def make(self) -> None:
        """Create it, unless it is there."""
        _unless("exists", lambda: self._call(Operation.CREATE_COLLECTION))

    def counts(self) -> tuple[int, int] | None:
        """Return how many faces and users it has, None when there is no such collection."""
        about = _unless("absent", lambda: self._call(Operation.DESCRIBE_COLLECTION))
        return (int(about["FaceCount"]), int(about.get("UserCount") or 0)) if about else None

    def search(self, picture: Picture, threshold: float) -> Sequence[Mapping[str, Any]]:
        """Return the FaceMatches of the largest face; none without such a collection, or without a face."""
        options = {"FaceMatchThreshold": threshold, "MaxFaces": 10, "QualityFilter": "NONE"}
        operation = Operation.SEARCH_FACES_BY_IMAGE
        found = _unless("absent", lambda: _unless("no_face", lambda: self._call(operation, options, picture)))
        return list(found["FaceMatches"]) if found else []

    def index(self, picture: Picture, external: str, mailbox: str) -> Mapping[str, Any]:
        """Keep the largest face under a name of its picture's own, if it is good enough; return the whole answer."""
        options = {"ExternalImageId": external, "MaxFaces": 1, "QualityFilter": "AUTO", "DetectionAttributes": ["DEFAULT"]}
        return self._call(Operation.INDEX_FACES, options, picture, mailbox)

    def add_user(self, user: str) -> None:
        """Create a user, unless it is there."""
        _unless("conflict", lambda: self._call(Operation.CREATE_USER, {"UserId": user}))

    def associate(self, user: str, face: str) -> float | None:
        """Make a face the user's; return None, or how alike it is, in percent, where that is too little."""
        options = {"UserId": user, "FaceIds": [face]}
        answer = self._patiently(lambda: self._call(Operation.ASSOCIATE_FACES, options))
        failed = answer.get("UnsuccessfulFaceAssociations") or []
        if not failed:
            return None
        if "LOW_MATCH_CONFIDENCE" not in failed[0].get("Reasons", ()):
            raise CallError(f"Rekognition did not take the face for {user} ({', '.join(failed[0].get('Reasons', ()))})")
        return float(failed[0].get("Confidence") or 0)

    def delete_user(self, user: str) -> None:
        """Delete a user; its faces stay, as nobody's."""
        _unless("absent", lambda: self._patiently(lambda: self._call(Operation.DELETE_USER, {"UserId": user})))

    def delete_faces(self, faces: Sequence[Mapping[str, Any]]) -> None:
        """Delete these faces (as `faces` or `faces_by_id` return them), those of users, too."""
        owned: dict[str, list[str]] = {}
        for face in faces:
            if face.get("UserId"):
                owned.setdefault(str(face["UserId"]), []).append(str(face["FaceId"]))
        for user, ids in owned.items():
            for start in range(0, len(ids), _MOST_FACES_A_CALL):
                self._disassociate(user, ids[start : start + _MOST_FACES_A_CALL])
        everything = [str(face["FaceId"]) for face in faces]
        for start in range(0, len(everything), _PAGE_OF_FACES):
            self._delete_faces(everything[start : start + _PAGE_OF_FACES])

    def users(self) -> Iterator[str]:
        """Yield the ids of the users."""
        for page in self._pages(Operation.LIST_USERS, {"MaxResults": _PAGE_OF_USERS}):
            yield from (str(user["UserId"]) for user in page.get("Users") or ())

    def faces(self, **options: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the faces: all, or those that options of ListFaces (UserId) choose."""
        for page in self._pages(Operation.LIST_FACES, {"MaxResults": _PAGE_OF_FACES, **options}):
            yield from page.get("Faces") or ()

    def faces_by_id(self, ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return those of these faces that are there."""
        starts = range(0, len(ids), _PAGE_OF_FACES)
        return [face for start in starts for face in self.faces(FaceIds=list(ids[start : start + _PAGE_OF_FACES]))]

    def _delete_faces(self, faces: Sequence[str]) -> None:
        _unless("absent", lambda: self._call(Operation.DELETE_FACES, {"FaceIds": list(faces)}))

    def _disassociate(self, user: str, faces: Sequence[str]) -> None:
        options = {"UserId": user, "FaceIds": list(faces)}
        _unless("absent", lambda: self._patiently(lambda: self._call(Operation.DISASSOCIATE_FACES, options)))

    def _pages(self, operation: Operation, options: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        page = self._page(operation, options)
        while page:
            yield page
            more = page.get("NextToken")
            page = self._page(operation, {**options, "NextToken": more}) if more else None

    def _page(self, operation: Operation, options: Mapping[str, Any]) -> dict[str, Any] | None:
        return _unless("absent", lambda: self._call(operation, options))

    def _patiently(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Call again after a conflict: AWS changes a collection's users one at a time."""
        for _ in range(_TRIES - 1):
            try:
                return call()
            except CallError as error:
                if error.kind != "conflict":
                    raise
            threading.Event().wait(_PAUSE_SECONDS)
        return call()

    def _call(
        self, operation: Operation, options: Mapping[str, Any] | None = None, picture: Picture | None = None, mailbox: str = ""
    ) -> dict[str, Any]:
        members = {"CollectionId": self.place.collection, **(options or {})}
        return self.calls.call(operation, members, picture or Picture(b"", 0, 0), mailbox)


def _unless(kind: str, call: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return what a call answers, None where it fails in this one way."""
    try:
        return call()
    except CallError as error:
        if error.kind != kind:
            raise
        return None
