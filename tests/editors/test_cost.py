"""Expected costs of fits are within a factor of two of what the fits multiply."""

from typing import Any

import pytest
import torch
from table import tiny_editor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from pitfalls.editors.about import CONTEXT
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.table import EDITORS
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, FAMILY_KINDS

pytestmark = pytest.mark.families(FAMILY_KINDS)

PRODUCTS = (torch.ops.aten.mm, torch.ops.aten.addmm)
BY_WEIGHTS = [name for name in sorted(EDITORS) if EDITORS[name].about.stores is not CONTEXT]
"""Editors that run the model when they fit."""
ALWAYS = {"rome": {"stop_loss": 0.0}, "memit": {"stop_loss": 0.0}}


class Products(TorchDispatchMode):
    """Counts what products of matrices take; those of attention and of changes are batched."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func._overloadpacket in PRODUCTS:
            self.flops += flop_registry[func._overloadpacket](*args, out_val=result)
        elif func._overloadpacket == torch.ops.mkldnn._linear_pointwise:
            x, weight = args[:2]
            self.flops += 2 * x.numel() * weight.shape[0]
        return result


@pytest.mark.parametrize("edits", [EDITS[:1], EDITS], ids=len)
@pytest.mark.parametrize("name", BY_WEIGHTS)
def test_cost(
    name: str, edits: tuple[Edit, ...], model: LanguageModel, moments: MomentSettings
) -> None:
    changes = {"value": ALWAYS[name] | {"steps": 8}} if name in ALWAYS else {}
    editor = tiny_editor(name, model, moments, **changes)
    editor.fit(model, [Job(edits)])  # second moments are no part of a fit
    with Products() as counted:
        editor.fit(model, [Job(edits)])
    told = editor.cost(model, edits).flops(model)
    assert 0.5 <= told / counted.flops <= 2, told / counted.flops


def test_an_editor_that_says_nothing_costs_nothing(model: LanguageModel) -> None:
    class Silent(Editor):
        def fit(self, model: Any, jobs: Any, *, progress: Any = None) -> Any:
            return []

    assert Silent().cost(model, EDITS) == Cost()


def test_costs_add_up() -> None:
    assert (Cost(3, 1) + Cost(1, 2)) * 2 == Cost(8, 6)
