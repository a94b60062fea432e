"""Hidden states as they lie in a batch."""

from jaxtyping import Float
from torch import Tensor


def by_rows(states: Float[Tensor, "..."], n_rows: int) -> Float[Tensor, "rows tokens d"]:
    """Hidden states by row and token; OPT hands its MLPs the tokens of all rows on one axis."""
    return states if states.ndim == 3 else states.unflatten(0, (n_rows, -1))
