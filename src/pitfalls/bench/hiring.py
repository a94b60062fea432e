"""From the words of `--workers` to the workers."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from pitfalls.bench.crew import Crew
from pitfalls.bench.on_ray import RayCrew, check_cluster, imported_ray
from pitfalls.bench.outfit import Outfit
from pitfalls.bench.processes import Processes
from pitfalls.door.text import shortened
from pitfalls.errors import PitfallsError

Hiring: TypeAlias = Callable[[Outfit], Crew]
"""Makes the workers of a run, once it is known what they need."""

MOST = 1024
"""Largest number of processes on one machine."""


def hiring(text: str) -> Hiring:
    """Read `4`, `ray` or `ray:ADDRESS`.

    Raises:
        PitfallsError: another text, too many, Ray is not installed, or its cluster is not there.
    """
    kind, colon, address = text.partition(":")
    if kind == "ray" and bool(colon) == bool(address):
        imported_ray()
        check_cluster(address or None)
        return partial(RayCrew, address=address or None)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST:
        return partial(Processes, count=int(text))
    raise PitfallsError(
        f"workers {shortened(repr(text))}: expected a number from 1 to {MOST}, ray or ray:ADDRESS"
    )
