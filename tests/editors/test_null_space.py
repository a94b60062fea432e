"""The null space of a text's keys: what lies in it, and how edits keep to it."""

import pytest
import torch
from table import tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.moment_factors import MomentFactor, moment_factors
from pitfalls.editors.insertion.null_space import null_spaces
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, FAMILY_KINDS, tiny_model

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])


def second_moment(factor: MomentFactor) -> torch.Tensor:
    return factor.factor @ factor.factor.mT


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_p_is_the_projection_on_the_quiet_directions(
    model: LanguageModel, moments: MomentSettings, share: float
) -> None:
    """Whichever of the two bases is kept."""
    C = second_moment(moment_factors(model, (1,), moments)[1])
    threshold = torch.linalg.eigvalsh(C).quantile(share).item()
    P = null_spaces(model, (1,), moments, threshold)[1].project(torch.eye(len(C)))
    torch.testing.assert_close(P @ P, P)
    torch.testing.assert_close(P, P.mT)
    assert torch.linalg.eigvalsh(P @ C @ P).max() < threshold
    assert P.trace().round() == (torch.linalg.eigvalsh(C) < threshold).sum()


def test_a_change_leaves_loud_directions_alone(
    model: LanguageModel, moments: MomentSettings
) -> None:
    editor = tiny_editor("alphaedit", model, moments)
    (update,) = editor.fit(model, [Job(EDITS[:1])])
    for layer in (1, 2):
        values, vectors = torch.linalg.eigh(
            second_moment(moment_factors(model, (1, 2), moments)[layer])
        )
        loud = vectors[:, values >= 2.0].float()
        change = update.changes[f"{model.mlp_out_name(layer)}.weight"]
        assert change.matrix is not None and loud.shape[1] > 0
        assert (change.matrix @ loud).norm() <= 1e-5 * change.norm


def test_a_threshold_that_leaves_nothing_is_refused(moments: MomentSettings) -> None:
    model = tiny_model("llama")
    editor = tiny_editor("alphaedit", model, moments, threshold=1e-9)
    with pytest.raises(PitfallsError, match="no null space below the threshold 1e-09: the least"):
        editor.fit(model, [Job(EDITS[:1])])
