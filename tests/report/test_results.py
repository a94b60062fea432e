"""Results as tables, for a notebook."""

from pathlib import Path

import pytest
from runs_on_disk import make_run

from pitfalls import Results
from pitfalls.errors import PitfallsError
from pitfalls.metrics.scores import score


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results.read(make_run(tmp_path / "a"))


def test_scores_are_those_of_the_command(results: Results) -> None:
    expected = [one.value for one in score(results.observations)]
    assert results.scores()["value"].to_pylist() == expected


def test_the_mean_of_a_column_of_cases_is_the_score(results: Results) -> None:
    frame = results.cases().to_pandas()
    scores = results.scores().to_pandas()
    for one in scores[~scores.reference].itertuples():
        rows = frame[(frame.editor == one.editor) & (frame.data == one.data)]
        assert rows[one.metric].mean() == pytest.approx(one.value)
    assert set(frame.relation) == {"P40", "P25", "P1411"}


def test_polars_takes_them_too(results: Results) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.from_arrow(results.probabilities())
    assert frame.columns[-3:] == ["state", "probe", "p"]
    assert 0 < frame["p"].min() <= frame["p"].max() <= 1


def test_comparisons(results: Results) -> None:
    table = results.comparisons(base="rome")
    assert set(table["other"].to_pylist()) == {"ft"}
    assert {"p", "p_holm", "detectable"} <= set(table.column_names)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match="no run in"):
        Results.read(tmp_path)
    with pytest.raises(PitfallsError, match="no records in"):
        Results.read(make_run(tmp_path / "a", cases=0))
    with pytest.raises(PitfallsError, match="no records in no run"):
        Results.read()
