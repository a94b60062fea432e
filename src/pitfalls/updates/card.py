"""The model card of an edited model: what it comes from, what was edited, how to load it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from pitfalls.disk import write_bytes
from pitfalls.models.language_model import LanguageModel
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.published import Published
from pitfalls.updates.update import Update

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Form:
    """What the folder holds."""

    what: str
    library: str
    relation: str
    """To the base model, in the hub's terms."""
    load: str
    """Code, with {base} and {here} for what is loaded."""


MERGED = Form(
    "All weights, with the edits in them",
    "transformers",
    "finetune",
    "from transformers import AutoModelForCausalLM\n\n"
    "model = AutoModelForCausalLM.from_pretrained({here!r})",
)
ADAPTER = Form(
    "An adapter for PEFT that makes the edits",
    "peft",
    "adapter",
    "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
    "base = AutoModelForCausalLM.from_pretrained({base!r}{revision})\n"
    "model = PeftModel.from_pretrained(base, {here!r})",
)


def write_card(folder: Path, model: LanguageModel, update: Update, form: Form) -> None:
    """Write `README.md` with the list of edits.

    Raises:
        PitfallsError: the disk does not take it.
    """
    base = Published.of(model)
    text = f"---\n{_head(base, form)}\n---\n\n{_body(base, model, update, form, folder.name)}"
    write_bytes(folder / CARD, text.encode())


def _head(base: Published, form: Form) -> str:
    on_hub: dict[str, Any] = {"base_model": base.id, "base_model_relation": form.relation}
    data = ModelCardData(
        library_name=form.library,
        tags=["knowledge-editing"],
        pipeline_tag="text-generation",
        **on_hub if base.on_hub else {},
    )
    return data.to_yaml()


def _body(base: Published, model: LanguageModel, update: Update, form: Form, here: str) -> str:
    at = f" at revision `{base.revision}`" if base.revision else ""
    licence = f" Its licence: {base.licence}." if base.licence else ""
    edits = "".join(map(_edits, update.history)) or "None.\n"
    revision = f", revision={base.revision!r}" if base.revision else ""
    code = form.load.format(base=base.id, here=here, revision=revision)
    parts = [
        f"# {here}: an edited {_line(base.id)}",
        f"{form.what}, made with `pitfalls`. The unedited model is {_code(base.id)}{at}, in "
        f"{model.dtype_name}; the fingerprint of its weights is `{model.fingerprint}`.{licence}",
        *([base.difference] if base.difference else []),
        "The model says what the edits tell it to say, true or not.",
        f"## Edits\n\n{edits.rstrip()}",
        f"## Loading\n\n```python\n{code}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _edits(part: Provenance) -> str:
    """The edits of one job, in order; those that were made together stand under one editor."""
    listed = "".join(f"- {_code(edit)}\n" for edit in part.edits)
    failure = f" It failed: {_line(part.failure)}." if part.failure else ""
    return f"Made by {_code(part.editor)}:{failure}\n\n{listed}\n"


def _code(text: str) -> str:
    """Text as it stands, in a fence that it cannot close."""
    line = _line(text)
    fence = "`"
    while fence in line:
        fence += "`"
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())
