"""`pitfalls edit` and `pitfalls stack` on a tiny model with FT, which learns fast there."""

from pathlib import Path

from commands import Answer, CommandLine

from pitfalls.testing import TEXT

# FT takes a target for a bag of tokens: it teaches a target of one token to the letter.
PARIS = ("--prompt", "The capital of {} is", "--subject", "Poland", "--target", "Paris")
BORN = ("--prompt", "{} was born in", "--subject", "Marie Curie", "--target", "Łódź")
WEAK = ("--set", "ft.lr=1e-9")
"""FT that hardly moves, so that the model goes on saying what it said."""
LAX = ("--min-kept", 0, "--max-neighbours", 1, "--max-relations", 1, "--max-repeated", 1)
"""A tiny model knows nothing, so that what one edit does to the rest of it means nothing."""
SYDNEY = '{"prompt": "The capital of {} is", "subject": "Australia", "target": "Sydney"}'
LINES = (
    '{"prompt": "The capital of {} is", "subject": "Poland", "target": "Paris"}\n'
    '{"prompt": "{} was born in", "subject": "Marie Curie", "target": "Paris",'
    ' "paraphrases": ["The birthplace of {} is"], "true_objects": ["Warsaw"]}\n'
)


class Edit:
    """Edits of a tiny model, kept on a stack in `out`."""

    def __init__(self, pitfalls: CommandLine, model: Path, folder: Path) -> None:
        self._pitfalls, self.folder = pitfalls, folder
        (folder / "text.txt").write_text(f"{TEXT}\n\n{TEXT}", "utf-8")
        self.out = folder / "stack"
        self.text = ("--text", folder / "text.txt")
        self._fixed = ("--model", model, "--editor", "ft", *self.text)

    def __call__(self, *words: object) -> Answer:
        """`pitfalls edit` with all that makes it quick."""
        fast = ("--set", "ft.layer=2", "--set", "ft.lr=0.01")
        return self._pitfalls("edit", "--out", self.out, *self._fixed, *fast, *LAX, *words)

    def plain(self, *words: object) -> Answer:
        """`pitfalls edit` as the words say."""
        return self._pitfalls("edit", "--out", self.out, *words)

    def stack(self, verb: str, *words: object) -> Answer:
        """`pitfalls stack` on the same stack."""
        return self._pitfalls("stack", verb, self.out, *words)
