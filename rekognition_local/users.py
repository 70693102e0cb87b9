"""Users of a collection: several faces of one person under one id, searched as one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rekognition_local.faces import DEFAULT_THRESHOLD
from rekognition_local.gallery import Gallery
from rekognition_local.images import picture_of
from rekognition_local.paging import number, page
from rekognition_local.protocol import Operation, Response, ServiceError, invalid_parameter
from rekognition_local.quality import DEFAULT_WHEN_SEARCHED, judged
from rekognition_local.shapes import face_detail, percent
from rekognition_local.store import Collection, Store, StoredFace, User, Vector
from vision.embedding import distance, similarity
from vision.faces import FaceEngine

DEFAULT_ASSOCIATION_THRESHOLD = 75.0
MOST_FACES = 100
"""The most faces that a user may have."""

MOST_RESULTS = 500

_NOT_LARGEST = "FACE_NOT_LARGEST"


class UserOperations:
    """The operations on users."""

    def __init__(self, engine: FaceEngine, store: Store, gallery: Gallery) -> None:
        self._engine = engine
        self._store = store
        self._gallery = gallery

    def table(self) -> dict[str, Operation]:
        """Return the operations by AWS's name."""
        return {
            "CreateUser": self._once("CreateUser", self.create_user),
            "DeleteUser": self._once("DeleteUser", self.delete_user),
            "ListUsers": self.list_users,
            "AssociateFaces": self._once("AssociateFaces", self.associate_faces),
            "DisassociateFaces": self._once("DisassociateFaces", self.disassociate_faces),
            "SearchUsers": self.search_users,
            "SearchUsersByImage": self.search_users_by_image,
        }

    def create_user(self, params: Mapping[str, Any]) -> Response:
        """Answer CreateUser."""
        self._store.create_user(params["CollectionId"], params["UserId"])
        return {}

    def delete_user(self, params: Mapping[str, Any]) -> Response:
        """Answer DeleteUser: its faces stay in the collection."""
        self._store.delete_user(params["CollectionId"], params["UserId"])
        return {}

    def list_users(self, params: Mapping[str, Any]) -> Response:
        """Answer ListUsers, in the order they were made."""
        collection = self._store.collection(params["CollectionId"])
        users, more = page(
            params,
            f"users of {collection.number}",
            MOST_RESULTS,
            lambda after, count: self._store.users(collection, number(after), count),
            lambda user: user.number,
        )
        return {"Users": [_user(user) for user in users], **more}

    def associate_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer AssociateFaces: a user's first faces are taken as they are, later ones must be like those before."""
        with self._store.transaction():
            collection, user, sorting = self._sort(params)
            accepted, unlike = self._alike(user, sorting.nobodys, params)
            if user.faces + len(accepted) > MOST_FACES:
                raise ServiceError(
                    "ServiceQuotaExceededException",
                    f"the user {user.id} has {user.faces} faces and would have {user.faces + len(accepted)}; "
                    f"the most is {MOST_FACES}",
                )
            self._store.associate(collection, user, accepted)
            return {
                "AssociatedFaces": [{"FaceId": face.id} for face in accepted],
                "UnsuccessfulFaceAssociations": sorting.failures() + unlike,
                "UserStatus": _status(user.faces + len(accepted)),
            }

    def disassociate_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer DisassociateFaces: the faces stay in the collection."""
        with self._store.transaction():
            collection, user, sorting = self._sort(params)
            self._store.associate(collection, None, sorting.the_users)
            return {
                "DisassociatedFaces": [{"FaceId": face.id} for face in sorting.the_users],
                "UnsuccessfulFaceDisassociations": sorting.failures(),
                "UserStatus": _status(user.faces - len(sorting.the_users)),
            }

    def search_users(self, params: Mapping[str, Any]) -> Response:
        """Answer SearchUsers: the users that are like a face, or like another user."""
        if ("UserId" in params) == ("FaceId" in params):
            raise invalid_parameter("SearchUsers must have UserId or FaceId, one of the two")
        collection = self._store.comparable(params["CollectionId"])
        if "FaceId" in params:
            face = self._store.face(collection, params["FaceId"])
            matches = self._matches(collection, self._store.vector(face), params)
            return {**matches, "SearchedFace": {"FaceId": face.id}}
        user = self._store.user(collection, params["UserId"])
        vector = self._store.user_vector(user)
        matches = {"UserMatches": [], "FaceModelVersion": collection.model}
        if vector is not None:
            matches = self._matches(collection, vector, params, without=user.id)
        return {**matches, "SearchedUser": {"UserId": user.id}}

    def search_users_by_image(self, params: Mapping[str, Any]) -> Response:
        """Answer SearchUsersByImage: the users that are like the largest face of a picture; none where there is no face."""
        collection = self._store.comparable(params["CollectionId"])
        bar = params.get("QualityFilter", DEFAULT_WHEN_SEARCHED)
        picture = picture_of(params["Image"])
        rated = judged(self._engine.analyse(picture, ["DEFAULT"], vectors=True), picture, bar)
        unsearched = [(face, reasons if face is rated[0][0] else [_NOT_LARGEST, *reasons]) for face, reasons in rated]
        answer: Response = {"UserMatches": [], "FaceModelVersion": collection.model}
        if rated and not rated[0][1] and (vector := rated[0][0].vector) is not None:
            largest, _ = unsearched.pop(0)
            answer = self._matches(collection, vector, params)
            answer["SearchedFace"] = {"FaceDetail": face_detail(largest)}
        answer["UnsearchedFaces"] = [{"FaceDetails": face_detail(face), "Reasons": reasons} for face, reasons in unsearched]
        return answer

    def _once(self, name: str, operation: Operation) -> Operation:
        """Return the operation so that a call sent twice with one ClientRequestToken is done once."""

        def done_once(params: Mapping[str, Any]) -> Response:
            token = params.get("ClientRequestToken")
            if token is None:
                return operation(params)
            request = json.dumps(params, sort_keys=True)
            answer = self._store.once(params["CollectionId"], token, name, request, lambda: json.dumps(operation(params)))
            return dict(json.loads(answer))

        return done_once

    def _sort(self, params: Mapping[str, Any]) -> tuple[Collection, User, _Sorting]:
        collection = self._store.comparable(params["CollectionId"])
        user = self._store.user(collection, params["UserId"])
        wanted = list(dict.fromkeys(params["FaceIds"]))
        found = {face.id: face for face in self._store.faces(collection, 0, len(wanted), ids=wanted)}
        return collection, user, _Sorting.of(wanted, found, user)

    def _alike(self, user: User, faces: list[StoredFace], params: Mapping[str, Any]) -> tuple[list[StoredFace], list[Response]]:
        """Return the faces that are like the user so far, all of them if it has none, and the others as failures."""
        own = self._store.user_vector(user)
        if own is None:
            return faces, []
        threshold = params.get("UserMatchThreshold", DEFAULT_ASSOCIATION_THRESHOLD)
        rated = [(face, self._similarity(own, face)) for face in faces]
        return [face for face, alike in rated if alike >= threshold], [
            {"FaceId": face.id, "Confidence": percent(alike), "Reasons": ["LOW_MATCH_CONFIDENCE"]}
            for face, alike in rated
            if alike < threshold
        ]

    def _similarity(self, own: Vector, face: StoredFace) -> float:
        return float(similarity(distance(own, self._store.vector(face))))

    def _matches(
        self, collection: Collection, vector: Vector, params: Mapping[str, Any], without: str | None = None
    ) -> Response:
        most = params.get("MaxUsers", MOST_RESULTS)
        found = self._gallery.users(collection, vector, params.get("UserMatchThreshold", DEFAULT_THRESHOLD), most + 1)
        users = self._store.users_by_number([match.number for match in found])
        matches = [
            {"Similarity": percent(match.similarity), "User": _user(users[match.number])}
            for match in found
            if match.number in users and users[match.number].id != without
        ]
        return {"UserMatches": matches[:most], "FaceModelVersion": collection.model}


@dataclass(slots=True)
class _Sorting:
    """The faces that a call named, by whose they are."""

    the_users: list[StoredFace] = field(default_factory=list)
    nobodys: list[StoredFace] = field(default_factory=list)
    anothers: list[StoredFace] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, wanted: list[str], found: Mapping[str, StoredFace], user: User) -> _Sorting:
        sorting = cls()
        for face_id in wanted:
            face = found.get(face_id)
            if face is None:
                sorting.missing.append(face_id)
            else:
                {user.id: sorting.the_users, None: sorting.nobodys}.get(face.user, sorting.anothers).append(face)
        return sorting

    def failures(self) -> list[Response]:
        """Return what AWS says of those that cannot be dealt with; a face that needs no change is passed over, as AWS does."""
        return [{"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]} for face_id in self.missing] + [
            {"FaceId": face.id, "UserId": face.user, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]} for face in self.anothers
        ]


def _user(user: User) -> Response:
    return {"UserId": user.id, "UserStatus": _status(user.faces)}


def _status(faces: int) -> str:
    return "ACTIVE" if faces else "CREATED"
