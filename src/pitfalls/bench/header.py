"""`run.json` of an experiment: everything that decides its numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pitfalls.bench.experiment import Experiment
from pitfalls.cases.case import Case
from pitfalls.cases.collections import data_checksum
from pitfalls.cases.json_form import relation_to_dict, relations_of
from pitfalls.editors.editor import Editor
from pitfalls.editors.names import EditorName
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate
from pitfalls.records.header import DataInfo, ModelInfo, MomentInfo, RelationInfo, RunHeader

PACKAGES = ("pitfalls", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pyarrow")


def make_header(
    experiment: Experiment,
    model: LanguageModel,
    editors: Mapping[EditorName, Editor],
    cases: Mapping[str, Sequence[Case]],
) -> RunHeader:
    """The header of a run of `experiment`; samples the context templates it will use."""
    return RunHeader(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        config=experiment.model_dump(mode="json", exclude={"seed"}),
        seed=experiment.seed,
        model=ModelInfo(
            name=experiment.model, fingerprint=model.fingerprint, dtype=experiment.dtype
        ),
        editors={str(name): _settings(editor) for name, editor in editors.items()},
        contexts={str(name): editor.templates(model) for name, editor in editors.items()},
        data={
            name: DataInfo(
                checksum=data_checksum(name),
                cases=len(listed),
                kept=tuple(case.id for case in listed) if experiment.known else None,
            )
            for name, listed in cases.items()
        },
        relations={
            name: {
                key: RelationInfo.model_validate(relation_to_dict(relation))
                for key, relation in relations_of(listed).items()
            }
            for name, listed in cases.items()
        },
        packages={name: version(name) for name in PACKAGES},
    )


def moment_infos(estimates: Mapping[int, Estimate]) -> dict[int, MomentInfo]:
    """The estimates as the header keeps them: JSON has no infinity."""
    return {
        layer: MomentInfo(
            tokens=one.tokens,
            change=one.change if math.isfinite(one.change) else None,
            end=one.end,
        )
        for layer, one in estimates.items()
    }


def _settings(editor: Editor) -> dict[str, Any]:
    """The editor's fields as JSON knows them."""
    return {"method": type(editor).__name__, **_plain(asdict(editor))}  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
