"""Laws over the table of metrics: what each promises of itself, and what all of them share.

Probabilities are drawn for every state and probe that any metric may ask for; the same laws then
hold for each metric under each preset. A metric that is not in `WORSE` fails the meta-test.
"""

import importlib
import math
import pkgutil

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import pitfalls.metrics
from pitfalls.metrics.metric import Guarded, Metric, Value
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation, Source
from pitfalls.vocabulary import PRESETS, STATES, CaseKind, Preset

OTHERS = ("other/0", "other/1", "other/2")
CONFLICT_PROBES = ("old", "new", "new_explicit", "new_implicit", "tied", "true")
ROUND_PROBES = ("original", "intermediate", *OTHERS)
PROBES = (*CONFLICT_PROBES, *ROUND_PROBES)
DEFINED = [(m, preset) for m in METRICS.values() for preset in PRESETS if preset in m.presets]
each_definition = pytest.mark.parametrize(
    ("metric", "preset"), DEFINED, ids=[f"{m.name}-{preset}" for m, preset in DEFINED]
)
probabilities = st.lists(
    st.floats(1e-9, 1),
    min_size=len(STATES) * len(PROBES),
    max_size=len(STATES) * len(PROBES),
)

IDEAL = dict.fromkeys(((state, probe) for state in STATES for probe in PROBES), 0.5) | {
    ("theta2", "old"): 0.1,
    ("theta2", "true"): 0.1,
    ("theta_prime", "old"): 0.0,
    ("theta0", "intermediate"): 0.1,
    ("theta_m", "original"): 0.1,
    ("theta_prime", "intermediate"): 0.1,
}
"""Every edit takes, the newer removes the older, nothing else moves."""

WORSE = {
    "succ_single": {("theta2", "new"): 0.05},
    "cs": {("theta_prime", "new"): 0.0},
    "cs_exp": {("theta_prime", "new_explicit"): 0.0},
    "cs_imp": {("theta_prime", "new_implicit"): 0.0},
    "cs_exp_gain": {("theta_prime", "new_explicit"): 0.0},
    "cm": {("theta_prime", "old"): 0.4},
    "tfd": {("theta_prime", "tied"): 0.1},
    "succ_round": {("theta_prime", "original"): 0.05},
    "succ_out": {("theta_m", "intermediate"): 0.05},
    "succ_back": {("theta_prime", "original"): 0.05},
    "restored": {("theta_prime", "original"): 0.05},
    "d": {("theta_prime", "other/0"): 0.01},
    "ir": {("theta_prime", "other/0"): 0.4},
    "fr": {("theta_prime", "other/0"): 0.4, ("theta_prime", "other/1"): 0.4},
    "shift": {("theta_prime", "other/0"): 0.4},
}
"""Metric → readings that it must mark down."""


def case(kind: CaseKind, found: dict, *, noise: float = 1e-4) -> Observation:
    source = Source("run", "model", "editor", "data", kind, noise)
    return Observation(source, "case-0", "Q1", found)


def drawn(values: list[float]) -> dict:
    keys = ((state, probe) for state in STATES for probe in PROBES)
    return dict(zip(keys, values, strict=True))


def number(value: Value) -> float:
    assert not isinstance(value, Guarded), value
    return value


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_describes_itself(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.title and metric.question.endswith("?") and metric.kinds
    for preset in PRESETS:
        assert (preset in metric.presets) != bool(metric.absent.get(preset)), preset
    for definition in metric.presets.values():
        assert definition.formula and definition.source and definition.needs
        low, high = definition.value_range
        assert low <= metric.best <= high


def test_every_metric_is_listed_and_tested() -> None:
    modules = pkgutil.iter_modules(pitfalls.metrics.__path__, "pitfalls.metrics.")
    found = [
        value
        for module in modules
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, Metric)
    ]
    assert {metric.name for metric in found} == METRICS.keys()
    assert WORSE.keys() == METRICS.keys()


@each_definition
@settings(deadline=None, max_examples=50)
@given(values=probabilities)
def test_values_are_in_range(metric: Metric, preset: Preset, values: list[float]) -> None:
    low, high = metric.presets[preset].value_range
    for kind in metric.kinds:
        value = number(metric.value(case(kind, drawn(values)), preset))
        assert low - 1e-6 <= value <= high + 1e-6  # the authors' D is float32


@each_definition
def test_an_ideal_editor_gets_the_best_value(metric: Metric, preset: Preset) -> None:
    for kind in metric.kinds:
        assert metric.value(case(kind, IDEAL), preset) == pytest.approx(metric.best, abs=1e-7)


