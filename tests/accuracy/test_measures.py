"""The measuring itself is right: engines that were told the truth, or something else, score what they should."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accuracy import answers, identity, pose, recall, steadiness
from accuracy.figures import Figure, Number, Share, Table
from accuracy.identity import Kin, kin
from accuracy.samples import Sample
from accuracy.scenes import HD, Backgrounds, Scene
from accuracy.trials import Reading, Trial, cutouts, run
from tests.accuracy.folders import Told, cutout, face, truth
from tests.vision.scenes import HOPPER, portrait, portrait_bytes
from vision.embedding import distance_at
from vision.entities import AgeRange, Answer, Box, Emotion, Face, Gender, Pose
from vision.faces import FaceEngine

NOWHERE = Backgrounds([])


def tried(change: Callable[[Face, Scene], Face] = lambda face, scene: face) -> dict[str, list[Trial]]:
    """Run an engine that was told what to say over every scene of one face, at three heights and turns only."""
    plan = recall.plan([cutout()], NOWHERE)
    few = {name: scenes[:: max(1, len(scenes) // 3)] for name, scenes in plan.items()}
    engine = Told.of([scene for scenes in few.values() for _, scene in scenes], change)
    return {name: run(engine, scenes) for name, scenes in few.items()}


def nothing_tried() -> dict[str, list[Trial]]:
    return {name: [] for name in recall.plan([], NOWHERE)}


@pytest.fixture(scope="module")
def perfect() -> dict[str, list[Trial]]:
    return tried()


def found(trials: dict[str, list[Trial]], readings: Sequence[Reading] = ()) -> list[Table]:
    return recall.tables(Told(), trials, list(readings), NOWHERE)


def column(table: Table, name: str) -> list[Figure]:
    return [row[table.columns.index(name)] for row in table.rows.values()]


def named(tables: list[Table], name: str) -> Table:
    (found,) = (table for table in tables if table.name == name)
    return found


def percents(table: Table, name: str) -> list[float]:
    return [figure.percent for figure in column(table, name) if isinstance(figure, Share)]


def test_a_perfect_engine_finds_everything_and_is_never_wrong(perfect: dict[str, list[Trial]]) -> None:
    tables = found(perfect)
    for name in ("turned", "light", "blur", "cover", "jpeg"):
        assert set(percents(named(tables, name), "found")) == {100}
        assert set(percents(named(tables, name), "landmarks right")) == {100}
        assert set(percents(named(tables, name), "landmarks wrong")) == {0}
    assert set(percents(named(tables, "height"), "720p found") + percents(named(tables, "height"), "1080p found")) == {100}


def test_an_engine_that_shifts_its_boxes_finds_nothing() -> None:
    def shifted(face: Face, scene: Scene) -> Face:
        return replace(face, box=replace(face.box, left=face.box.left + 0.5 * scene.height / scene.size[0]))

    tables = found(tried(shifted))
    assert set(percents(named(tables, "turned"), "found")) == {0}
    assert set(percents(named(tables, "height"), "1080p landmarks right")) == {0}


@pytest.mark.parametrize("times", [0.4, 2.5])
def test_a_box_of_another_size_is_no_find(times: float) -> None:
    def resized(face: Face, scene: Scene) -> Face:
        middle = face.box.left + face.box.width / 2, face.box.top + face.box.height / 2
        width, height = face.box.width * times, face.box.height * times
        return replace(face, box=Box(middle[0] - width / 2, middle[1] - height / 2, width, height))

    assert set(percents(named(found(tried(resized)), "light"), "found")) == {0}


def test_landmarks_elsewhere_are_wrong_and_none_are_neither() -> None:
    def exchanged(face: Face, scene: Scene) -> Face:
        return replace(
            face, landmarks=tuple(replace(b, name=a.name) for a, b in zip(face.landmarks, face.landmarks[::-1], strict=True))
        )

    for change, right, wrong in ((exchanged, 0, 100), (lambda face, scene: replace(face, landmarks=()), 0, 0)):
        table = named(found(tried(change)), "turned")
        assert set(percents(table, "found")) == {100}
        assert set(percents(table, "landmarks right")) == {right}
        assert set(percents(table, "landmarks wrong")) == {wrong}


def reading(sample: Sample, *faces: Face) -> Reading:
    return Reading(sample, 100, 100, 1.0, faces)


def sample(file: str = "faces/a.jpg", **labels: object) -> Sample:
    return Sample(file, Path(file), **labels)


def test_too_few_and_too_many_faces_are_counted_apart() -> None:
    table = named(
        found(
            nothing_tried(),
            [
                reading(sample("none/a.jpg"), face()),
                reading(sample("none/b.jpg")),
                reading(sample(faces=1)),
                reading(sample(faces=3), face(), face()),
                reading(sample(faces=None), face()),
            ],
        ),
        "pictures",
    )
    assert table.rows["no face"] == (Number(2), Number(0), Number(0), Number(1), Share(1, 2))
    assert table.rows["one face"][2:4] == (Number(1), Number(0))
    assert table.rows["several faces"][2:4] == (Number(1), Number(0))


def test_faces_found_where_there_are_none_are_counted_by_frame() -> None:
    pattern = NOWHERE.frame(0, HD)
    engine = Told([(np.ascontiguousarray(np.rot90(pattern)), [face(), face()])])
    table = named(recall.tables(engine, nothing_tried(), [], NOWHERE), "false_finds")
    assert table.rows["1280 x 720"] == (Number(4), Number(2), Share(1, 4))
    assert table.rows["1920 x 1080"] == (Number(4), Number(0), Share(0, 4))


def test_roll_that_goes_with_the_turn_has_no_error(perfect: dict[str, list[Trial]]) -> None:
    table = named(pose.tables(Told(), perfect, []), "roll")
    assert {figure.value for figure in column(table, "median error") if str(figure) != "-"} == {0}
    stuck = tried(lambda face, scene: replace(face, pose=Pose(0, 0, 0)))
    table = named(pose.tables(Told(), stuck, []), "roll")
    assert {figure.hits for figure in column(table, "within 5°") if isinstance(figure, Share)} == {0}
    assert sum(figure.value for figure in column(table, "n") if isinstance(figure, Number)) > 0


@pytest.mark.parametrize(("first", "second", "apart"), [(170, -170, 20), (0, 180, 180), (-10, 10, 20), (350, 0, 10)])
def test_angles_are_compared_around_the_circle(first: float, second: float, apart: float) -> None:
    assert pose.between(first, second) == apart


def test_an_engine_with_a_lean_to_one_side_shows_in_mirrored_pictures(tmp_path: Path) -> None:
    rgb = np.arange(100 * 100 * 3).reshape(100, 100, 3).astype(np.uint8)
    lone = sample("faces/a.png")

    class Loaded(Sample):
        def load(self) -> tuple[np.ndarray, float]:
            return rgb, 1.0

    seen = reading(Loaded(lone.file, lone.path), face(Box(0.1, 0.1, 0.4, 0.4), pose=Pose(0, 20, 0)))
    mirrored = face(Box(0.5, 0.1, 0.4, 0.4), pose=Pose(0, -12, 0))
    engine = Told([(np.ascontiguousarray(rgb[:, ::-1]), [mirrored])])
    table = named(pose.tables(engine, nothing_tried(), [seen]), "mirrored")
    assert table.rows["yaw, of faces turned by 10° or more"] == (Number(8.0, 1, "°"), Share(1, 1), Number(1))


def test_answers_are_counted_against_their_labels() -> None:
    labels = {"gender": "Male", "age": (51, 51), "emotion": "CALM", "smile": False, "eyes_open": True, "mouth_open": False}
    right = face(
        gender=Gender("Male", 99),
        age=AgeRange(45, 55),
        emotions=(Emotion("CALM", 80),),
        smile=Answer(False, 99),
        mouth_open=Answer(False, 99),
    )
    tables = answers.tables(
        [reading(sample(**labels), right), reading(sample(**labels), face()), reading(sample(**labels))], nothing_tried()
    )
    assert named(tables, "gender").rows["Male"] == (Share(1, 2), Number(2), Number(1), Number(1))
    assert named(tables, "age").rows["40 to 59"][0] == Number((1 + 16) / 2, 1, " years")
    assert named(tables, "age").rows["40 to 59"][2] == Share(1, 2)
    assert named(tables, "emotions").rows["CALM"][0] == Share(1, 2)
    assert named(tables, "yes_or_no").rows["smile"] == (Share(0, 0), Number(0), Share(1, 2), Number(2))
    assert named(tables, "yes_or_no").rows["eyes open"] == (Share(2, 2), Number(2), Share(0, 0), Number(0))


@pytest.mark.parametrize(("low", "high", "error"), [(20, 30, -5), (30, 40, 0), (36, 44, 0), (50, 60, 10)])
def test_an_age_inside_the_label_has_no_error(low: int, high: int, error: float) -> None:
    assert answers.age_error(AgeRange(low, high), (30, 45)) == error


def test_the_labelled_face_is_meant_where_there_are_several() -> None:
    small, large = face(Box(0.7, 0.7, 0.1, 0.1)), face(Box(0.1, 0.1, 0.4, 0.4))
    assert reading(sample(), large, small).face is large
    assert reading(sample(box=(70, 70, 10, 10)), large, small).face is small
    assert reading(sample(box=(50, 0, 10, 10)), large, small).face is None


def test_what_does_not_move_is_steady_and_what_does_is_not() -> None:
    plan = steadiness.plan([cutout()], NOWHERE)
    scenes = [scene for listed in plan.values() for _, scene in listed]
    still = {name: run(Told.of(scenes), listed) for name, listed in plan.items()}
    (table,) = steadiness.tables(still)
    assert {figure.value for figure in column(table, "age")} == {0}
    assert set(percents(table, "smile flips")) == {0}

    def restless(face: Face, scene: Scene) -> Face:
        odd = scenes.index(scene) % 4 == 0
        return replace(face, smile=Answer(not odd, 99), age=AgeRange(20, 30) if odd else AgeRange(40, 50))

    moving = {name: run(Told.of(scenes, restless), listed) for name, listed in plan.items()}
    (table,) = steadiness.tables(moving)
    assert set(percents(table, "smile flips")) == {25}
    assert {round(figure.value, 1) for figure in column(table, "age") if isinstance(figure, Number)} == {8.7}


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({"person": "a"}, {"person": "a"}, Kin.SAME),
        ({"person": "a", "scene": "film"}, {"person": "a", "scene": "film"}, Kin.SAME_SCENE),
        ({"person": "a"}, {"person": "b"}, Kin.OTHER),
        ({"person": "a", "gender": "Male"}, {"person": "b", "gender": "Male"}, Kin.ALIKE),
        ({"person": "a"}, {}, Kin.UNKNOWN),
        ({"person": "a", "circle": "x"}, {"person": "b", "circle": "x"}, Kin.UNKNOWN),
        ({"person": "a", "circle": "x", "scene": "s"}, {"person": "b", "circle": "x", "scene": "s"}, Kin.OTHER),
        ({"circle": "x", "gender": "Male"}, {"circle": "x", "gender": "Female"}, Kin.OTHER),
        ({"circle": "x"}, {"person": "a"}, Kin.OTHER),
        ({}, {}, Kin.UNKNOWN),
    ],
)
def test_pictures_are_of_two_people_only_where_that_is_known(first: dict[str, str], second: dict[str, str], what: Kin) -> None:
    assert kin(sample(**first), sample("faces/b.jpg", **second)) is what
    assert kin(sample("faces/b.jpg", **second), sample(**first)) is what


def at(place: float) -> Face:
    return face(vector=np.array([place] + [0.0] * 127, np.float32))


def test_pairs_nearer_than_a_threshold_match_rightly_or_falsely() -> None:
    near = distance_at(80) * 0.9
    readings = [
        reading(sample("people/a/1.jpg", person="a", gender="Male"), at(0.0)),
        reading(sample("people/a/2.jpg", person="a", gender="Male"), at(near)),
        reading(sample("people/b/1.jpg", person="b", gender="Male"), at(2 * near)),
        reading(sample("people/c/1.jpg", person="c", gender="Female"), at(9.0)),
        reading(sample("people/c/2.jpg", person="c", gender="Female"), at(12.0)),
    ]
    table = named(identity.tables(readings, nothing_tried()), "similarity")
    assert table.rows["80 %"][1:] == (Share(1, 2), Share(1, 8), Share(1, 2))


def test_a_face_is_found_again_when_the_nearest_picture_is_of_its_person(perfect: dict[str, list[Trial]]) -> None:
    own = perfect["light"][0].scene.cutout.sample
    other = sample("people/b/1.jpg", person="b")
    for place, right in ((5.0, 100), (-0.0, 0)):
        readings = [reading(own, at(1.0 if right == 0 else 0.0)), reading(other, at(place))]
        table = named(identity.tables(readings, perfect), "found_again")
        assert set(percents(table, "nearest is right")) == {right}


def test_clear_faces_are_cut_out_two_of_a_person_at_most(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(portrait_bytes(HOPPER))
    labels = {"person": "hopper", "box": (185, 120, 165, 215), "eyes": (220, 191, 309, 187)}
    readings = [
        reading(Sample(f"people/hopper/{number}.jpg", tmp_path / f"{number}.jpg", clear=number != 0, **labels))
        for number in range(3)
    ]
    assert [cut.sample.path.stem for cut in cutouts(readings)] == ["1", "2"]
    (one, _) = cutouts(readings)
    assert one.rgb.shape[0] > 215
    assert truth(Scene(one, NOWHERE)).landmarks


def test_without_labels_the_engines_own_places_are_taken(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(portrait_bytes(HOPPER))
    seen = FaceEngine().analyse(portrait(HOPPER), ["ALL"])
    height, width = portrait(HOPPER).shape[:2]
    lone = Sample("faces/a.jpg", tmp_path / "a.jpg")
    (cut,) = cutouts([Reading(lone, width, height, 1.0, tuple(seen))])
    assert cut.box[3] == pytest.approx(seen[0].box.height * height)
    assert cutouts([Reading(lone, width, height, 1.0, tuple(seen * 2))]) == []
