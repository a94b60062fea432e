"""The table of all kinds of rule, and parsing by it. A new kind is one file and one row here."""

from pitfalls.errors import PitfallsError
from pitfalls.rules.composition import CompositionRule
from pitfalls.rules.inverse import InverseRule
from pitfalls.rules.rule import Rule

RULE_KINDS: dict[str, type[Rule]] = {
    "inverse": InverseRule,
    "composition": CompositionRule,
}
"""Name of a kind, the first of its `sorts` → its class."""


def parse_rule(text: str) -> Rule:
    """Parse a rule in the notation of any kind; `str` is the inverse.

    Raises:
        PitfallsError: the text has none of their forms.
    """
    for kind in RULE_KINDS.values():
        if (rule := kind.parse(text)) is not None:
            return rule
    *others, last = (repr(kind.example) for kind in RULE_KINDS.values())
    raise PitfallsError(f"rule {text!r}: expected the form {', '.join(others)} or {last}")


def looks_like_rule(word: str) -> bool:
    """Whether a word is meant as a rule, well-formed or not, and not as the name of a file."""
    return any(kind.mark in word for kind in RULE_KINDS.values())
