"""Prices: steps of a month, what goes before what, and one sentence with the line for whatever cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entities import Operation
from pipeline.errors import SettingsError
from pipeline.prices import COLUMNS, Step, Tariff, built_in, prices_of, read
from pipeline.provider import Provider
from pipeline.settings import Settings

HEAD = ",".join(COLUMNS) + "\n"
STEPS = Tariff("us-east-1", ("DetectFaces",), (Step(0, 0.001), Step(100, 0.0008), Step(500, 0.0006)))


@pytest.mark.parametrize(
    ("before", "calls", "dollars"),
    [(0, 100, 0.1), (0, 101, 0.1008), (99, 2, 0.0018), (100, 400, 0.32), (0, 1000, 0.1 + 0.32 + 0.3), (10_000, 1, 0.0006)],
)
def test_calls_cost_what_the_month_has_reached(before: int, calls: int, dollars: float) -> None:
    assert STEPS.cost(before, calls) == pytest.approx(dollars)


@given(st.lists(st.integers(0, 400), max_size=8))
def test_however_calls_are_parted_they_cost_the_same_together(parts: list[int]) -> None:
    apart = sum(STEPS.cost(sum(parts[:number]), many) for number, many in enumerate(parts))
    assert apart == pytest.approx(STEPS.cost(0, sum(parts)))


def test_every_operation_has_a_price_with_its_source_and_date() -> None:
    for operation in Operation:
        for region in ("us-east-1", "eu-central-1"):
            tariff = built_in().tariff(region, operation)
            assert operation in tariff.operations
            assert all(step.source and step.date for step in tariff.steps)
    assert not built_in().tariff("us-east-1", "DetectFaces").steps[0].is_assumed
    assert all(step.is_assumed for step in built_in().tariff("eu-central-1", "DetectFaces").steps)


def test_lines_of_ones_own_go_before_the_built_in_ones(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        f"\ufeff# ours\n{HEAD}eu-central-1,DetectFaces,0,0.00125,known,our bill,2026-11\n*,IndexFaces,0,0.002,known,,\n"
    )
    prices = prices_of(path)
    assert prices.tariff("eu-central-1", "DetectFaces").most == 0.00125
    assert prices.tariff("eu-west-1", "DetectFaces").most == 0.001
    assert prices.tariff("us-east-1", "IndexFaces").most == 0.002
    provider = Provider.of(Settings(provider="aws", region="eu-central-1", prices=path))
    assert (provider.dollars_per_call(), provider.dollars_per_call("IndexFaces")) == (0.00125, 0.002)
    assert Provider.of(Settings(prices=path, region="eu-central-1")).dollars_per_call() == 0.0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("us-east-1,DetectFace,0,0.001,known,,", "there is no operation 'DetectFace': did you mean DetectFaces?"),
        ("us-east-1,,0,0.001,known,,", "no operation is named: write for example DetectFaces DetectLabels"),
        (
            "Frankfurt,DetectFaces,0,0.001,known,,",
            "region 'Frankfurt' is none: write one such as us-east-1, or * for all others",
        ),
        ("us-east-1,DetectFaces,0,cheap,known,,", "dollars 'cheap' is no price of a call: write for example 0.001"),
        ("us-east-1,DetectFaces,0,-1,known,,", "dollars '-1' is no price of a call: write for example 0.001"),
        ("us-east-1,DetectFaces,0,nan,known,,", "dollars 'nan' is no price of a call: write for example 0.001"),
        ("us-east-1,DetectFaces,1M,0.001,known,,", "calls_from '1M' is no number of calls: write 0, 1000000 …"),
        ("us-east-1,DetectFaces,0,0.001,sure,,", "certainty 'sure' is none: write known or assumed"),
        ("us-east-1,DetectFaces,0", f"there are 3 columns instead of 7: write {','.join(COLUMNS)}"),
        ("us-east-1,DetectFaces,5,0.001,known,,", "the first step begins at 5 calls: begin with one from 0"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(line: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(f"# a comment\n{HEAD}\n{line}\n")
    with pytest.raises(SettingsError) as refused:
        prices_of(path)
    assert str(refused.value) == f"{path} line 4: {sentence}"


def test_lines_that_contradict_each_other_are_refused() -> None:
    first = "us-east-1,DetectFaces DetectLabels,0,0.001,known,,\n"
    with pytest.raises(SettingsError, match="line 3: this step begins at 0 calls, not after the 0 of the one before"):
        read(HEAD + first + first, "prices.csv")
    with pytest.raises(SettingsError, match="line 3: DetectFaces in us-east-1 stands in another line with other operations"):
        read(f"{HEAD}{first}us-east-1,DetectFaces,0,0.001,known,,\n", "prices.csv")


def test_a_file_of_prices_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file or directory\): correct REKSTREAM_PRICES"):
        prices_of(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text(HEAD)
    with pytest.raises(SettingsError, match="hold no line"):
        prices_of(tmp_path / "empty.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SettingsError, match="are no text"):
        prices_of(tmp_path / "picture.csv")
    (tmp_path / "other.csv").write_text("price,operation\n1,2\n")
    with pytest.raises(SettingsError, match=r"other\.csv line 1: the columns are not region,operations"):
        prices_of(tmp_path / "other.csv")
