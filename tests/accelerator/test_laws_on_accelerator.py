"""The laws of every editor on the pretend accelerator, and the same updates there as on the CPU."""

from collections.abc import Callable, Collection

import pytest
from table import TOLERANCE, tiny_editor

from pitfalls.editors.table import EDITORS
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import (
    FAMILY_KINDS,
    LAWS,
    Examined,
    distance,
    tiny_model,
    to_pretend,
)

NAMES = sorted(EDITORS)
EVERYWHERE = ("ft", "rome")
"""Editors that run on a family of each kind; the others run on one."""
ONE = FAMILY_KINDS[:1]

ExaminedBy = Callable[[str, str, str], Examined]


def pairs(families: Collection[str]) -> list[tuple[str, str]]:
    return [
        (name, family)
        for family in families
        for name in NAMES
        if name in EVERYWHERE or family in ONE
    ]


on_all = pytest.mark.parametrize(("name", "family"), pairs(FAMILY_KINDS))


@pytest.fixture(scope="module")
def examined(moments: MomentSettings) -> ExaminedBy:
    """Every editor on every family and device, fitted once; tests only look at it."""
    models = {}
    made: dict[tuple[str, str, str], Examined] = {}

    def examine(name: str, family: str, device: str) -> Examined:
        if (family, device) not in models:
            model = tiny_model(family)
            models[family, device] = to_pretend(model) if device == "pretend" else model
        if (name, family, device) not in made:
            # The networks of MEND are found by the fingerprint, which is the CPU's as well.
            editor = tiny_editor(name, models[family, device], moments)
            made[name, family, device] = Examined(
                editor=editor, model=models[family, device], tolerance=TOLERANCE.get(name, 1e-4)
            )
        return made[name, family, device]

    return examine


@pytest.mark.parametrize(("name", "family"), [("rome", "gpt2")])
def test_every_law(name: str, family: str, examined: ExaminedBy):
    """The device is slow: one editor, which searches and solves, stands for all."""
    it = examined(name, family, "pretend")
    for law in LAWS:
        law(it)


@on_all
def test_updates_are_those_of_the_cpu(name: str, family: str, examined: ExaminedBy):
    here, there = examined(name, family, "cpu"), examined(name, family, "pretend")
    for ours, theirs in zip(here.updates, there.updates, strict=True):
        assert distance(ours, theirs.to("cpu")) <= here.tolerance
        for part, other in zip(ours.history, theirs.history, strict=True):
            assert part.losses == pytest.approx(other.losses, rel=1e-4)