@each_definition
def test_damage_moves_the_value_away_from_the_best(metric: Metric, preset: Preset) -> None:
    for kind in metric.kinds:
        value = number(metric.value(case(kind, IDEAL | WORSE[metric.name]), preset))
        assert value < metric.best if metric.increasing else value > metric.best


@each_definition
def test_what_a_metric_does_not_need_does_not_matter(metric: Metric, preset: Preset) -> None:
    kept = {*metric.presets[preset].needs}
    kept |= {(state, probe) for state in ("theta0", "theta_prime") for probe in OTHERS}
    for kind in metric.kinds:
        few = case(kind, {name: IDEAL[name] for name in IDEAL if name in kept})
        assert metric.applies(few, preset)
        assert metric.value(few, preset) == metric.value(case(kind, IDEAL), preset)


@each_definition
def test_a_metric_says_nothing_without_what_it_needs(metric: Metric, preset: Preset) -> None:
    for need in metric.presets[preset].needs:
        found = {name: p for name, p in IDEAL.items() if name != need}
        assert not metric.applies(case(metric.kinds[0], found), preset)


@each_definition
def test_zeros_are_guarded_not_raised(metric: Metric, preset: Preset) -> None:
    """Whatever is zero, the value is a number in range or a `Guarded` with a reason."""
    low, high = metric.presets[preset].value_range
    nothing = dict.fromkeys(IDEAL, 0.0)
    for zeros in (nothing, *({name: 0.0} for name in IDEAL)):
        value = metric.value(case(metric.kinds[0], IDEAL | zeros), preset)
        if isinstance(value, Guarded):
            assert value.reason
            assert (value.value is None) == (preset == "clean")
        else:
            assert low <= value <= high


@each_definition
def test_a_tie_is_no_success(metric: Metric, preset: Preset) -> None:
    if metric.name.startswith(("succ", "cs")):
        tie = dict.fromkeys(IDEAL, 0.5)
        assert metric.value(case(metric.kinds[0], tie), preset) == 0


@settings(deadline=None)
@given(values=probabilities)
def test_clean_and_authors_differ_only_where_documented(values: list[float]) -> None:
    found = drawn(values)
    for name in ("cs", "cs_exp", "cs_imp", "cm", "succ_round"):
        observed = case(METRICS[name].kinds[0], found)
        assert METRICS[name].value(observed, "clean") == METRICS[name].value(observed, "authors")
    tied = case("composite", found)
    clean, authors = (number(METRICS["tfd"].value(tied, preset)) for preset in ("clean", "authors"))
    assert clean == max(authors, -1.0)


@settings(deadline=None)
@given(values=probabilities, noise=st.sampled_from([1e-4, 1e-2]))
def test_noise_never_counts_as_ignored_in_clean(values: list[float], noise: float) -> None:
    found = drawn(values)
    for other in OTHERS:
        found["theta_prime", other] = found["theta0", other] * (1 - noise / 2)
    observed = case("round-easy", found, noise=noise)
    assert METRICS["ir"].value(observed, "clean") == METRICS["fr"].value(observed, "clean") == 0
    assert METRICS["ir"].value(observed, "authors") == METRICS["fr"].value(observed, "authors") == 1


@settings(deadline=None)
@given(values=probabilities, scale=st.floats(1e-3, 1))
def test_cs_gain_does_not_depend_on_how_likely_a_sentence_was(
    values: list[float], scale: float
) -> None:
    found = drawn(values)
    rarer = dict(found)
    for state in ("theta0", "theta_prime"):
        rarer[state, "new_explicit"] *= scale
    before, after = (case("reverse", one) for one in (found, rarer))
    gains = [
        one.p("theta_prime", "new_explicit")
        / one.p("theta0", "new_explicit")
        / (one.p("theta_prime", "old") / one.p("theta0", "old"))
        for one in (before, after)
    ]
    assume(all(abs(gain - 1) > 1e-9 for gain in gains))
    metric = METRICS["cs_exp_gain"]
    assert metric.value(before, "clean") == metric.value(after, "clean")


def test_authors_cm_follows_numpy_where_nothing_was_there() -> None:
    for after, expected in ((0.2, -1.0), (0.0, math.nan)):
        found = IDEAL | {("theta_m", "old"): 0.0, ("theta_prime", "old"): after}
        value = METRICS["cm"].value(case("reverse", found), "authors")
        assert isinstance(value, Guarded)
        assert value.value == pytest.approx(expected, nan_ok=True)


def test_what_stands_beside_the_new_fact_is_what_cs_compares() -> None:
    """The authors' files hold p_θ'(k_o) twice; their summary compares the copy."""
    found = IDEAL | {("theta_prime", "old_beside_new"): 0.9}
    assert METRICS["cs"].value(case("coverage", found), "authors") == 0
    assert METRICS["cm"].value(case("coverage", found), "authors") == 1
