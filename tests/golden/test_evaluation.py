"""Token ids, logits and probabilities of unedited models are those of the authors' evaluation.

Their probabilities, in float32 under another version of transformers, lie 2e-6 from ours.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from goldens import Goldens, read_json
from safetensors.torch import load_file
from torch import Tensor

from pitfalls.models.reading.readout import Question, plain_target_logprobs, target_logprobs
from pitfalls.models.running.passes import right_output
from pitfalls.models.tokens import Split, tokenize, tokenize_target

PROBABILITY = 1e-5
"""Relative."""

LOGIT = 2e-5
"""Absolute, of logits around 10."""


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def tokens(goldens: Goldens) -> Any:
    return read_json(goldens.folder / "tokens.json")


def test_token_ids(goldens: Goldens, tokens: Any) -> None:
    assert tokens["strings"]
    for text, ids in zip(tokens["strings"], tokens["input_ids"], strict=True):
        assert list(tokenize(goldens.model.tokenizer, text).ids) == ids, text


@pytest.fixture(scope="module")
def batch_logits(goldens: Goldens, tokens: Any) -> list[Tensor]:
    """The real positions' logits of every text of the recorded batch, run as one batch."""
    rows = [
        Split((), tokenize(goldens.model.tokenizer, text).ids) for text in tokens["batch_texts"]
    ]
    with torch.no_grad():
        hidden = right_output(goldens.model, goldens.model.batch(rows), None)
        logits = goldens.model.head_logits(hidden)
    return [logits[i, : len(row.right)] for i, row in enumerate(rows)]


def test_batch_ids(goldens: Goldens, tokens: Any) -> None:
    for text, ids, mask in zip(
        tokens["batch_texts"],
        tokens["batch_input_ids"],
        tokens["batch_attention_mask"],
        strict=True,
    ):
        assert list(tokenize(goldens.model.tokenizer, text).ids) == ids[: sum(mask)]


def test_logits(goldens: Goldens, batch_logits: list[Tensor]) -> None:
    recorded = load_file(goldens.folder / "logits.safetensors")
    exact = {"rtol": 0.0, "atol": LOGIT}
    for i, expected in enumerate(recorded["logits_last_token"]):
        torch.testing.assert_close(batch_logits[i][-1], expected, **exact)
    for i, expected in enumerate(recorded["logits_position_2"]):
        torch.testing.assert_close(batch_logits[i][2], expected, **exact)
    for i, expected in enumerate(recorded["logsumexp_all"]):
        ours = batch_logits[i].logsumexp(-1)
        torch.testing.assert_close(ours, expected[: len(ours)], **exact)


def evaluations(goldens: Goldens) -> list[tuple[list[str], str, list[float]]]:
    """Prompts, target and recorded probabilities of everything in `eval_pre.json`."""
    pre, requests = read_json(goldens.folder / "eval_pre.json"), goldens.requests["requests"]
    asked = [
        (prompts, request[target]["str"], recorded)
        for target in ("target_new", "target_true")
        for prompts, request, recorded in zip(
            pre["prompts"], requests, pre[f"requests_{target}"], strict=True
        )
    ] + [
        (pre["mle_prompts"], request["target_new"]["str"], recorded)
        for request, recorded in zip(goldens.requests["mle_batch"], pre["mle"], strict=True)
    ]
    return [
        (prompts, target, [recorded["rewrite"], *recorded["generation"]])
        for prompts, target, recorded in asked
    ]


@pytest.mark.parametrize("read", [target_logprobs, plain_target_logprobs])
def test_probabilities_before_any_edit(goldens: Goldens, read: Any) -> None:
    asked = evaluations(goldens)
    assert asked
    questions = [Question(prompt, target, {}) for prompts, target, _ in asked for prompt in prompts]
    ours = [logprobs.mean().exp().item() for logprobs in read(goldens.model, questions)]
    expected = [p for _, _, recorded in asked for p in recorded]
    assert ours == pytest.approx(expected, rel=PROBABILITY)


def test_a_target_is_what_the_authors_tokenize_after_a_space(goldens: Goldens) -> None:
    for prompts, target, _ in evaluations(goldens):
        alone = tokenize(goldens.model.tokenizer, f" {target}").ids
        for prompt in prompts:
            before, after = tokenize_target(goldens.model.tokenizer, prompt, target)
            assert after == alone
            assert before == tokenize(goldens.model.tokenizer, prompt).ids
