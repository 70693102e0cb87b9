"""DetectLabels through boto3: labels as Rekognition names and orders them, from what the nets really saw."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rekognition_local.labels import LabelOperations
from rekognition_local.protocol import service_model
from rekognition_local.server import Server
from rekognition_local.taxonomy import LABELS, ancestors, label_of
from tests.rekognition_local.conftest import client_for
from tests.rekognition_local.shapes import check_shape
from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg, place, png, portrait_bytes
from tests.vision.test_objects import draw_clock, draw_stop_sign
from vision.faces import FaceEngine
from vision.objects import KINDS, LEAST_CONFIDENCE, ObjectFinder

OUTPUT = service_model().operation_model("DetectLabels").output_shape
BOTH = ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
SEEN_OF_HOPPER = {"Person", "Face", "Head", "Tie", "Accessories", "Formal Wear"}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with Server(operations=LabelOperations(FaceEngine(), ObjectFinder()).table()) as server:
        yield client_for(server.url)


def answer(client, picture, **params):
    response = client.detect_labels(Image={"Bytes": picture}, **params)
    assert response.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    check_shape(OUTPUT, response)
    return response


def labels(client, picture, **params):
    return {label["Name"]: label for label in answer(client, picture, **params)["Labels"]}


def filtered(client, least=LEAST_CONFIDENCE, **filters):
    """The names of Hopper's labels that pass the filters."""
    return set(labels(client, portrait_bytes(HOPPER), MinConfidence=least, Settings={"GeneralLabels": filters}))


def names(entries):
    return [entry["Name"] for entry in entries]


def street():
    """A stop sign, a clock and a person, in places of which the tests know."""
    scene = background(1280, 720)
    place(scene, ASTRONAUT, (480, 200), 100)
    draw_stop_sign(scene, (1000, 300), 200)
    draw_clock(scene, (140, 560), 110)
    return scene


@pytest.mark.parametrize("features", [None, [], ["GENERAL_LABELS"], BOTH, ["IMAGE_PROPERTIES"], ["GENERAL_LABELS"] * 2])
@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_features_decide_between_labels_properties_and_both(client, name, features):
    response = answer(client, portrait_bytes(name), **({} if features is None else {"Features": features}))
    asked = features or ["GENERAL_LABELS"]
    members = {"Labels", "LabelModelVersion"} if "GENERAL_LABELS" in asked else set()
    assert set(response) == members | ({"ImageProperties"} if "IMAGE_PROPERTIES" in asked else set())


def test_hopper_is_a_person_with_a_face_a_head_and_a_tie_but_of_no_gender_or_age(client):
    found = labels(client, portrait_bytes(HOPPER), MinConfidence=LEAST_CONFIDENCE)
    assert set(found) == SEEN_OF_HOPPER
    (person,) = found["Person"]["Instances"]
    assert person["BoundingBox"]["Height"] == pytest.approx(1, abs=0.02)
    assert found["Face"]["Instances"] == found["Head"]["Instances"] == []
    assert found["Person"]["Confidence"] == max(person["Confidence"], found["Face"]["Confidence"])
    assert names(found["Face"]["Parents"]) == ["Head", "Person"]
    assert names(found["Tie"]["Parents"]) == ["Accessories", "Formal Wear"]
    assert names(found["Person"]["Aliases"]) == ["Human"]
    assert names(found["Person"]["Categories"]) == ["Person Description"]


def test_who_smiles_has_the_labels_of_it_no_surer_than_the_face(client):
    found = labels(client, portrait_bytes(ASTRONAUT))
    assert {"Smile", "Happy"} <= set(found)
    assert names(found["Smile"]["Parents"]) == ["Face", "Happy", "Head", "Person"]
    assert found["Smile"]["Confidence"] <= found["Face"]["Confidence"]
    assert "Smile" not in labels(client, portrait_bytes(HOPPER))


def test_a_face_is_a_person_even_where_no_box_shows_one(client):
    scene = background(640, 480)
    place(scene, ASTRONAUT, (320, 240), 40, closeup=True)
    found = labels(client, jpeg(scene))
    assert found["Person"]["Confidence"] == found["Face"]["Confidence"]
    assert found["Person"]["Instances"] == []


