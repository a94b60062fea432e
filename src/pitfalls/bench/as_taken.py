"""An experiment with the device and the dtype that were taken in place of `auto`."""

from pitfalls.bench.experiment import Experiment
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.auto import AUTO, device_for


def as_taken(experiment: Experiment, model: LanguageModel) -> Experiment:
    """`experiment` as `run.json` keeps it: another machine may take another device for `auto`.

    Args:
        experiment: as it was asked for.
        model: loaded, or outlined, for it.
    """
    taken = {"device": device_for(experiment.device)}
    if experiment.dtype == AUTO:
        taken["dtype"] = model.dtype_name
    return experiment.model_copy(update=taken)
