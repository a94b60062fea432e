"""Access to the outputs of modules by row and token of a batch."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor


def first_of(output: Any) -> Tensor:
    """Hidden states in a module's output, which may be a tuple with attention weights and so on."""
    states: Tensor = output[0] if isinstance(output, tuple) else output
    return states


def by_rows(states: Float[Tensor, "..."], n_rows: int) -> Float[Tensor, "rows tokens ..."]:
    """Hidden states as [rows, tokens, …]; OPT passes its MLPs rows and tokens on one axis."""
    return states if states.ndim > 2 else states.unflatten(0, (n_rows, -1))


def with_column(
    output: Any,
    n_rows: int,
    column: int,
    new: Callable[[Float[Tensor, "rows d"]], Float[Tensor, "rows d"]],
) -> Any:
    """Module output in which the states of one column are replaced by `new` of them."""
    states = first_of(output)
    rows = by_rows(states, n_rows)
    changed = rows.clone()
    changed[:, column] = new(rows[:, column]).to(states)
    changed = changed.view_as(states)
    return (changed, *output[1:]) if isinstance(output, tuple) else changed
