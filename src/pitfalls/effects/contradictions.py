"""Contradictory edits: same subject, same prompt, different targets.

An edit's filled-in prompt is compared with the prompt and paraphrases of the other, ignoring case.
Consequences of edits by logical rules are not considered.
"""

from collections.abc import Sequence

from pitfalls.errors import PitfallsError
from pitfalls.updates.request import Request


def contradict(one: Request, other: Request) -> bool:
    """Whether the two requests cannot both hold."""
    if _plain(one.target) == _plain(other.target):
        return False
    return _prompt(one) in _wordings(other) or _prompt(other) in _wordings(one)


def overwriting(request: Request, later: Sequence[Request]) -> Request | None:
    """The last of the later edits that contradicts this one, or None."""
    return next((one for one in reversed(later) if contradict(request, one)), None)


def refuse_contradictions(requests: Sequence[Request], *, where: str) -> None:
    """Refuse contradictory requests before any time is spent on them.

    Args:
        requests: the requests in order.
        where: start of the error line.

    Raises:
        PitfallsError: there are two such edits.
    """
    prompts: dict[str, int] = {}
    wordings: dict[str, int] = {}
    for place, request in enumerate(requests):
        texts = _wordings(request)
        before = [wordings.get(_prompt(request)), *(prompts.get(text) for text in texts)]
        for other in before:
            if other is not None and contradict(requests[other], request):
                raise PitfallsError(f"{where}: {_told(requests, other, place)}")
        prompts.setdefault(_prompt(request), place)
        for text in sorted(texts):
            wordings.setdefault(text, place)


def _told(requests: Sequence[Request], one: int, other: int) -> str:
    return (
        f"edits {one + 1} and {other + 1} contradict each other, {str(requests[one])!r} and "
        f"{str(requests[other])!r}: the model can say only one of them, leave the other out"
    )


def _prompt(request: Request) -> str:
    return _plain(request.prompt.format(request.subject))


def _wordings(request: Request) -> set[str]:
    texts = (request.prompt, *request.paraphrases)
    return {_plain(text.format(request.subject)) for text in texts}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