def test_things_are_where_they_were_drawn(client):
    found = labels(client, png(street()))
    (sign,), (clock,) = found["Stop Sign"]["Instances"], found["Clock"]["Instances"]
    for instance, (x, y, radius) in ((sign, (1000, 300, 200)), (clock, (140, 560, 110))):
        box = instance["BoundingBox"]
        sides = [box["Left"] * 1280, box["Top"] * 720, box["Width"] * 1280, box["Height"] * 720]
        assert sides == pytest.approx([x - radius, y - radius, 2 * radius, 2 * radius], abs=radius / 3)


def test_the_labels_above_a_thing_are_as_sure_as_the_thing_and_have_no_instances(client):
    found = labels(client, png(street()))
    above = [found[name] for name in ("Road Sign", "Sign", "Symbol")]
    assert names(found["Stop Sign"]["Parents"]) == names(above)
    assert {label["Confidence"] for label in above} == {found["Stop Sign"]["Confidence"]}
    assert all(label["Instances"] == [] for label in above)


def test_a_label_is_as_sure_as_the_surest_of_its_things(client):
    scene = background(1280, 720)
    draw_stop_sign(scene, (400, 300), 200)
    draw_stop_sign(scene, (950, 300), 130)
    sign = labels(client, png(scene), MinConfidence=LEAST_CONFIDENCE)["Stop Sign"]
    sure = [instance["Confidence"] for instance in sign["Instances"]]
    assert len(sure) == 2
    assert sign["Confidence"] == max(sure)


def test_labels_come_surest_first_and_as_many_as_asked_for(client):
    everything = answer(client, png(street()))["Labels"]
    order = [(-label["Confidence"], label["Name"]) for label in everything]
    assert order == sorted(order)
    for most in (0, 1, 3, 1000):
        assert answer(client, png(street()), MaxLabels=most)["Labels"] == everything[:most]


@pytest.mark.parametrize("least", [0, 35, 55, 60, 100])
def test_nothing_less_sure_than_asked_for_is_told(client, least):
    found = labels(client, portrait_bytes(HOPPER), MinConfidence=least)
    everything = labels(client, portrait_bytes(HOPPER), MinConfidence=0)
    assert set(found) == {name for name, label in everything.items() if label["Confidence"] >= least}
    assert all(instance["Confidence"] >= least for label in found.values() for instance in label["Instances"])


def test_without_a_word_55_percent_is_the_least(client):
    assert labels(client, portrait_bytes(HOPPER)) == labels(client, portrait_bytes(HOPPER), MinConfidence=55)
    assert "Tie" not in labels(client, portrait_bytes(HOPPER))


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"LabelInclusionFilters": ["Tie", "Car"]}, {"Tie"}),
        ({"LabelInclusionFilters": ["tie"]}, set()),
        ({"LabelInclusionFilters": ["Freckles"]}, set()),
        ({"LabelInclusionFilters": []}, SEEN_OF_HOPPER),
        ({"LabelExclusionFilters": ["Tie", "Face"]}, SEEN_OF_HOPPER - {"Tie", "Face"}),
        ({"LabelCategoryInclusionFilters": ["Apparel and Accessories"]}, {"Tie", "Accessories", "Formal Wear"}),
        ({"LabelCategoryExclusionFilters": ["Apparel and Accessories"]}, {"Person", "Face", "Head"}),
        (
            {"LabelInclusionFilters": ["Tie"], "LabelCategoryInclusionFilters": ["Person Description"]},
            {"Tie", "Person", "Face", "Head"},
        ),
        ({"LabelCategoryInclusionFilters": ["Person Description"], "LabelExclusionFilters": ["Head"]}, {"Person", "Face"}),
        ({"LabelInclusionFilters": ["Tie"], "LabelCategoryExclusionFilters": ["Apparel and Accessories"]}, set()),
    ],
)
def test_filters_include_and_exclude_by_exact_name_and_category(client, filters, left):
    assert filtered(client, **filters) == left


def test_filters_come_before_the_count(client):
    params = {
        "MaxLabels": 1,
        "MinConfidence": LEAST_CONFIDENCE,
        "Settings": {"GeneralLabels": {"LabelInclusionFilters": ["Tie"]}},
    }
    assert set(labels(client, portrait_bytes(HOPPER), **params)) == {"Tie"}


