"""The words shared by plans, records, metrics and reports, as closed `Literal`s."""

from typing import Literal, TypeAlias, get_args

CaseKind: TypeAlias = Literal["coverage", "reverse", "composite", "round-easy", "round-hard"]
"""The edit pairs of the paper (§2.1, §3.1)."""

StateName: TypeAlias = Literal["theta0", "theta_m", "theta_prime", "theta2"]
"""θ0 unedited, θm after e1, θ' after e1 and then e2, θ2 after e2 alone."""

Preset: TypeAlias = Literal["authors", "clean"]
"""`authors`: the arithmetic of the published code. `clean`: what the paper means."""

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
"""Names of data sets on the command line → the kind of case they hold."""
