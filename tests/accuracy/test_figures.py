"""Figures are counted, shown and compared as they say."""

import math
from pathlib import Path

import pytest

from accuracy.figures import Before, Number, Share, Table, load, save


def table(found: int = 3, **changed: object) -> Table:
    rows = {"24 px": (Share(found, 4), Number(1.26, 1, "°")), "32 px": (Share(0, 0), Number(math.nan))}
    told = {"columns": ("found", "error"), "rows": rows, "compared": frozenset({"found"}), "missing": ""} | changed
    return Table("height", "By height", "What is found.", "height", **told)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(5, 10, 23.7, 76.3), (0, 10, 0, 27.8), (10, 10, 72.2, 100), (81, 263, 25.5, 36.6)]
)
def test_an_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """The last is the example of Newcombe, "Two-sided confidence intervals for the single proportion", 1998."""
    assert Share(hits, of).interval == (pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.05))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (Share(0, 0), "-"),
        (Share(5, 10), "50 % (24-76)"),
        (Share(970, 1000), "97 %"),
        (Share(1, 10_000), "0.01 %"),
        (Share(9_999, 10_000), "99.99 %"),
        (Share(0, 10_000), "0 %"),
    ],
)
def test_a_share_shows_its_interval_where_it_is_wide_and_never_rounds_to_none_or_all(share: Share, shown: str) -> None:
    assert str(share) == shown


def test_a_number_of_nothing_is_a_dash() -> None:
    assert str(Number.middle([])) == str(Number.mean([])) == "-"
    assert str(Number.middle([1, 2, 9], 1, "°")) == "2.0°"
    assert str(Number.mean([1, 2, 9], 1, " years")) == "4.0 years"


def test_a_table_is_markdown() -> None:
    assert table().markdown().splitlines()[-4:] == [
        "| height | found | error |",
        "| --- | ---: | ---: |",
        "| 24 px | 75 % (30-95) | 1.3° |",
        "| 32 px | - | - |",
    ]


def test_a_table_without_figures_says_why() -> None:
    assert table(rows={}, missing="Not measured: no faces.").markdown() == "### By height\n\nNot measured: no faces."


def test_figures_of_an_earlier_run_stand_beside_the_new_ones(tmp_path: Path) -> None:
    save([table(found=1)], tmp_path / "old.json", "commit 1")
    before = load(tmp_path / "old.json")
    assert before.of == "commit 1"
    assert table().markdown(before).splitlines()[-4:] == [
        "| height | found | before | error |",
        "| --- | ---: | ---: | ---: |",
        "| 24 px | 75 % (30-95) | 25 % | 1.3° |",
        "| 32 px | - | - | - |",
    ]


def test_rows_and_columns_that_were_not_there_before_have_no_figure() -> None:
    before = Before({("height", "24 px", "found"): "9 %"})
    assert "| 32 px | - | - | - |" in table().markdown(before)
    assert "before" not in table(compared=frozenset({"error"})).markdown(before)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"of": "x", "figures": {"a": {"b": {"c": 1}}}}'])
def test_a_file_that_holds_no_figures_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(ValueError, match=r"old\.json is no file that --json wrote"):
        load(tmp_path / "old.json")
