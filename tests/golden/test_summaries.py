"""The authors' result files give what the authors' summary script prints."""

import ast
import gzip
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pitfalls.metrics.scores import Score, score
from pitfalls.records.authors import observe_authors_results

TOLERANCE = 1e-6
PRINTED = re.compile(r"(.+)_(coverage|reverse|composite|easy|hard)(_multi)?")
NAMES = {
    "Succ": ("succ_single", "succ_round"),
    "CS": ("cs",),
    "CM": ("cm",),
    "FFD": ("tfd",),
    "D": ("d",),
    "IR": ("ir",),
    "FR": ("fr",),
}


def printed_values(stdout: str) -> dict[str, dict[str, float]]:
    """`ROME_easy: {'L': 6, 'D': 0.1}` by line; NaN and infinity are no Python literals."""
    stdout = re.sub(r"\binf\b", "1e999", re.sub(r"\bnan\b", "None", stdout))
    lines = (line.split(": ", 1) for line in stdout.splitlines())
    return {
        name: {
            key: math.nan if value is None else float(value)
            for key, value in ast.literal_eval(values).items()
        }
        for name, values in lines
    }


def scores_of(directory: Path) -> dict[tuple[str, str, str], Score]:
    scores = score(observe_authors_results(directory), preset="authors")
    return {(s.editor, s.data.split("/")[1], s.metric): s for s in scores}


def check(directory: Path, stdout: str) -> None:
    found = scores_of(directory)
    expected = printed_values(stdout)
    assert expected
    for name, values in expected.items():
        match = PRINTED.fullmatch(name)
        assert match
        editor = match[1].lower() + ("+mle" if match[3] else "")
        count = values.pop("L")
        for key, value in values.items():
            ours = next(
                found[editor, match[2], metric]
                for metric in NAMES[key]
                if (editor, match[2], metric) in found
            )
            assert ours.n == count, name
            assert ours.value == pytest.approx(value, abs=TOLERANCE, nan_ok=True), (name, key)


def unpacked(folder: Path, target: Path) -> Path:
    """A copy of the result files with every `.json.gz` unpacked, as the scripts left them."""
    for packed in folder.glob("*_results/*.json*"):
        copy = target / packed.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if packed.suffix == ".gz":
            copy.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        else:
            shutil.copy(packed, copy)
    return target


def test_synthetic(golden_summary: Path, tmp_path: Path) -> None:
    stdout = json.loads((golden_summary / "expected.json").read_text())["stdout"]
    check(unpacked(golden_summary, tmp_path), stdout)


def flows(golden_model: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(
        (golden_model / "flows" / "summarize_expected.json").read_text()
    )
    return expected


def test_every_flow_is_understood(golden_model: Path) -> None:
    known = {"explicit", "implicit", "explicit_with_gptj_key"}
    assert flows(golden_model).keys() <= known


@pytest.mark.parametrize("flow", ["explicit", "implicit"])
def test_flow(golden_model: Path, flow: str, tmp_path: Path) -> None:
    folder = unpacked(golden_model / "flows" / flow, tmp_path)
    check(folder, flows(golden_model)[flow]["stdout"])


def test_flow_with_the_key_that_the_summary_reads(golden_model: Path, tmp_path: Path) -> None:
    folder = unpacked(golden_model / "flows" / "explicit", tmp_path)
    for file in folder.glob("round_results/*_model.json"):
        records = json.loads(file.read_text())
        file.write_text(json.dumps([record | {"gptj": record["model"]} for record in records]))
    check(folder, flows(golden_model)["explicit_with_gptj_key"]["stdout"])


@pytest.mark.parametrize(("flow", "metric"), [("explicit", "cs_exp"), ("implicit", "cs_imp")])
def test_full_records_tell_the_wording_of_cs(golden_model: Path, flow: str, metric: str) -> None:
    found = scores_of(golden_model / "flows" / flow)
    divided = {key: one for key, one in found.items() if key[2] in ("cs_exp", "cs_imp")}
    assert {name for _, _, name in divided} == {metric}
    for (editor, split, _), one in divided.items():
        assert one.value == found[editor, split, "cs"].value


def test_packed_and_unpacked_files_score_alike(golden_model: Path, tmp_path: Path) -> None:
    packed = golden_model / "flows" / "explicit"
    ours, theirs = scores_of(packed), scores_of(unpacked(packed, tmp_path))
    assert {key: one.value for key, one in ours.items()} == {
        key: one.value for key, one in theirs.items()
    }
