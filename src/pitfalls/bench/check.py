"""Mistakes in an experiment that can be found before its model is fetched or loaded."""

from pitfalls.bench.chunks import cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.readers import check_readable
from pitfalls.cases.case import Case
from pitfalls.cases.plan import plan
from pitfalls.editors.names import parsed_names
from pitfalls.editors.table import check_settings
from pitfalls.models.weights.loading import check_loadable


def checked_cases(experiment: Experiment) -> dict[str, list[Case]]:
    """Data set → its cases, once all that needs no model is known to be right.

    Raises:
        PitfallsError: wrong names, files or settings, an editor with nothing to do, or a case
            whose plan asks for a reading that nothing can take.
    """
    names = parsed_names(experiment.editors or ())
    for name, settings in experiment.settings.items():
        check_settings(name, settings)
    check_loadable(experiment.dtype, experiment.device)
    cases = load_all(experiment)
    for data, listed in cases.items():
        for case in listed:
            check_readable(plan(case), where=f"{data}: {case.id}")
    if names:
        _ = list(cut(cases, names, size=experiment.chunk))
    return cases
