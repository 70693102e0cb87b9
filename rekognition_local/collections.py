"""Collections and the faces in them: made, filled, listed, searched, emptied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rekognition_local.faces import DEFAULT_THRESHOLD, largest_face
from rekognition_local.gallery import Gallery, Match
from rekognition_local.images import image_id, picture_of
from rekognition_local.paging import number, page
from rekognition_local.protocol import Operation, Response
from rekognition_local.quality import DEFAULT_WHEN_INDEXED, DEFAULT_WHEN_SEARCHED, judged
from rekognition_local.shapes import face_detail, percent, place
from rekognition_local.store import Collection, NewFace, Store, StoredFace, Vector
from vision.entities import Attribute, Face
from vision.faces import MAX_FACES, FaceEngine

MOST_RESULTS = 4096
ARN = "arn:aws:rekognition:local:000000000000:collection/"
"""What ARNs of collections begin with: no region and no account of AWS has them."""

_TOO_MANY = "EXCEEDS_MAX_FACES"


class CollectionOperations:
    """The operations on collections and faces."""

    def __init__(self, engine: FaceEngine, store: Store, gallery: Gallery) -> None:
        self._engine = engine
        self._store = store
        self._gallery = gallery

    def table(self) -> dict[str, Operation]:
        """Return the operations by AWS's name."""
        return {
            "CreateCollection": self.create_collection,
            "DescribeCollection": self.describe_collection,
            "ListCollections": self.list_collections,
            "DeleteCollection": self.delete_collection,
            "IndexFaces": self.index_faces,
            "ListFaces": self.list_faces,
            "DeleteFaces": self.delete_faces,
            "SearchFaces": self.search_faces,
            "SearchFacesByImage": self.search_faces_by_image,
        }

    def create_collection(self, params: Mapping[str, Any]) -> Response:
        """Answer CreateCollection; its Tags are not kept."""
        made = self._store.create_collection(params["CollectionId"])
        return {"StatusCode": 200, "CollectionArn": ARN + made.id, "FaceModelVersion": made.model}

    def describe_collection(self, params: Mapping[str, Any]) -> Response:
        """Answer DescribeCollection."""
        collection = self._store.collection(params["CollectionId"])
        faces, users = self._store.counts(collection)
        return {
            "FaceCount": faces,
            "UserCount": users,
            "FaceModelVersion": collection.model,
            "CollectionARN": ARN + collection.id,
            "CreationTimestamp": round(collection.made, 3),
        }

    def list_collections(self, params: Mapping[str, Any]) -> Response:
        """Answer ListCollections, in the order of their ids."""
        collections, more = page(params, "collections", MOST_RESULTS, self._store.collections, lambda one: one.id)
        return {
            "CollectionIds": [one.id for one in collections],
            "FaceModelVersions": [one.model for one in collections],
            **more,
        }

    def delete_collection(self, params: Mapping[str, Any]) -> Response:
        """Answer DeleteCollection."""
        collection = self._store.collection(params["CollectionId"])
        self._store.delete_collection(collection.id)
        self._gallery.forget(collection)
        return {"StatusCode": 200}

    def index_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer IndexFaces: the faces that clear the quality bar are kept, the largest first, at most MaxFaces."""
        collection = self._store.comparable(params["CollectionId"])
        picture = picture_of(params["Image"])
        attributes = params.get("DetectionAttributes") or [Attribute.DEFAULT]
        faces = self._engine.analyse(picture, attributes, vectors=True)
        rated = judged(faces, picture, params.get("QualityFilter", DEFAULT_WHEN_INDEXED))
        good = [face for face, reasons in rated if not reasons]
        most = min(params.get("MaxFaces", MAX_FACES), MAX_FACES)
        refused = [(face, reasons) for face, reasons in rated if reasons]
        refused += [(face, [_TOO_MANY]) for face in good[most:]]
        kept = self._keep(collection, params, good[:most])
        return {
            "FaceRecords": [
                {"Face": _face(stored, collection), "FaceDetail": face_detail(face)}
                for stored, face in zip(kept, good, strict=False)
            ],
            "UnindexedFaces": [{"Reasons": reasons, "FaceDetail": face_detail(face)} for face, reasons in refused],
            "FaceModelVersion": collection.model,
        }

    def list_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer ListFaces, in the order they were indexed."""
        collection = self._store.collection(params["CollectionId"])
        user, ids = params.get("UserId"), params.get("FaceIds")
        if user is not None:
            self._store.user(collection, user)
        faces, more = page(
            params,
            f"faces of {collection.number}, of {user}, among {ids}",
            MOST_RESULTS,
            lambda after, count: self._store.faces(collection, number(after), count, user, ids),
            lambda face: face.number,
        )
        return {"Faces": [_face(face, collection) for face in faces], "FaceModelVersion": collection.model, **more}

    def delete_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer DeleteFaces: a face that a user has stays, and is told."""
        with self._store.transaction():
            collection = self._store.collection(params["CollectionId"])
            wanted = list(dict.fromkeys(params["FaceIds"]))
            gone = {face.id for face in self._store.remove_faces(collection.id, wanted)}
            left = [face_id for face_id in wanted if face_id not in gone]
            owned = {face.id: face for face in self._store.faces(collection, 0, len(left), ids=left)}
        return {
            "DeletedFaces": [face_id for face_id in wanted if face_id in gone],
            "UnsuccessfulFaceDeletions": [_not_deleted(face_id, owned.get(face_id)) for face_id in left],
        }

    def search_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer SearchFaces: what is like a face of the collection, without that face."""
        collection = self._store.comparable(params["CollectionId"])
        searched = self._store.face(collection, params["FaceId"])
        matches = self._matches(collection, self._store.vector(searched), params, extra=1)
        others = [match for match in matches if match["Face"]["FaceId"] != searched.id]
        return {
            "SearchedFaceId": searched.id,
            "FaceMatches": others[: _most(params)],
            "FaceModelVersion": collection.model,
        }

    def search_faces_by_image(self, params: Mapping[str, Any]) -> Response:
        """Answer SearchFacesByImage: what is like the largest face of a picture."""
        collection = self._store.comparable(params["CollectionId"])
        face, vector = largest_face(self._engine, params["Image"], params.get("QualityFilter", DEFAULT_WHEN_SEARCHED), "Image")
        return {
            "SearchedFaceBoundingBox": place(face.box),
            "SearchedFaceConfidence": percent(face.confidence),
            "FaceMatches": self._matches(collection, vector, params),
            "FaceModelVersion": collection.model,
        }

    def _keep(self, collection: Collection, params: Mapping[str, Any], faces: list[Face]) -> list[StoredFace]:
        new = [NewFace(face.box, face.confidence, face.vector) for face in faces if face.vector is not None]
        image = image_id(params["Image"], collection.id)
        return self._store.add_faces(collection.id, image, params.get("ExternalImageId"), new)

    def _matches(self, collection: Collection, vector: Vector, params: Mapping[str, Any], extra: int = 0) -> list[Response]:
        threshold = params.get("FaceMatchThreshold", DEFAULT_THRESHOLD)
        matches: list[Match] = self._gallery.faces(collection, vector, threshold, _most(params) + extra)
        faces = self._store.faces_by_number([match.number for match in matches])
        return [
            {"Similarity": percent(match.similarity), "Face": _face(faces[match.number], collection)}
            for match in matches
            if match.number in faces  # deleted since
        ]


def _most(params: Mapping[str, Any]) -> int:
    return int(params.get("MaxFaces", MOST_RESULTS))


def _face(face: StoredFace, collection: Collection) -> Response:
    return {
        "FaceId": face.id,
        "BoundingBox": place(face.box),
        "ImageId": face.image,
        **({"ExternalImageId": face.external} if face.external is not None else {}),
        "Confidence": percent(face.confidence),
        "IndexFacesModelVersion": collection.model,
        **({"UserId": face.user} if face.user is not None else {}),
    }


def _not_deleted(face_id: str, face: StoredFace | None) -> Response:
    if face is None or face.user is None:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    return {"FaceId": face_id, "UserId": face.user, "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
