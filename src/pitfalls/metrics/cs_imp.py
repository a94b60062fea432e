"""CS_imp: the conflict score with the new fact as it follows from e2, in e1's words."""

from pitfalls.metrics.cs import conflict_score

CS_IMP = conflict_score(
    "cs_imp",
    newer="new_implicit",
    title="CS imp",
    question="Is what follows from the newer edit more probable than what the older says?",
    kinds=("reverse", "composite"),
    formula="1{p_θ'(k_n) > p_θ'(k_o)}; reverse k_n = (s2, r1, o2), composite (s1, r1, o3)",
    source="paper §2.2, Conflict Score, implicit (Eq. 2 and 4)",
)
