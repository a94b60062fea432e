"""What `pitfalls edit` was asked to do, checked before anything long begins, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from pitfalls.bench.bystanders import filled_in
from pitfalls.cli.settings import parse_settings, refuse_idle
from pitfalls.editors.request import Request, read_requests
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.graph.starter import starter_graph
from pitfalls.progress import Progress

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.bench.effect import Effect
    from pitfalls.editors.lora import Adapter
    from pitfalls.editors.stack import Stack
    from pitfalls.editors.update import Update
    from pitfalls.models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Words:
    """The edits as they were typed."""

    prompt: str | None
    subject: str | None
    target: str | None
    paraphrases: Sequence[str]
    true_objects: Sequence[str]
    file: Path | None
    together: bool

    @property
    def given(self) -> bool:
        """Whether any edit is asked for."""
        return any((self.single, self.file, self.together))

    @property
    def single(self) -> bool:
        """Whether an edit is spelt out in options."""
        words = (self.prompt, self.subject, self.target)
        return any(word is not None for word in words) or any((self.paraphrases, self.true_objects))

    def jobs(self) -> list[tuple[Request, ...]]:
        """What is to be made together, job by job.

        Raises:
            PitfallsError: something is missing, given twice, or no edit.
        """
        if self.file is None:
            if self.together:
                raise PitfallsError("--together is about the edits of a file: give --edits FILE")
            return [(self._spelt_out(),)]
        if self.single:
            raise PitfallsError("edits come from --edits FILE or from --prompt, not from both")
        requests = read_requests(self.file)
        return [tuple(requests)] if self.together else [(one,) for one in requests]

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


@dataclass(frozen=True, slots=True)
class Setup:
    """Which model, how it is edited, and what it is read on."""

    editor: str
    model: str | None
    settings: Sequence[str]
    seed: int
    dtype: str | None
    device: str
    text: str
    text_tokens: int

    def load(self, out: Path, progress: Progress) -> "LanguageModel":
        """The model that was named, or the one that the stack in `out` is for.

        Raises:
            PitfallsError: no such model, or `out` holds something else.
        """
        from pitfalls.editors.stack import Stack
        from pitfalls.models.language_model import LanguageModel

        base = Stack.base_of(out)
        name = self.model or (base.name if base else "smollm2-135m")
        dtype = self.dtype or (base.dtype if base else "float32")
        return LanguageModel.load(name, dtype=dtype, device=self.device, progress=progress)

    def effect(
        self,
        model: "LanguageModel",
        requests: Sequence[Request],
        update: "Update",
        progress: Progress,
        *,
        base: "Update | None" = None,
        earlier: Sequence[Request] = (),
    ) -> "Effect":
        """What the update does, read against the starter graph and the text.

        Raises:
            PitfallsError: no such text.
        """
        from pitfalls.bench.effect import effect_of
        from pitfalls.models.corpus import load_corpus

        return effect_of(
            model,
            requests,
            update,
            graph=starter_graph(),
            corpus=load_corpus(self.text, progress=progress),
            base=base,
            earlier=earlier,
            max_tokens=self.text_tokens,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Exports:
    """Where the edited model goes besides the stack."""

    merge: Path | None
    lora: Path | None
    rank: int | None

    def __bool__(self) -> bool:
        return bool(self.merge or self.lora)

    def check(self) -> None:
        """Refuse what cannot be written before anything long begins.

        Raises:
            PitfallsError: a folder is there already, or PEFT is not.
        """
        from pitfalls.editors.export import refuse_taken
        from pitfalls.editors.lora import check_peft

        if self.rank is not None and self.lora is None:
            raise PitfallsError("--rank is about an adapter: give --lora DIR")
        for folder in (self.merge, self.lora):
            if folder is not None:
                refuse_taken(folder)
        if self.lora is not None:
            check_peft()

    def prepared(self, update: "Update") -> "Adapter | None":
        """The adapter that will be written, if one is wanted.

        Raises:
            PitfallsError: the update has no such form.
        """
        from pitfalls.editors.lora import Adapter

        return Adapter.of(update, rank=self.rank) if self.lora else None

    def write(self, model: "LanguageModel", update: "Update", adapter: "Adapter | None") -> None:
        """Write what is wanted.

        Raises:
            PitfallsError: a disk does not take it.
        """
        from pitfalls.editors.export import save_merged

        if self.merge is not None:
            save_merged(model, update, self.merge)
        if self.lora is not None and adapter is not None:
            adapter.save(model, self.lora)

    def told(self, adapter: "Adapter | None") -> list[str]:
        """Lines about what was written."""
        lines = [f"Checkpoint: {self.merge}"] if self.merge else []
        if self.lora and adapter is not None:
            ranks = sorted(set(adapter.ranks.values()))
            line = f"Adapter: {self.lora}, rank {', '.join(map(str, ranks))}"
            lines.append(line + f", relative error {adapter.error:.2g}" * bool(self.rank))
        return lines


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of it."""

    stack: "Stack"
    effect: "Effect | None"
    lines: list[str]
    """What was written, in words."""


