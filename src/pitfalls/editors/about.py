"""Facts about editors, for whoever chooses among them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Storage:
    """Form of an edit, and what can become of it."""

    words: str
    merges: bool
    """Whether weights alone can hold it."""
    exports: tuple[str, ...]
    """Commands of `pitfalls stack` that hand it on."""


LOW_RANK = Storage("low-rank change", merges=True, exports=("merge", "adapter"))
DENSE = Storage("dense change", merges=True, exports=("merge", "adapter --rank R"))
GATED = Storage("gated change", merges=False, exports=())
CONTEXT = Storage("prompt text", merges=False, exports=())


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """One method."""

    stores: Storage
    needs: str
    """Requirements of the first edit, such as a text or trained networks."""
    paper: str
    """Authors, year and number of the paper."""


NOTHING = "nothing"
MOMENTS = "text"
"""Text for the second moments C, estimated once per model and layer."""
NETWORKS = "training"
"""Networks trained once per model."""
