"""Edits that `pitfalls edit` is asked for, in options or in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pitfalls.effects.bystanders import filled_in
from pitfalls.effects.jobs import read_jobs
from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.updates.request import Request


@dataclass(frozen=True, slots=True)
class Words:
    """Edits as they were typed."""

    prompt: str | None
    subject: str | None
    target: str | None
    paraphrases: Sequence[str]
    true_objects: Sequence[str]
    file: Path | None
    together: bool

    @property
    def single(self) -> bool:
        """Whether options spell out an edit."""
        words = (self.prompt, self.subject, self.target)
        return any(word is not None for word in words) or any((self.paraphrases, self.true_objects))

    def jobs(self) -> list[tuple[Request, ...]]:
        """Edits to make, those of one job together, with what the starter graph adds to them.

        Raises:
            PitfallsError: nothing is asked for, something is missing or given twice, a prompt is
                no prompt, or two edits contradict each other.
        """
        if self.file is None:
            if self.together:
                raise PitfallsError("--together is about the edits of a file: give --edits FILE")
            if not self.single:
                raise PitfallsError(
                    "nothing to do: give an edit (--prompt, --subject and --target, or --edits "
                    "FILE); edits that are kept are looked after by `pitfalls stack`"
                )
            return [(filled_in(self._spelt_out(), starter_graph()),)]
        if self.single:
            raise PitfallsError("edits come from --edits FILE or from --prompt, not from both")
        return read_jobs(self.file, starter_graph(), together=self.together)

    def _spelt_out(self) -> Request:
        if self.prompt is None or self.subject is None or self.target is None:
            words = {"--prompt": self.prompt, "--subject": self.subject, "--target": self.target}
            missing = ", ".join(name for name, word in words.items() if word is None)
            raise PitfallsError(f"an edit needs {', '.join(words)}: {missing} is missing")
        request = Request(
            prompt=self.prompt,
            subject=self.subject,
            target=self.target,
            paraphrases=tuple(self.paraphrases),
            true_objects=tuple(self.true_objects),
        )
        _ = request.edit  # refuses what is no edit
        return request
