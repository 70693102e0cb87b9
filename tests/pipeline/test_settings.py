"""Settings: from flags first, then the environment, frozen, and each fault in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.entities import Operation
from pipeline.errors import SettingsError
from pipeline.provider import DETECT_FACES, Provider
from pipeline.settings import load, parse_attributes
from pipeline.spending import Budget


def test_a_flag_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKSTREAM_FPS", "3")
    assert load().fps == 3
    assert load(fps=7.0).fps == 7
    assert load(fps=None).fps == 3


def test_frames_are_rarer_where_they_cost_money() -> None:
    assert load().sampled_fps == 5
    assert load(provider="aws").sampled_fps == 1
    assert load(provider="aws", fps=2.0).sampled_fps == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fps": "fast"}, "fps 'fast'"),
        ({"fps": 1000.0}, "fps 1000: frames a second must lie between 0.01 and 60"),
        ({"tps": 0.0}, "tps 0"),
        ({"provider": "azure"}, "provider 'azure'"),
        ({"attributes": "smirk"}, "no attribute 'smirk'"),
        ({"attributes": ","}, "no attribute is named"),
        ({"threads": 0}, "threads '0'"),
    ],
)
def test_what_is_wrong_names_the_setting_and_the_value(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(**given)
    assert words in str(error.value)


def test_a_password_comes_from_its_own_setting_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().password() is None
    path = tmp_path / "password"
    path.write_text("hush\n")
    assert load(redis_password_file=path).password() == "hush"
    monkeypatch.setenv("REKSTREAM_REDIS_PASSWORD", "louder")
    assert load(redis_password_file=path).password() == "louder"
    assert "louder" not in repr(load())
    monkeypatch.delenv("REKSTREAM_REDIS_PASSWORD")
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file"):
        load(redis_password_file=tmp_path / "none").password()


def test_the_password_of_the_page_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    assert load().dashboard_password() is None
    path = tmp_path / "password"
    path.write_text("open sesame\n")
    for rights in (0o644, 0o640, 0o602):
        path.chmod(rights)
        with pytest.raises(SettingsError, match=f"'{path}' can be read by others: chmod 600 {path}"):
            load(password_file=path).dashboard_password()
    path.chmod(0o600)
    assert load(password_file=path).dashboard_password() == "open sesame"
    path.write_text(" short \n")
    with pytest.raises(SettingsError, match="has 5 characters: write one of at least 8 there"):
        load(password_file=path).dashboard_password()
    path.write_bytes(b"\xff\xfe\x00\xd8\x00")
    with pytest.raises(SettingsError, match="holds no text"):
        load(password_file=path).dashboard_password()
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file or directory\): correct --password-file"):
        load(password_file=tmp_path / "none").dashboard_password()


def test_attributes_are_rekognitions_names() -> None:
    assert parse_attributes("smile, emotions,smile") == ("SMILE", "EMOTIONS")
    assert parse_attributes("all,smile") == ("ALL",)
    assert parse_attributes(["age-range", "default"]) == ("AGE_RANGE", "DEFAULT")


def test_only_aws_itself_is_paid() -> None:
    assert Provider.of(load(provider="aws")).dollars_per_call() == 0.001
    assert Provider.of(load(provider="aws", endpoint_url="http://10.0.0.1")).dollars_per_call() == 0
    amazons = "https://rekognition-fips.us-east-1.amazonaws.com"
    assert Provider.of(load(provider="aws", endpoint_url=amazons)).dollars_per_call() == 0.001
    with pytest.raises(SettingsError, match="say --aws"):
        Provider.of(load(endpoint_url=amazons))
    assert Provider.of(load(), "http://127.0.0.1:1").dollars_per_call() == 0


def test_quotas_are_aws_defaults_by_region_unless_said_otherwise() -> None:
    assert Provider("aws", "us-east-1").calls_per_second(DETECT_FACES) == 100
    assert Provider("aws", "eu-central-1").calls_per_second(DETECT_FACES) == 25
    assert Provider("aws", "us-east-1").calls_per_second("SearchFacesByImage") == 50
    assert Provider("aws", "eu-central-1").calls_per_second("SearchFacesByImage") == 5
    assert Provider("aws", "us-east-1", tps=7).calls_per_second(DETECT_FACES) == 7
    raised = Provider("aws", "eu-central-1", tps=400)  # for DetectFaces: the others keep AWS's default
    quotas = {operation: raised.calls_per_second(operation) for operation in Operation}
    assert (quotas.pop(DETECT_FACES), quotas.pop(Operation.COMPARE_FACES), set(quotas.values())) == (400, 25, {5})
    assert raised.most_dollars_per_second() == pytest.approx(0.4 + 0.025 + 5 * 0.005)


def test_keeping_house_in_a_collection_costs_nothing() -> None:
    aws = Provider("aws", "us-east-1")
    free = {operation for operation in Operation if aws.dollars_per_call(operation) == 0}
    paid = {"DetectFaces", "DetectLabels", "CompareFaces", "SearchFacesByImage", "SearchFaces", "IndexFaces", "AssociateFaces"}
    assert set(Operation) - free == paid


@pytest.mark.parametrize("text", ["1/day", "$1.50/hour", " 20 / month "])
def test_a_budget_is_dollars_in_a_period(text: str) -> None:
    budget = Budget.parse(text)
    start, end = budget.bounds(1_795_368_000.0)
    assert start <= 1_795_368_000.0 < end
    assert budget.bounds(end)[0] == end


@pytest.mark.parametrize("text", ["lots", "1", "1/week", "-1/day", "1/day/day", ""])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not an amount of dollars in a period"):
        Budget.parse(text)
