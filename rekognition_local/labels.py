"""DetectLabels: the things, faces and colours of a picture as Rekognition's labels and image properties.

| what is answered | where it comes from |
|---|---|
| labels with Instances | the boxes of NanoDet-g (`vision.objects`) |
| Face, Head, and Person where no box shows one | the faces of YuNet (`vision.detector`) |
| Smile, Happy | the expression net: a face that looks happy rather than anything else (`vision.attributes`) |
| the labels above these | Rekognition's taxonomy (`taxonomy`), as sure as the surest label below |
| ImageProperties, DominantColors | counted and measured, by no model (`vision.colours`) |

Foreground and Background are left out, because no model here tells them apart; so are labels of gender, age, scenes,
clothes and activities. Confidences are the nets' own scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rekognition_local.images import picture_of
from rekognition_local.protocol import Operation, Response, invalid_parameter
from rekognition_local.shapes import percent, place
from rekognition_local.taxonomy import LABELS, Label, ancestors, label_of
from vision.colours import Colour, colours, cut, look
from vision.entities import Attribute, Face, Rgb
from vision.faces import FaceEngine
from vision.objects import ObjectFinder, Thing

MODEL_VERSION = "1.0"
"""Changes whenever the nets or the taxonomy do."""

DEFAULT_LEAST = 55.0
MOST_LABELS = 1000
DEFAULT_COLOURS = 10

_LABELS, _PROPERTIES = "GENERAL_LABELS", "IMAGE_PROPERTIES"


class LabelOperations:
    """The operation that says what is in a picture."""

    def __init__(self, engine: FaceEngine, objects: ObjectFinder) -> None:
        self._engine = engine
        self._objects = objects

    def table(self) -> dict[str, Operation]:
        """Return the operation by AWS's name."""
        return {"DetectLabels": self.detect_labels}

    def detect_labels(self, params: Mapping[str, Any]) -> Response:
        """Answer DetectLabels: labels, image properties or both, and with both the colours of each thing, too."""
        features = params.get("Features") or [_LABELS]
        _check(params, features)
        picture = picture_of(params["Image"])
        most_colours = _settings(params, "ImageProperties").get("MaxDominantColors", DEFAULT_COLOURS)
        answer: Response = {}
        if _LABELS in features:
            paint = _Paint(picture, most_colours if _PROPERTIES in features else None)
            answer |= {"Labels": self._labels(picture, params, paint), "LabelModelVersion": MODEL_VERSION}
        if _PROPERTIES in features:
            answer["ImageProperties"] = _properties(picture, most_colours)
        return answer

    def _labels(self, picture: Rgb, params: Mapping[str, Any], paint: _Paint) -> list[Response]:
        least = params.get("MinConfidence", DEFAULT_LEAST)
        filters = _Filters.of(_settings(params, "GeneralLabels"))
        things = [thing for thing in self._objects.find(picture) if thing.confidence >= least]
        faces = self._engine.analyse(picture, [Attribute.SMILE])
        instances: dict[str, list[Thing]] = defaultdict(list)
        for thing in things:
            instances[label_of(thing.kind).name].append(thing)
        seen = [
            (LABELS[name], confidence)
            for name, confidence in _with_ancestors(things, faces).items()
            if confidence >= least and filters.admit(LABELS[name])
        ]
        seen.sort(key=lambda pair: (-pair[1], pair[0].name))
        return [
            _label(label, confidence, instances.get(label.name, ()), paint)
            for label, confidence in seen[: params.get("MaxLabels", MOST_LABELS)]
        ]


@dataclass(frozen=True, slots=True)
class _Filters:
    """`Settings.GeneralLabels`: exact names, as AWS wants them; what is both included and excluded is excluded."""

    names: frozenset[str]
    categories: frozenset[str]
    not_names: frozenset[str]
    not_categories: frozenset[str]

    @classmethod
    def of(cls, settings: Mapping[str, list[str]]) -> _Filters:
        return cls(
            names=frozenset(settings.get("LabelInclusionFilters", ())),
            categories=frozenset(settings.get("LabelCategoryInclusionFilters", ())),
            not_names=frozenset(settings.get("LabelExclusionFilters", ())),
            not_categories=frozenset(settings.get("LabelCategoryExclusionFilters", ())),
        )

    def admit(self, label: Label) -> bool:
        """Return whether a label is wanted: everything is, unless something is included."""
        included = label.name in self.names or label.category in self.categories or not self.names | self.categories
        return included and label.name not in self.not_names and label.category not in self.not_categories


@dataclass(frozen=True, slots=True)
class _Paint:
    """Tells the colours of things in a picture, at most `most` each; None where nobody asked for them."""

    picture: Rgb
    most: int | None

    def of(self, thing: Thing) -> Response:
        if self.most is None:
            return {}
        return {"DominantColors": [_colour(one) for one in colours(cut(self.picture, thing.box), self.most)]}


def _check(params: Mapping[str, Any], features: Collection[str]) -> None:
    """Refuse what AWS's page of the operation (API_DetectLabels) rules out and the service model cannot."""
    for name in ("MaxLabels", "MinConfidence"):
        if name in params and _LABELS not in features:
            raise invalid_parameter(f"{name} is about labels; ask for {_LABELS} in Features, or leave {name} out")
    if params.get("MaxLabels", 0) > MOST_LABELS:
        raise invalid_parameter(f"MaxLabels is {params['MaxLabels']}; the most is {MOST_LABELS}")


def _settings(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = params.get("Settings", {}).get(name, {})
    return settings


def _with_ancestors(things: list[Thing], faces: list[Face]) -> dict[str, float]:
    """Return every label that is seen, those above it included, each as sure as the surest sight of it."""
    surest: dict[str, float] = defaultdict(float)
    for label, confidence in _sights(things, faces):
        for name in (label.name, *ancestors(label)):
            surest[name] = max(surest[name], confidence)
    return surest


def _sights(things: list[Thing], faces: list[Face]) -> Iterator[tuple[Label, float]]:
    for thing in things:
        yield label_of(thing.kind), thing.confidence
    for face in faces:
        yield LABELS["Face"], face.confidence
        if face.smile is not None and face.smile.value:
            # A smile is no surer than the face that smiles.
            yield LABELS["Smile"], min(face.smile.confidence, face.confidence)


def _label(label: Label, confidence: float, things: Collection[Thing], paint: _Paint) -> Response:
    return {
        "Name": label.name,
        "Confidence": percent(confidence),
        "Instances": [
            {"BoundingBox": place(thing.box), "Confidence": percent(thing.confidence), **paint.of(thing)} for thing in things
        ],
        "Parents": [{"Name": name} for name in ancestors(label)],
        "Aliases": [{"Name": name} for name in label.aliases],
        "Categories": [{"Name": label.category}] if label.category else [],
    }


def _properties(picture: Rgb, most_colours: int) -> Response:
    seen = look(picture)
    return {
        "Quality": {
            "Brightness": percent(seen.brightness),
            "Sharpness": percent(seen.sharpness),
            "Contrast": percent(seen.contrast),
        },
        "DominantColors": [_colour(one) for one in colours(picture, most_colours)],
    }


def _colour(colour: Colour) -> Response:
    red, green, blue = colour.rgb
    return {
        "Red": red,
        "Green": green,
        "Blue": blue,
        "HexCode": colour.hex,
        "CSSColor": colour.name,
        "SimplifiedColor": colour.plain,
        "PixelPercent": percent(colour.share),
    }
