"""The metric of one case, and the number that it adds to a mean."""

from pitfalls.metrics.metric import Guarded, Metric, Value
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import Preset


def case_value(metric: Metric, case: Observation, preset: Preset) -> Value:
    """The metric of one case; guarded where a probability it needs was not read."""
    if not metric.applies(case, preset):
        return Guarded("a probability that the metric needs was not read")
    return metric.value(case, preset)


def number_of(value: Value) -> float | None:
    """The number that the case adds to the mean; None if it is left out."""
    return value.value if isinstance(value, Guarded) else value
