"""A stack of edits, as lines and as JSON values."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.updates.provenance import Provenance
    from pitfalls.updates.request import Request
    from pitfalls.updates.stack import Stack
    from pitfalls.updates.stack_index import Entry
    from pitfalls.updates.update import Update


def print_json(found: Mapping[str, Any]) -> None:
    """Print JSON values."""
    print(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))


def stack_json(stack: "Stack", written: Sequence[str] = ()) -> dict[str, Any]:
    """Stack, its edits in order, and lines on what a command wrote."""
    return {
        "folder": str(stack.folder),
        "model": asdict(stack.model),
        "stack": [asdict(entry) for entry in stack.entries],
        "written": list(written),
    }


def list_lines(stack: "Stack") -> Iterator[str]:
    """Heading, and a line for every edit, the newest last."""
    yield _heading(stack)
    numbers = max((len(str(entry.number)) for entry in stack.entries), default=0)
    editors = max((len(entry.editor) for entry in stack.entries), default=0)
    for entry in stack.entries:
        first, *others = entry.requests
        more = f" (and {len(others)} more)" if others else ""
        start = f"{entry.number:>{numbers}}  {entry.editor:<{editors}}  {entry.created}"
        yield f"{start}  {first}{more}"


def show_lines(
    stack: "Stack", updates: "Mapping[int, Update]", total: "Update | None"
) -> Iterator[str]:
    """Paragraph for every edit: its requests, its fit, and the norms of its changes.

    Args:
        stack: the stack.
        updates: number of an edit → its update, for those that are shown.
        total: all edits as one, where the whole stack is shown.
    """
    yield _heading(stack)
    yield f"fingerprint of the unedited model: {stack.model.fingerprint}"
    for number, update in updates.items():
        entry = stack.entry(number)
        yield ""
        yield f"edit {number}, by {entry.editor}, {entry.created}"
        for request in entry.requests:
            yield from (f"  {line}" for line in _request_lines(request))
        yield from (f"  {line}" for part in update.history for line in _fit_lines(part))
        yield from _norm_lines(update)
    if total is not None and len(updates) > 1:
        yield ""
        yield "all edits together"
        yield from _norm_lines(total)


def show_json(
    stack: "Stack", updates: "Mapping[int, Update]", total: "Update | None"
) -> dict[str, Any]:
    """The same as values, with `norms` of the whole stack where all of it is shown."""
    together = {} if total is None else {"norms": total.norms}
    edits = [_edit_json(stack.entry(number), update) for number, update in updates.items()]
    return {
        "folder": str(stack.folder),
        "model": asdict(stack.model),
        "edits": edits,
    } | together


def _heading(stack: "Stack") -> str:
    n = len(stack.entries)
    edits = f"{n} edit{'' if n == 1 else 's'}"
    return f"{stack.folder}: {edits} of {stack.model.name} in {stack.model.dtype}"


def _request_lines(request: "Request") -> Iterator[str]:
    yield str(request)
    for prompt in request.paraphrases:
        yield f"  paraphrase: {prompt}"
    for label in request.true_objects:
        yield f"  also true: {label}"


def _fit_lines(part: "Provenance") -> Iterator[str]:
    yield f"fitted by {part.editor} in {part.seconds:.1f} s"
    if part.losses:
        first, last = part.losses[0], part.losses[-1]
        yield f"loss from {first:.4g} to {last:.4g} in {len(part.losses)} steps"
    if part.failure:
        yield f"failed: {part.failure}"


def _norm_lines(update: "Update") -> Iterator[str]:
    for name, norm in update.norms.items():
        yield f"  norm of the change of {name}: {norm:.4g}"


def _edit_json(entry: "Entry", update: "Update") -> dict[str, Any]:
    history = [
        asdict(part) | {"losses": [loss if math.isfinite(loss) else None for loss in part.losses]}
        for part in update.history
    ]
    return asdict(entry) | {"norms": update.norms, "history": history}
