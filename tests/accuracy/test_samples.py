"""A folder is read as it is laid out and labelled, and refused with a sentence where that makes no sense."""

from pathlib import Path

import pytest

from accuracy.samples import LabelError, read
from tests.accuracy.folders import folder_of_portraits
from tests.vision.scenes import ASTRONAUT, HOPPER, portrait_bytes

FILE = f"people/hopper/{HOPPER}"


def test_folders_name_people_and_labels_say_what_is_to_be_seen(tmp_path: Path) -> None:
    folder_of_portraits(tmp_path, f"file,age,smile,box\n{FILE},20-40,0,185 120 165 215\n")
    astronaut, hopper = read(tmp_path)
    assert (hopper.person, hopper.age, hopper.smile, hopper.box) == ("hopper", (20, 40), False, (185, 120, 165, 215))
    assert (astronaut.person, astronaut.age, astronaut.smile) == ("astronaut", None, None)


def test_a_folder_needs_no_labels_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for part, name in (("faces", "a.JPG"), ("none", "b.png"), ("faces", "notes.txt"), ("elsewhere", "c.jpg")):
        (tmp_path / part).mkdir(exist_ok=True)
        (tmp_path / part / name).write_bytes(portrait_bytes(HOPPER))
    assert [(sample.file, sample.person, sample.empty) for sample in read(tmp_path)] == [
        ("faces/a.JPG", "", False),
        ("none/b.png", "", True),
    ]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"has no pictures: put JPEG or PNG files into .*people/NAME, faces or none"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("file,colour\n", "a column 'colour' that nothing reads: take it out, or use faces, person"),
        ("picture\n", "no column 'file'"),
        ("file,age\nfaces/gone.jpg,20\n", r"names faces/gone.jpg, which is not in"),
        (f"file,age\n{FILE},young\n", "line 2: age is 'young'; write years such as 51 or 20-40, or nothing"),
        (f"file,gender\n{FILE},male\n", "line 2: gender is 'male'; write Female or Male, or nothing"),
        (f"file,emotion\n{FILE},BORED\n", "emotion is 'BORED'; write one of CALM, HAPPY"),
        (f"file,smile\n{FILE},yes\n", "smile is 'yes'; write 1 or 0, or nothing"),
        (f"file,box\n{FILE},1 2 3\n", "box is '1 2 3'; write left top width height in pixels, or nothing"),
        (f"file,age,smile\n{FILE},20\n", "line 2, has not as many cells as columns"),
        (f"file,age\n{FILE},20,1\n", "line 2, has not as many cells as columns"),
    ],
)
def test_labels_that_make_no_sense_are_refused_in_one_sentence(tmp_path: Path, labels: str, sentence: str) -> None:
    folder_of_portraits(tmp_path, labels)
    with pytest.raises(LabelError, match=sentence) as refused:
        read(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_picture_is_refused_by_its_name(tmp_path: Path) -> None:
    folder_of_portraits(tmp_path)
    (tmp_path / "people" / "astronaut" / ASTRONAUT).write_bytes(b"GIF89a")
    with pytest.raises(LabelError, match=f"{ASTRONAUT}: GIF is neither JPEG nor PNG"):
        read(tmp_path)[0].load()