def make(
    words: Words,
    setup: Setup,
    out: Path,
    exports: Exports,
    *,
    require_success: bool,
    progress: Progress,
) -> Kept:
    """Fit the edits on top of the stack in `out`, read what they change, and keep them.

    Raises:
        PitfallsError: a mistake in the input; nothing is written then.
    """
    jobs = words.jobs()

    from pitfalls.editors.stack import Made, Stack, fit_in_turn  # torch, once they are known good
    from pitfalls.editors.table import EDITORS, editor_for
    from pitfalls.editors.update import Update
    from pitfalls.models.corpus import load_corpus

    if setup.editor not in EDITORS:
        raise UnknownNameError("editor", setup.editor, EDITORS)
    refuse_idle(setup.settings, [setup.editor])
    exports.check()
    model = setup.load(out, progress)
    stack = Stack.open(out, model)
    overrides = parse_settings(setup.settings).get(setup.editor)
    editor = editor_for(setup.editor, model, overrides, seed=setup.seed)
    graph = starter_graph()
    jobs = [tuple(filled_in(request, graph) for request in job) for job in jobs]
    load_corpus(setup.text, progress=progress)  # refused, if it is, before anything long begins
    base = stack.total().to(model.device)
    updates = fit_in_turn(editor, model, jobs, base, progress=progress)
    adapter = exports.prepared(reduce(add, updates, base))
    requests = [request for job in jobs for request in job]
    new = reduce(add, updates, Update())
    effect = setup.effect(model, requests, new, progress, base=base, earlier=stack.requests)
    if require_success and effect.failed:
        return Kept(stack, effect, ["Nothing was written."])
    made = [Made(j, setup.editor, u) for j, u in zip(jobs, updates, strict=True)]
    # Exports first: if one cannot be written, typing the command again must not edit twice.
    exports.write(model, reduce(add, updates, base), adapter)
    grown = stack.with_edits(made)
    numbers = ", ".join(str(n) for n in range(stack.made + 1, grown.made + 1))
    undo = f"pitfalls edit --undo {grown.made} --out {out}"
    kept = f"Kept in {out} as edit {numbers}; to take the last one back: {undo}"
    return Kept(grown, effect, [kept, *exports.told(adapter)])


def look_after(
    setup: Setup, out: Path, exports: Exports, *, show: bool, progress: Progress
) -> Kept:
    """The stack in `out`, read and exported as far as it is asked for.

    Raises:
        PitfallsError: no such stack, another model, or an export that cannot be written.
    """
    from pitfalls.editors.stack import Stack

    exports.check()
    stack = Stack.read(out)
    if not (show or exports):
        return Kept(stack, None, [])
    model = setup.load(out, progress)
    Stack.open(out, model)  # refuses another model
    total = stack.total().to(model.device)
    adapter = exports.prepared(total)
    effect = setup.effect(model, stack.requests, total, progress) if show else None
    exports.write(model, total, adapter)
    return Kept(stack, effect, exports.told(adapter))


def take_back(out: Path, number: int) -> Kept:
    """The stack in `out` without one of its edits.

    Raises:
        PitfallsError: no such stack or edit.
    """
    from pitfalls.editors.stack import Stack

    rest = Stack.read(out).without(number)
    look = f"see what is left: pitfalls edit --show --out {out}"
    return Kept(rest, None, [f"Edit {number} is off {out}; {look}"])
