"""Readings that the metrics of round trips share."""

from pitfalls.metrics.metric import Needs
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import StateName

ROUND_TRIP: Needs = (("theta0", "original"), ("theta_prime", "original"))
"""Needed to compare the true objects before and after a round trip."""


def others(case: Observation, state: StateName) -> list[float]:
    """How probable every true object but o1 is in that state, in file order."""
    return case.numbered(state, "other")
