"""Logits from hidden states, and a check that the located parts make up the model."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError
from pitfalls.models.architecture import DESCRIPTION, Architecture
from pitfalls.models.module_values import first_of

TOLERANCE = 0.02
"""Tolerance for logits of equal weights, relative to the largest, because of bfloat16 rounding."""


def logits_of(
    network: PreTrainedModel, architecture: Architecture, hidden: Float[Tensor, "... d"]
) -> Float[Tensor, "... vocabulary"]:
    """Logits in float32 from hidden states after the final norm."""
    head: nn.Module = network.get_output_embeddings()
    logits: Tensor = head(hidden).float().to(hidden.device)
    if architecture.logit_cap is None:
        return logits
    cap = getattr(network.config, architecture.logit_cap)
    return logits if cap is None else cap * torch.tanh(logits / cap)


@torch.no_grad()
def check_structure(
    network: PreTrainedModel, architecture: Architecture, device: torch.device
) -> None:
    """Check on one short text that last block, final norm and head together give the logits.

    Raises:
        PitfallsError: they do not, because the model has a step that its family's row does not
            describe; or the config is inconsistent, so that no text can be run.
    """
    last = list(network.get_submodule(architecture.blocks).children())[-1]
    outputs: list[Tensor] = []
    hook = last.register_forward_hook(
        lambda module, inputs, output: outputs.append(first_of(output))
    )
    ids = torch.tensor([[0, 1, 2]], device=device)
    try:
        output = network(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    except Exception as error:
        # Some settings of a config are used here for the first time, and may raise anything.
        reason = reason_of(f"{type(error).__name__}: {error}")
        raise PitfallsError(
            f"{type(network).__name__} cannot run a text ({reason}): expected a config that "
            "transformers can work with; fetch the model again or name another"
        ) from error
    finally:
        hook.remove()
    expected = output.logits.float().to(device)
    normed = network.get_submodule(architecture.final_norm)(outputs[0])
    logits = logits_of(network, architecture, normed.to(device))
    # Written so that NaN is refused as well.
    if not (logits - expected).abs().max() <= TOLERANCE * expected.abs().max():
        raise PitfallsError(
            f"{type(network).__name__} gives other logits than its last block "
            f"({architecture.blocks}), final norm ({architecture.final_norm}) and head: it scales "
            f"or caps them unlike the family {architecture.name}; describe it in {DESCRIPTION}"
        )
