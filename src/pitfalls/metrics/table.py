"""The table of all metrics. A new one is one file and one row here."""

from collections.abc import Mapping

from pitfalls.metrics.cm import CM
from pitfalls.metrics.cs import CS
from pitfalls.metrics.cs_exp import CS_EXP
from pitfalls.metrics.cs_exp_gain import CS_EXP_GAIN
from pitfalls.metrics.cs_imp import CS_IMP
from pitfalls.metrics.d import D
from pitfalls.metrics.fr import FR
from pitfalls.metrics.ir import IR
from pitfalls.metrics.metric import Metric
from pitfalls.metrics.restored import RESTORED
from pitfalls.metrics.shift import SHIFT
from pitfalls.metrics.succ_back import SUCC_BACK
from pitfalls.metrics.succ_out import SUCC_OUT
from pitfalls.metrics.succ_round import SUCC_ROUND
from pitfalls.metrics.succ_single import SUCC_SINGLE
from pitfalls.metrics.tfd import TFD

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        SUCC_SINGLE,
        CS,
        CS_EXP,
        CS_IMP,
        CS_EXP_GAIN,
        CM,
        TFD,
        SUCC_ROUND,
        SUCC_OUT,
        SUCC_BACK,
        RESTORED,
        D,
        IR,
        FR,
        SHIFT,
    )
}
"""Metric name → metric, in the order of the paper's tables, ours beside what they amend."""
