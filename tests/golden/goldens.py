"""Shared by the golden tests of editors: models, requests, the authors' hyper-parameters."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.keys import subject_span
from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.editors.insertion.search_texts import Row, search_rows
from pitfalls.editors.insertion.value_search import ValueSearch
from pitfalls.editors.memit import Memit
from pitfalls.editors.rome import Rome
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.tokens import Split, tokenize


def read_json(path: Path) -> Any:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(data)


def relative(ours: Tensor, golden: Tensor) -> float:
    """‖ours − golden‖ / ‖golden‖ in float64."""
    return ((ours.double() - golden.double()).norm() / golden.double().norm()).item()


@dataclass(frozen=True)
class Goldens:
    """One model of the golden folder."""

    folder: Path
    scratch: Path

    @cached_property
    def model(self) -> LanguageModel:
        return LanguageModel.load(str(self.folder / "model"))

    @cached_property
    def requests(self) -> Any:
        return read_json(self.folder / "requests.json")

    @cached_property
    def hparams(self) -> Any:
        return read_json(self.folder / "hparams.json")

    @property
    def data(self) -> Path:
        """The cases that the authors' scripts choose for this model."""
        name = "GPT2-XL" if "xl" in self.folder.name else "GPT-J"
        return self.folder.parent / "data" / name

    @cached_property
    def moments(self) -> MomentSettings:
        """All of the golden corpus, cut to what the model can read."""
        texts = read_json(self.folder.parent / "corpus.json")["texts"]
        corpus = self.scratch / "corpus.jsonl"
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        length = read_json(self.folder / "model" / "config.json")["n_positions"]
        return MomentSettings(
            corpus=str(corpus), max_tokens=10**9, max_length=length, tolerance=0.0
        )

    def use_golden_moments(self, layers: tuple[int, ...], *, noise: float = 0.0) -> None:
        """Hand the model the recorded C, so that what follows is compared on the very same C.

        Estimates of C agree to 3e-7, and solving with it makes 1e-4 of that.

        Args:
            layers: those that the editor asks for.
            noise: relative error that solutions shall have. The authors' ROME inverts C in float32
                and so has 1e-4 of it, which nobody can reproduce but anybody can imitate.
        """
        recorded = load_file(self.folder / "mom2.safetensors")
        factors = {layer: NoisyMoment(_of_layer(recorded, layer), noise) for layer in layers}
        self.model.remember(("moment factors", layers, self.moments), lambda: factors)

    def job(self, key: str) -> Job:
        """The edits of a run `CONFIG/reqI`, `CONFIG/mle` or `CONFIG/distinct`."""
        run, requests = key.split("/")[1], self.requests["requests"]
        if run == "mle":
            chosen = self.requests["mle_batch"]
        elif run == "distinct":
            chosen = [requests[i] for i in self.requests["distinct_batch"]]
        else:
            chosen = [requests[int(run.removeprefix("req"))]]
        return Job(tuple(edit_of(request) for request in chosen))

    def editor(self, method: str, config: str) -> Editor:
        """The method with one of the golden hyper-parameter files, `tiny_a` or `tiny`."""
        h = self.hparams["hparams"][f"{method}/{config}.json"]
        return {"ROME": self._rome, "MEMIT": self._memit, "FT": self._ft}[method](h)

    def search(self, h: Any) -> ValueSearch:
        return ValueSearch(
            steps=h["v_num_grad_steps"],
            lr=float(h["v_lr"]),
            weight_decay=float(h["v_weight_decay"]),
            clamp=float(h["clamp_norm_factor"]),
            kl_weight=float(h["kl_factor"]),
        )

    def _rome(self, h: Any) -> Rome:
        return Rome(
            layer=h["layers"][0],
            value=self.search(h),
            contexts=Contexts(templates=tuple(self.hparams["rome_templates"])),
            moments=self.moments if h["mom2_adjustment"] else None,
        )

    def _memit(self, h: Any) -> Memit:
        groups = self.hparams["memit_templates"]
        return Memit(
            layers=tuple(h["layers"]),
            value=self.search(h),
            contexts=Contexts(templates=tuple(t for group in groups for t in group)),
            moments=self.moments,
            moment_weight=float(h["mom2_update_weight"]),
        )

    def _ft(self, h: Any) -> FineTune:
        decay = h["weight_decay"]
        return FineTune(
            layer=h["layers"][0],
            steps=h["num_steps"],
            lr=float(h["lr"]),
            norm=h["norm_constraint"] or None,
            weight_decay=0.0
            if isinstance(decay, list)
            else float(decay),  # a list is not read there
            batch_size=h.get("batch_size", 64),
        )

    def tensors(self, method: str) -> dict[str, Tensor]:
        loaded: dict[str, Tensor] = load_file(self.folder / f"{method.lower()}.safetensors")
        return loaded

    def runs(self, method: str) -> Any:
        return read_json(self.folder / f"{method.lower()}.json.gz")

    @cached_property
    def deviation(self) -> Any:
        """How far the float32 goldens are from the same code in float64, per tensor."""
        return read_json(self.folder / "float64_deviation.json.gz")


