"""Vocabulary shared by plans, records, metrics and reports, as closed `Literal`s."""

from typing import Literal, TypeAlias, get_args

CaseKind: TypeAlias = Literal["coverage", "reverse", "composite", "round-easy", "round-hard"]
"""Kinds of edit pairs in the paper (§2.1, §3.1)."""

StateName: TypeAlias = Literal["theta0", "theta_m", "theta_prime", "theta2"]
"""Model states: θ0 unedited, θm after e1, θ' after e1 and then e2, θ2 after e2 alone."""

Preset: TypeAlias = Literal["authors", "clean"]
"""`authors`: the arithmetic of the published code. `clean`: the definitions of the paper."""

CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
ROUND_KINDS: tuple[CaseKind, ...] = ("round-easy", "round-hard")
STATES: tuple[StateName, ...] = get_args(StateName)
PRESETS: tuple[Preset, ...] = get_args(Preset)

DATASETS: dict[str, CaseKind] = {
    "conflict/coverage": "coverage",
    "conflict/reverse": "reverse",
    "conflict/composite": "composite",
    "round/easy": "round-easy",
    "round/hard": "round-hard",
}
"""Name of a data set on the command line → its kind of case."""
