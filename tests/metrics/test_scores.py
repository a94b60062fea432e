"""From cases to a mean, an interval and the counts of what is not in it."""

import json
import math

import numpy as np
import pytest

from pitfalls.metrics.intervals import bootstrap_intervals
from pitfalls.metrics.scores import Score, score
from pitfalls.records.observation import Observation, Source
from pitfalls.vocabulary import Preset


def coverage(position: int, *, before: float, after: float, **changes: object) -> Observation:
    values = {
        "source": Source("run", "model", "rome", "starter:conflict/coverage", "coverage"),
        "case_id": f"coverage-{position:05d}",
        "subject": f"Q{position}",
        "probabilities": {
            ("theta_m", "old"): before,
            ("theta_prime", "old"): after,
            ("theta_prime", "new"): 0.5,
        },
    }
    return Observation(**(values | changes))


def cm(cases: list[Observation], preset: Preset = "authors") -> Score:
    return next(one for one in score(cases, preset=preset) if one.metric == "cm")


def test_the_mean_is_over_cases() -> None:
    one = cm([coverage(i, before=0.5, after=after) for i, after in enumerate((0.0, 0.25, 0.5))])
    assert (one.n, one.guarded, one.failed) == (3, 0, 0)
    assert one.value == pytest.approx(0.5)
    assert one.low <= one.value <= one.high


def test_failed_cases_are_counted_and_never_in_the_mean() -> None:
    cases = [coverage(0, before=0.5, after=0.0)]
    cases.append(coverage(1, before=0.5, after=0.5, failure="non-finite loss"))
    one = cm(cases)
    assert (one.n, one.failed, one.value) == (1, 1, 1.0)
    assert one.failure_reasons == {"non-finite loss": 1}


def test_a_run_where_everything_failed_still_shows_up() -> None:
    one = cm([coverage(0, before=0.5, after=0.0, failure="out of range")])
    assert (one.n, one.failed) == (0, 1)
    assert math.isnan(one.value)
    assert one.as_json()["value"] is None


def test_clean_leaves_out_what_authors_keep() -> None:
    cases = [coverage(0, before=0.5, after=0.0), coverage(1, before=0.0, after=0.0)]
    clean, authors = cm(cases, "clean"), cm(cases, "authors")
    assert (clean.n, clean.guarded, clean.value) == (1, 1, 1.0)
    assert (authors.n, authors.guarded) == (2, 1)
    assert math.isnan(authors.value) and math.isnan(authors.low)
    assert clean.guard_reasons == {"p_θm(k_o) is 0": 1}


def test_a_probability_that_was_not_read_guards_its_case() -> None:
    broken = coverage(1, before=0.5, after=0.0)
    del broken.probabilities["theta_m", "old"]
    one = cm([coverage(0, before=0.5, after=0.0), broken])
    assert (one.n, one.guarded) == (1, 1)
    assert list(one.guard_reasons) == ["a probability that the metric needs was not read"]


def test_only_metrics_that_apply_are_scored() -> None:
    scores = score([coverage(0, before=0.5, after=0.0)], preset="clean")
    assert [one.metric for one in scores] == ["cs", "cm"]


def test_json_is_strict_and_holds_fractions() -> None:
    cases = [coverage(0, before=0.0, after=0.0)]
    rows = [one.as_json() for one in score(cases)]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert {"model", "editor", "data", "metric", "preset", "n", "value", "low", "high"} <= set(
        rows[0]
    )
    assert rows[1]["value"] is None and rows[1]["guarded"] == 1


def test_sources_are_scored_apart_in_order_of_appearance() -> None:
    other = Source("run", "model", "ft", "starter:conflict/coverage", "coverage")
    cases = [
        coverage(0, before=0.5, after=0.0),
        coverage(0, before=0.5, after=0.5, source=other),
        coverage(1, before=0.5, after=0.0),
    ]
    assert [(one.editor, one.n) for one in score(cases) if one.metric == "cm"] == [
        ("rome", 2),
        ("ft", 1),
    ]


def test_equal_seeds_give_equal_intervals() -> None:
    cases = [coverage(i, before=0.5, after=i / 20) for i in range(10)]
    assert score(cases, seed=1) == score(cases, seed=1)
    assert score(cases, seed=1) != score(cases, seed=2)


def test_an_interval_covers_what_a_normal_one_does() -> None:
    values = np.random.default_rng(0).normal(size=(400, 1))
    low, high = bootstrap_intervals(values, [str(i) for i in range(400)], seed=0)[:, 0]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_copies_of_a_subject_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).random((50, 1))
    names = [f"Q{i}" for i in range(50)]
    once = bootstrap_intervals(values, names, seed=0)
    thrice = bootstrap_intervals(np.repeat(values, 3, axis=0), np.repeat(names, 3).tolist(), seed=0)
    assert thrice == pytest.approx(once)


def test_cases_left_out_do_not_move_the_interval_of_others() -> None:
    values = np.random.default_rng(0).random((30, 2))
    values[:10, 1] = np.nan
    names = [f"Q{i}" for i in range(30)]
    both = bootstrap_intervals(values, names, seed=0)
    assert both[:, :1] == pytest.approx(bootstrap_intervals(values[:, :1], names, seed=0))
    assert both[0, 1] < np.nanmean(values[:, 1]) < both[1, 1]


def test_a_column_without_values_has_no_interval() -> None:
    assert np.isnan(bootstrap_intervals(np.full((3, 1), np.nan), ["a", "b", "c"], seed=0)).all()


def test_an_infinite_mean_is_null_in_json_and_has_no_interval() -> None:
    """The authors' TFD has no lower bound, and nothing keeps p_θ0(k_f) from being 0."""
    source = Source("run", "model", "rome", "conflict/composite", "composite")
    pairs = [(0.0, 0.5), (0.5, 0.25), (5e-324, 1.0)]
    cases = [
        coverage(
            i,
            before=0.5,
            after=0.5,
            source=source,
            probabilities={("theta0", "tied"): before, ("theta_prime", "tied"): after},
        )
        for i, (before, after) in enumerate(pairs)
    ]
    [one] = score(cases)
    assert (one.metric, one.n, one.guarded, one.value) == ("tfd", 3, 1, -math.inf)
    assert math.isnan(one.low) and one.as_json()["value"] is None
