r"""Results of single edits under several settings, to choose layers, as a Markdown table.

    python benchmarks/single_edits.py --model gemma3-270m --dtype bfloat16 \
        rome.layer=4 rome.layer=6 'memit.layers=[1,2,3] memit.moment_weight=150'

The tables in docs/gemma3-layers.md were made by this command. An argument is one row: settings as
`pitfalls run --set` takes them, of one editor. Every edit is made alone on the unedited model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import typer

from pitfalls import Edit, Job, LanguageModel, Update, editor_for
from pitfalls.cases.collections import TUNING, load_cases
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import parse_settings
from pitfalls.models.reading.readout import Question, target_logprobs

PARAPHRASES = 2
"""Paraphrases read for each edit, of ten."""


@dataclass(frozen=True, slots=True)
class Read:
    """Mean probabilities after the edits, and how often the new object is the likelier one."""

    new: float
    old: float
    wins: float
    paraphrased: float

    def __str__(self) -> str:
        return f"{self.new:.3f} | {self.old:.3f} | {100 * self.wins:.0f} | {self.paraphrased:.3f}"


def read(model: LanguageModel, edits: Sequence[Edit], updates: Sequence[Update]) -> Read:
    """Ask for the new and the old object, and for the new one in other words."""

    def p(template: str, edit: Edit, label: str, update: Update) -> Question:
        return Question(template.format(edit.subject.label), label, update.changes)

    groups = [
        [
            p(edit.relation.prompt, edit, edit.new_object.label, update),
            p(edit.relation.prompt, edit, edit.object.label, update),
            *(
                p(template, edit, edit.new_object.label, update)
                for template in edit.relation.paraphrases[:PARAPHRASES]
            ),
        ]
        for edit, update in zip(edits, updates, strict=True)
    ]
    answers = iter(target_logprobs(model, [question for group in groups for question in group]))
    found = [[next(answers).mean().exp().item() for _ in group] for group in groups]
    return Read(
        new=fmean(new for new, *_ in found),
        old=fmean(old for _, old, *_ in found),
        wins=fmean(new > old for new, old, *_ in found),
        paraphrased=fmean(p for _, _, *others in found for p in others),
    )


def main(
    rows: Annotated[list[str], typer.Argument(help="Settings of one editor each.")],
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    edits: Annotated[int, typer.Option(help="The first tuning cases' first edits.", min=1)] = 8,
    dtype: str = "float32",
) -> None:
    """Edit and read, a row for each of the settings."""
    loaded = LanguageModel.load(model, dtype=dtype, progress=progress_on())
    asked = [case.first for case in load_cases(f"{TUNING}:conflict/coverage", edits)]
    print("| settings | p(new) | p(old) | wins, % | p(new), other words |\n|---|---|---|---|---|")
    print(f"| no edit | {read(loaded, asked, [Update()] * edits)} |", flush=True)
    for row in rows:
        ((name, settings),) = parse_settings(row.split()).items()
        updates = editor_for(name, loaded, settings).fit(loaded, [Job((one,)) for one in asked])
        print(f"| {row} | {read(loaded, asked, updates)} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
