"""The paper's rules."""

from pitfalls.rules.composition import CompositionRule
from pitfalls.rules.inverse import InverseRule

REVERSE_RULES: tuple[InverseRule, ...] = (
    InverseRule("P22", "P40"),  # father → child
    InverseRule("P25", "P40"),  # mother → child
    InverseRule("P185", "P184"),  # doctoral student → doctoral advisor
    InverseRule("P800", "P170"),  # notable work → creator
)
"""The paper's inverse rules. e1 always edits the left relation."""

COMPOSITE_RULES: tuple[CompositionRule, ...] = (
    CompositionRule("P40", "P25", "P26"),  # child ∧ mother → spouse
    CompositionRule("P25", "P26", "P22"),  # mother ∧ spouse → father
    CompositionRule("P39", "P1001", "P27"),  # position held ∧ jurisdiction → citizenship
    CompositionRule("P22", "P40", "P3373"),  # father ∧ child → sibling
    CompositionRule("P40", "P22", "P26"),  # child ∧ father → spouse
    CompositionRule("P22", "P26", "P25"),  # father ∧ spouse → mother
    CompositionRule("P800", "P407", "P1412"),  # notable work ∧ its language → languages spoken
)
"""The paper's composition rules. e1 edits the body, e2 the head, the tied fact stays."""
