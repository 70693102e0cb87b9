"""CompareFaces: the largest face of the source against every face of the target."""

import pytest

from tests.rekognition_local.people import both, empty, picture
from tests.vision.scenes import ASTRONAUT, HOPPER


def _compare(client, source, target, **options):
    return client.compare_faces(SourceImage={"Bytes": source}, TargetImage={"Bytes": target}, **options)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_a_person_is_found_again_among_others(client, name):
    answer = _compare(client, picture(name), both(larger=HOPPER))
    (match,) = answer["FaceMatches"]
    (other,) = answer["UnmatchedFaces"]
    assert match["Similarity"] > 95
    left = match["Face"]["BoundingBox"]["Left"] < 0.5
    assert left == (name == HOPPER)
    assert (other["BoundingBox"]["Left"] < 0.5) != left
    assert {point["Type"] for point in other["Landmarks"]} == {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"}


@pytest.mark.parametrize("larger", [HOPPER, ASTRONAUT])
def test_the_largest_face_of_the_source_is_the_one_compared(client, larger):
    answer = _compare(client, both(larger), picture(larger))
    assert (answer["SourceImageFace"]["BoundingBox"]["Left"] < 0.5) == (larger == HOPPER)
    assert len(answer["FaceMatches"]) == 1


def test_a_threshold_moves_faces_between_the_lists_and_the_surest_comes_first(client):
    everything = _compare(client, picture(HOPPER), both(HOPPER), SimilarityThreshold=0)
    assert [match["Similarity"] for match in everything["FaceMatches"]] == sorted(
        (match["Similarity"] for match in everything["FaceMatches"]), reverse=True
    )
    assert everything["UnmatchedFaces"] == []
    nothing = _compare(client, picture(HOPPER), both(HOPPER), SimilarityThreshold=100)
    assert (nothing["FaceMatches"], len(nothing["UnmatchedFaces"])) == ([], 2)


@pytest.mark.parametrize(("source", "target", "named"), [(empty, both, "SourceImage"), (both, empty, "TargetImage")])
def test_a_picture_without_a_face_is_an_invalid_parameter_as_at_aws(client, source, target, named):
    pictures = [one(HOPPER) if one is both else one() for one in (source, target)]
    with pytest.raises(client.exceptions.InvalidParameterException, match=f"no face was found in {named}"):
        _compare(client, *pictures)


def test_faces_below_the_quality_bar_are_not_compared(client):
    with pytest.raises(client.exceptions.InvalidParameterException, match="SourceImage clears the quality bar HIGH"):
        _compare(client, _small(), picture(HOPPER), QualityFilter="HIGH")
    with pytest.raises(client.exceptions.InvalidParameterException, match="TargetImage clears the quality bar HIGH"):
        _compare(client, picture(HOPPER), _small(), QualityFilter="HIGH")


def _small():
    from tests.rekognition_local.people import crowd  # noqa: PLC0415  # beside its only user

    return crowd(1, 36)
