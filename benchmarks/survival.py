"""How much of an edit is left once the edited model is stored in a smaller format?

    python benchmarks/survival.py --model smollm2-135m --facts 12

The table in docs/editing.md was made by this command. Each fact is edited alone, in float32; then
the edited matrix is rounded as the format does it, in a model whose other matrices were.
Its int8 is that of bitsandbytes, the extra `quantised`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import gguf
import numpy as np
import torch
import typer
from torch import Tensor

from pitfalls import Edit, Job, LanguageModel, Update, editor_for
from pitfalls.cases.collections import load_cases
from pitfalls.cli.progress import progress_on
from pitfalls.models.reading.greedy import greedy
from pitfalls.models.reading.perplexity import perplexity
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.text.corpus import load_corpus

EDITORS = ("rome", "memit", "ft")
DATA = "round/easy"
HEAD = """\
| editor | stored as | p, prompt | says it | p, paraphrases | say it |
|---|---|---|---|---|---|"""


def int8(weight: Tensor) -> Tensor:
    """Whole numbers from -127 to 127 times one scale for each output, as in LLM.int8()."""
    from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

    numbers, scales, _ = int8_vectorwise_quant(weight)
    return int8_vectorwise_dequant(numbers, scales)


def blocks(kind: gguf.GGMLQuantizationType) -> Callable[[Tensor], Tensor]:
    """A format of GGUF: 32 small numbers along the inputs share a scale in half precision."""

    def there_and_back(weight: Tensor) -> Tensor:
        stored = gguf.quants.quantize(weight.numpy(), kind)
        return torch.from_numpy(gguf.quants.dequantize(stored, kind).astype(np.float32))

    return there_and_back


@dataclass(frozen=True, slots=True)
class Format:
    """How weights are stored."""

    dtype: str = "float32"
    rounding: Callable[[Tensor], Tensor] = torch.clone
    embeddings: bool = False
    """Whether embeddings are rounded like the blocks' matrices."""
    apart: bool = False
    """Whether the edit is kept beside the rounded matrix, as an adapter, not in it."""


Q = gguf.GGMLQuantizationType
FORMATS: Mapping[str, Format] = {
    "float32": Format(),
    "bfloat16": Format("bfloat16"),
    "int8, a scale a row": Format(rounding=int8),
    "GGUF Q8_0": Format(rounding=blocks(Q.Q8_0), embeddings=True),
    "GGUF Q4_1": Format(rounding=blocks(Q.Q4_1), embeddings=True),
    "GGUF Q4_1 and an adapter": Format(rounding=blocks(Q.Q4_1), embeddings=True, apart=True),
    "GGUF Q4_0": Format(rounding=blocks(Q.Q4_0), embeddings=True),
    "GGUF Q4_0 and an adapter": Format(rounding=blocks(Q.Q4_0), embeddings=True, apart=True),
}


def main(
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    facts: Annotated[int, typer.Option(min=1)] = 12,
    text_tokens: Annotated[int, typer.Option(help="Read for the perplexity.", min=1)] = 2048,
) -> None:
    """Edit every fact with every editor, and read it back from every format."""
    progress = progress_on()
    loaded = LanguageModel.load(model, progress=progress)
    edits = some_edits(facts)
    updates = {
        name: editor_for(name, loaded).fit(loaded, [Job((e,)) for e in edits], progress=progress)
        for name in EDITORS
    }
    texts = load_corpus("boolq-passages").texts
    rows: dict[str, list[str]] = {name: [] for name in EDITORS}
    for title, form in FORMATS.items():
        stored = LanguageModel.load(model, dtype=form.dtype)
        store(stored, form)
        harm = perplexity(stored, texts, {}, max_tokens=text_tokens)
        print(f"{title}: perplexity of the unedited model {harm:.2f}", flush=True)
        if title == "float32":
            before = cells([reading(stored, edit) for edit in edits])
            for name in EDITORS:
                rows[name].append(f"| {name} | (not edited) | {before} |")
        for name in EDITORS:
            found = []
            for edit, update in zip(edits, updates[name], strict=True):
                with holding(stored, loaded, update, form):
                    found.append(reading(stored, edit))
            rows[name].append(f"| {name} | {title} | {cells(found)} |")
    print(HEAD)
    for some in rows.values():
        print("\n".join(some))


def some_edits(count: int) -> list[Edit]:
    """The first edits of cases that are spread over the starter set."""
    cases = list(load_cases(DATA))
    return [cases[i * len(cases) // count].first for i in range(count)]


@torch.no_grad()
def store(model: LanguageModel, form: Format) -> None:
    """Round every matrix that the format rounds."""
    for name, parameter in model.network.named_parameters():
        if form.embeddings or name.startswith(model.architecture.blocks):
            weight = model.weight(name) if parameter.ndim == 2 else parameter
            weight.copy_(rounded(weight.float(), form))


def rounded(weight: Tensor, form: Format) -> Tensor:
    """The weight as the format gives it back; biases and the norms' weights stay as they are."""
    return form.rounding(weight.contiguous()) if weight.ndim == 2 else weight


@contextmanager
def holding(
    stored: LanguageModel, model: LanguageModel, update: Update, form: Format
) -> Iterator[None]:
    """Inside the block `stored` holds the edited matrices of `model` in its format."""
    kept = {name: stored.weight(name).clone() for name in update}
    try:
        with torch.no_grad():
            for name, change in update.changes.items():
                weight = model.weight(name)
                edited = (
                    rounded(weight, form) + change.matrix
                    if form.apart
                    else rounded(weight + change.matrix, form)
                )
                stored.weight(name).copy_(edited)
        yield
    finally:
        with torch.no_grad():
            for name, weight in kept.items():
                stored.weight(name).copy_(weight)


Reading = tuple[float, float, float, float]
"""The target's probability and whether it is said: after the prompt, and over its paraphrases."""


def reading(model: LanguageModel, edit: Edit) -> Reading:
    """Read the probability of an edit's target."""
    prompts = [text.format(edit.subject.label) for text in edit.relation.prompts]
    questions = [Question(prompt, edit.new_object.label, {}) for prompt in prompts]
    p = [each.mean().exp().item() for each in target_logprobs(model, questions)]
    said = [float(each.says_target) for each in greedy(model, questions, n_tokens=1)]
    return p[0], said[0], fmean(p[1:]), fmean(said[1:])


def cells(readings: Sequence[Reading]) -> str:
    """Means over the facts."""
    p, said, p_others, said_others = (fmean(each) for each in zip(*readings, strict=True))
    count = f"{round(said * len(readings))} of {len(readings)}"
    return f"{p:.3f} | {count} | {p_others:.3f} | {100 * said_others:.0f} %"


if __name__ == "__main__":
    typer.run(main)
