"""Responses as they are kept: the JSON of the API, packed with the words that every answer of Rekognition has."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

_PACKED = b"\x01"  # packed with these words, which never change: others get another number
_LEVEL = 1
_EMOTIONS = "HAPPY SAD ANGRY CONFUSED DISGUSTED SURPRISED CALM FEAR UNKNOWN"
_MARKS = (
    "eyeLeft eyeRight mouthLeft mouthRight nose leftEyeBrowLeft leftEyeBrowRight leftEyeBrowUp rightEyeBrowLeft "
    "rightEyeBrowRight rightEyeBrowUp leftEyeLeft leftEyeRight leftEyeUp leftEyeDown rightEyeLeft rightEyeRight rightEyeUp "
    "rightEyeDown noseLeft noseRight mouthUp mouthDown upperJawlineLeft midJawlineLeft chinBottom midJawlineRight "
    "upperJawlineRight leftPupil rightPupil"
)
_SURE = ("EyesOpen", "MouthOpen", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "Smile")
_WORDS = "".join(
    (
        '"FaceMatches":[{"Similarity":9,"Face":{"FaceId":"","ExternalImageId":"","Labels":[{"Name":"Person"},',
        '{"id":"179","camera":"","seq":1,"captured_at":179,"published_at":179,"age_seconds":0.,"width":1280,"height":720,',
        '"provider":"local","operation":"DetectFaces","worker":"","stages":{"encode":0.0,"queue":0.0,"limit":0.0,"service":0.1,',
        '"upload":0.0,"publish":0.0},"FaceDetails":[{"BoundingBox":{"Width":0.1,"Height":0.2,"Left":0.,"Top":0.},',
        '"AgeRange":{"Low":2,"High":3},"Gender":{"Value":"Female","Confidence":9},"Gender":{"Value":"Male","Confidence":9},',
        *(f'"{name}":{{"Value":false,"Confidence":9}},"{name}":{{"Value":true,"Confidence":9}},' for name in _SURE),
        *(f'{{"Type":"{name}","Confidence":0.}},' for name in _EMOTIONS.split()),
        *(f'{{"Type":"{name}","X":0.,"Y":0.}},' for name in _MARKS.split()),
        '"Pose":{"Roll":-,"Yaw":-,"Pitch":-},"Quality":{"Brightness":,"Sharpness":},"Confidence":9,"Track":""}],"error":null}',
    )
).encode()


def packed(about: Mapping[str, Any]) -> bytes:
    """Return a result, as the API shows it, as small as it gets quickly."""
    packer = zlib.compressobj(_LEVEL, zdict=_WORDS)
    return _PACKED + packer.compress(json.dumps(about, separators=(",", ":")).encode()) + packer.flush()


def unpacked(response: bytes) -> dict[str, Any]:
    """Return what `packed` was given; raises ValueError for what a newer rekstream packed."""
    if not response.startswith(_PACKED):
        raise ValueError(f"a response begins with {response[:1]!r}: it was packed by a newer rekstream")
    return dict(json.loads(zlib.decompressobj(zdict=_WORDS).decompress(response[1:])))
