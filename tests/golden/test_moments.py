"""Second moments over the golden corpus are those of the authors' statistics script."""

from pathlib import Path

import pytest
from goldens import Goldens, read_json, relative
from safetensors.torch import load_file

from pitfalls.models.reading.moments import second_moments

TOLERANCE = 1e-6
"""Relative Frobenius norm; both sum float32 products, in batches of their own."""


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("golden"))


def test_second_moments(goldens: Goldens) -> None:
    recorded = load_file(goldens.folder / "mom2.safetensors")
    about = read_json(goldens.folder / "mom2.json")
    layers = {
        name: layer
        for layer in range(goldens.model.n_layers)
        for name in about
        if name == goldens.model.mlp_out_name(layer)
    }
    assert layers.keys() == about.keys()
    found = second_moments(goldens.model, list(layers.values()), goldens.moments)
    for name, layer in layers.items():
        (matrix,) = (tensor for key, tensor in recorded.items() if key.endswith(f"/{name}"))
        assert found[layer].about.tokens == about[name]["tokens"]
        assert relative(found[layer].matrix, matrix) <= TOLERANCE, name