class NoisyMoment(MomentFactor):
    """C whose solutions are off by a given relative error, the same way every time."""

    def __init__(self, C: Tensor, noise: float) -> None:
        super().__init__(torch.linalg.cholesky(C.double()))
        object.__setattr__(self, "noise", noise)  # the dataclass is frozen

    def solve(self, k: Tensor) -> Tensor:
        exact = MomentFactor.solve(self, k)
        error = torch.randn(exact.shape, generator=torch.Generator().manual_seed(0)).double()
        return exact + self.noise * exact.norm(dim=0) * error / error.norm(dim=0)


def _of_layer(recorded: dict[str, Tensor], layer: int) -> Tensor:
    """The one entry whose module path has this block number in it."""
    (name,) = (name for name in recorded if str(layer) in name.split("."))
    return recorded[name]


def edit_of(request: Any) -> Edit:
    return Edit.of(
        request["prompt"], subject=request["subject"], target=request["target_new"]["str"]
    )


def cuts_a_character(tokenizer: PreTrainedTokenizerBase, target: str) -> bool:
    """Whether the target without its last token ends within a character, as in `Herbert Weiß`."""
    *before, _ = tokenizer(f" {target}")["input_ids"]
    return "\ufffd" in tokenizer.decode(before)


def tidied(text: str) -> str:
    """The text as `decode` of transformers 4 hands it out."""
    marks = (".", "?", "!", ",", " '", "n't", "'m", "'s", "'ve", "'re")
    for mark in marks:
        text = text.replace(" ' ", "'") if mark == " '" else text.replace(f" {mark}", mark)
    return text


def published_rows(model: LanguageModel, edit: Edit, contexts: Sequence[str]) -> tuple[Row, ...]:
    """The rows of ROME and MEMIT as the published code makes them.

    It glues the target to the prompt as `decode` writes it without its last token, and puts the
    target's ids at the last positions. Half a character is written as U+FFFD, which are other
    tokens and more of them, so that all labels sit elsewhere.
    """
    target = tuple(model.tokenizer(f" {edit.new_object.label}")["input_ids"])
    piece = tidied(model.tokenizer.decode(target[:-1]))
    rows = []
    for context in contexts:
        text, end = subject_span(edit.relation.prompt, edit.subject.label, context)
        tokens = tokenize(model.tokenizer, text + piece)
        cut = tokens.last_before(end)
        rows.append(Row(Split(tokens.ids[:cut], tokens.ids[cut:]), target))
    return (*rows, search_rows(model, edit, ())[-1])


def golden_search_rows(
    model: LanguageModel, edit: Edit, contexts: Sequence[str]
) -> tuple[Row, ...]:
    """Our rows, and the published ones where a target's last token cuts a character in half."""
    published = cuts_a_character(model.tokenizer, edit.new_object.label)
    return (published_rows if published else search_rows)(model, edit, contexts)


def stored(name: str, matrix: Tensor, model: LanguageModel) -> Tensor:
    """A [d_out, d_in] matrix in the orientation of the model's parameter `name`."""
    return matrix.mT if matrix.ndim == 2 and model.is_conv1d(name) else matrix
