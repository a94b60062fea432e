"""CS_exp against each sentence's own probability before the edits.

CS_exp compares sentences of different relations, so a target that is probable in itself wins
without any editing, and a rare one loses however well it was edited. Dividing each side by what the
unedited model gave it takes that out: what is compared is what the edits did.
"""

from pitfalls.metrics.arithmetic import vote
from pitfalls.metrics.metric import Definition, Guarded, Metric, Value
from pitfalls.records.observation import Observation


def _clean(case: Observation) -> Value:
    newer, older = case.p("theta0", "new_explicit"), case.p("theta0", "old")
    if newer == 0 or older == 0:
        return Guarded("p_θ0 of a compared fact is 0")
    gained = case.p("theta_prime", "new_explicit") / newer
    kept = case.p("theta_prime", "old") / older
    return vote(gained > kept)


CS_EXP_GAIN = Metric(
    name="cs_exp_gain",
    title="CS gain",
    question="Did the newer edit gain more than the older one kept?",
    increasing=True,
    best=1.0,
    kinds=("reverse", "composite"),
    presets={
        "clean": Definition(
            formula="1{p_θ'(k_n) / p_θ0(k_n) > p_θ'(k_o) / p_θ0(k_o)}, k_n in e2's own words",
            source="this library; amends CS_exp (paper §2.2)",
            value_range=(0.0, 1.0),
            needs=(
                ("theta0", "new_explicit"),
                ("theta0", "old"),
                ("theta_prime", "new_explicit"),
                ("theta_prime", "old"),
            ),
            compute=_clean,
        ),
    },
    absent={"authors": "neither the paper nor the authors' code has it"},
)
