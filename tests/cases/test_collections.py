"""Names of data sets lead to cases, and what leads nowhere says where it could have led."""

import hashlib
import shutil
from pathlib import Path

import pytest
from worlds import World

from pitfalls.cases.build import build_cases
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import (
    PACKAGED,
    STARTER,
    TUNING,
    available,
    data_checksum,
    load_cases,
    own_file,
)
from pitfalls.cases.fetch import fetch
from pitfalls.cases.known import known_around
from pitfalls.cases.plan import subjects_of
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.vocabulary import DATASETS


@pytest.mark.parametrize("data_set", DATASETS)
def test_the_starter_cases_are_there_without_being_asked_for(data_set: str) -> None:
    cases = load_cases(data_set)
    assert cases == load_cases(f"starter:{data_set}")
    assert {case.kind for case in cases} == {DATASETS[data_set]}
    assert load_cases(data_set, 3) == load_cases(data_set, limit=3) == cases[:3]
    assert load_cases(data_set, limit=10**6) == cases


def test_tuning_cases_and_reported_cases_share_no_subject() -> None:
    """Settings are chosen on the ones and results are reported on the others."""
    tuning, reported = (
        [case for data_set in DATASETS for case in load_cases(f"{collection}:{data_set}")]
        for collection in (TUNING, STARTER)
    )
    assert {case.kind for case in tuning} == set(DATASETS.values())
    subjects = {case.first.subject for case in tuning} | {case.second.subject for case in tuning}
    assert {each.id for each in subjects} <= subjects_of(tuning)
    assert not subjects_of(tuning) & subjects_of(reported)


def test_our_files_are_found_in_a_folder_and_alone(tmp_path: Path) -> None:
    for data_set, kind in DATASETS.items():
        path = tmp_path / own_file(data_set)
        cases = build_cases(World(14).graph(), kind, count=2)
        write_cases(path, cases)
        assert load_cases(f"{tmp_path}:{data_set}") == cases
        assert load_cases(str(path)) == load_cases(f"{path}:{data_set}") == cases
        assert data_checksum(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_authors_files_are_found_in_a_folder_and_alone(released: Path, tmp_path: Path) -> None:
    folder = released / "GPT-J"
    for data_set, file in (("round/hard", "hard.json"), ("conflict/reverse", "reverse_edit.json")):
        cases = load_cases(f"{folder}:{data_set}", limit=5)
        assert cases == load_cases(str(folder / file), limit=5)
    shutil.copy(folder / "reverse_edit.json", tmp_path / "mine.json")
    shutil.copy(folder / "conflict_prompts.json", tmp_path)
    assert load_cases(str(tmp_path / "mine.json"), limit=5) == cases


def test_a_checksum_covers_the_paraphrases_too(released: Path, tmp_path: Path) -> None:
    for name in ("easy.json", "round_prompts.json"):
        shutil.copyfile(released / "GPT-J" / name, tmp_path / name)
    before = data_checksum(f"{tmp_path}:round/easy")
    prompts = tmp_path / "round_prompts.json"
    prompts.write_bytes(prompts.read_bytes() + b"\n")
    assert data_checksum(f"{tmp_path}:round/easy") != before


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("conflict/covrage", "unknown data set 'conflict/covrage': did you mean 'conflict/cov"),
        ("starter:conflict/covrage", "unknown data set 'conflict/covrage': did you mean"),
        ("released-gptj:round/easy", "unknown data collection 'released-gptj': did you mean 'rel"),
        ("", "unknown data set ''"),
    ],
)
def test_unknown_names_offer_the_nearest(name: str, line: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        load_cases(name)
    assert str(error.value).startswith(line)


def test_a_collection_that_is_not_here_says_how_to_get_it(cache: Path) -> None:
    with pytest.raises(PitfallsError, match="pitfalls data fetch released-gpt-j`, with `--from"):
        load_cases("released-gpt-j:round/easy")
    assert not any(each.present for each in available() if each.collection not in PACKAGED)


def test_paths_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("[{}]")
    (tmp_path / "easy.json").write_text("[]")
    for name, line in (
        (f"{tmp_path}", "is a folder; say which set"),
        (f"{tmp_path}:round/hard", "holds neither round-hard.jsonl nor hard.json"),
        (f"{tmp_path}/no.jsonl", "no such file"),
        (f"{tmp_path}/odd.json", "does not tell which cases it holds; add the set"),
        (f"{tmp_path}/easy.json", "needs round_prompts.json beside it"),
        (f"{tmp_path}/easy.json:round/hard", "does not hold round-hard cases, going by its name"),
    ):
        with pytest.raises(PitfallsError) as error:
            load_cases(name)
        assert line in str(error.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_cases(tmp_path / "a.jsonl", build_cases(World(9).graph(), "reverse", count=1))
    with pytest.raises(PitfallsError, match="holds reverse cases, asked for coverage cases"):
        load_cases(f"{tmp_path / 'a.jsonl'}:conflict/coverage")


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(PitfallsError, match="number of cases is 0, expected at least 1"):
        load_cases("conflict/coverage", limit=0)


def test_published_sets_speak_for_each_other(released: Path, cache: Path) -> None:
    assert known_around("released-gpt-j:round/easy") == frozenset()
    fetch("released-gpt-j", from_dir=released)
    case = load_cases("released-gpt-j:conflict/reverse", limit=1)[0].triples[0]
    known = known_around("released-gpt2-xl:round/easy")
    assert (case.subject.id, case.relation.id, case.object.id) in known
    assert len(known_around("conflict/coverage")) > 1000