def test_properties_are_those_of_the_whole_picture_and_nothing_is_said_of_fore_and_background(client):
    properties = answer(client, portrait_bytes(HOPPER), Features=["IMAGE_PROPERTIES"])["ImageProperties"]
    assert set(properties) == {"Quality", "DominantColors"}
    assert set(properties["Quality"]) == {"Brightness", "Sharpness", "Contrast"}
    assert all(0 < value < 100 for value in properties["Quality"].values())
    assert len(properties["DominantColors"]) == 10
    assert properties["DominantColors"][0] == {
        "Red": 0,
        "Green": 0,
        "Blue": 0,
        "HexCode": "#000000",
        "CSSColor": "black",
        "SimplifiedColor": "black",
        "PixelPercent": pytest.approx(41, abs=5),
    }


@pytest.mark.parametrize("most", [0, 1, 15])
def test_as_many_colours_are_told_as_asked_for(client, most):
    settings = {"ImageProperties": {"MaxDominantColors": most}}
    found = answer(client, portrait_bytes(ASTRONAUT), Features=["IMAGE_PROPERTIES"], Settings=settings)
    assert len(found["ImageProperties"]["DominantColors"]) == most


def test_with_both_features_each_thing_has_its_own_colours(client):
    scene = np.full((720, 1280, 3), (0, 0, 255), np.uint8)
    draw_stop_sign(scene, (640, 300), 220)
    found = {label["Name"]: label for label in answer(client, png(scene), Features=BOTH)["Labels"]}
    (sign,) = found["Stop Sign"]["Instances"]
    shown = {color["SimplifiedColor"]: color["PixelPercent"] for color in sign["DominantColors"]}
    assert max(shown, key=shown.__getitem__) == "red"
    (bare,) = labels(client, png(scene))["Stop Sign"]["Instances"]
    assert "DominantColors" not in bare


def test_a_picture_of_nothing_has_no_labels(client):
    assert answer(client, jpeg(background(640, 480)))["Labels"] == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"Features": ["IMAGE_PROPERTIES"], "MaxLabels": 5}, "MaxLabels is about labels"),
        ({"Features": ["IMAGE_PROPERTIES"], "MinConfidence": 50.0}, "MinConfidence is about labels"),
        ({"MaxLabels": 1001}, "the most is 1000"),
        ({"Features": ["FOREGROUND"]}, "it must be one of GENERAL_LABELS, IMAGE_PROPERTIES"),
        ({"Settings": {"GeneralLabels": {"LabelInclusionFilters": ["Zebra!"]}}}, "does not match"),
        ({"Settings": {"ImageProperties": {"MaxDominantColors": 21}}}, "the most is 20"),
    ],
)
def test_what_aws_rules_out_is_an_invalid_parameter(client, params, words):
    with pytest.raises(client.exceptions.InvalidParameterException, match=words):
        client.detect_labels(Image={"Bytes": portrait_bytes(HOPPER)}, **params)


def test_what_is_no_picture_has_awss_name_for_it(client):
    with pytest.raises(client.exceptions.InvalidImageFormatException):
        client.detect_labels(Image={"Bytes": b"GIF89a....."})


def test_every_kind_that_the_net_knows_has_a_label_of_its_own():
    assert len({label_of(kind).name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("Car", ["Transportation", "Vehicle"]),
        ("Dog", ["Animal", "Canine", "Mammal", "Pet"]),
        ("Tie", ["Accessories", "Formal Wear"]),
        ("Smile", ["Face", "Happy", "Head", "Person"]),
        ("Fruit", ["Food", "Plant", "Produce"]),
        ("Laptop", ["Computer", "Electronics", "Pc"]),
        ("Fire Hydrant", ["Hydrant"]),
        ("Couch", ["Furniture"]),
    ],
)
def test_ancestors_are_those_of_published_answers_in_their_order(name, above):
    assert ancestors(LABELS[name]) == above


def test_the_taxonomy_is_whole_and_no_label_is_above_itself():
    for label in LABELS.values():
        assert set(ancestors(label)) <= set(LABELS) - {label.name}
    used = {name for kind in KINDS for name in (label_of(kind).name, *ancestors(label_of(kind)))}
    assert set(LABELS) == used | {"Face", "Head", "Smile", "Happy"}
