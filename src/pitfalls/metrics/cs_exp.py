"""CS_exp: the conflict score with the new fact in e2's own words."""

from pitfalls.metrics.cs import conflict_score

CS_EXP = conflict_score(
    "cs_exp",
    newer="new_explicit",
    title="CS exp",
    question="Is what the newer edit says more probable than what the older says?",
    kinds=("reverse", "composite"),
    formula="1{p_θ'(s2, r2, o of e2) > p_θ'(s1, r1, o2)}; prompts and targets differ",
    source="paper §2.2, Conflict Score, explicit",
)
