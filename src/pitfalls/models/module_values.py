"""What modules pass on, as it lies in a batch."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor


def first_of(output: Any) -> Tensor:
    """The states that a module passes on; attention weights and the like stand behind them."""
    states: Tensor = output[0] if isinstance(output, tuple) else output
    return states


def by_rows(states: Float[Tensor, "..."], n_rows: int) -> Float[Tensor, "rows tokens ..."]:
    """Hidden states by row and token; OPT hands its MLPs the tokens of all rows on one axis."""
    return states if states.ndim > 2 else states.unflatten(0, (n_rows, -1))


def with_column(
    output: Any,
    n_rows: int,
    column: int,
    new: Callable[[Float[Tensor, "rows d"]], Float[Tensor, "rows d"]],
) -> Any:
    """What a module passes on, but for the states of one column: `new` of what they were."""
    states = first_of(output)
    rows = by_rows(states, n_rows)
    changed = rows.clone()
    changed[:, column] = new(rows[:, column]).to(states)
    changed = changed.view_as(states)
    return (changed, *output[1:]) if isinstance(output, tuple) else changed
