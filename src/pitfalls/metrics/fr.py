"""FR, failure rate: in how many cases were most of the other true objects ignored?"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.ir import ignored, undefined_as_nan
from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.metrics.true_objects import ROUND_TRIP
from pitfalls.records.observation import Observation


def _most(share: Value) -> Value:
    return share if isinstance(share, Guarded) else vote(share > 0.5)


def _authors(case: Observation) -> Value:
    return undefined_as_nan(_most(ignored(case)))


def _clean(case: Observation) -> Value:
    return _most(ignored(case, noise=case.source.noise))


FR = Metric(
    name="fr",
    title="FR",
    question="Did more than half of the other true objects become less probable?",
    increasing=False,
    best=0.0,
    kinds=("round-easy", "round-hard"),
    presets={
        "authors": Definition(
            formula="1{IR > ½}; with two true objects FR is IR",
            source="paper §3.2, Failure Rate; authors' code: summarize.py",
            value_range=(0.0, 1.0),
            needs=ROUND_TRIP,
            compute=_authors,
        ),
        "clean": Definition(
            formula="1{IR > ½}, IR with its tolerance",
            source="paper §3.2, Failure Rate",
            value_range=(0.0, 1.0),
            needs=ROUND_TRIP,
            compute=_clean,
        ),
    },
)
