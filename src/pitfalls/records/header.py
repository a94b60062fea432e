"""The first file of a run: everything that decides its numbers, written before any of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

SCHEMA_VERSION = 2
"""Version of the run directory as a whole: `run.json` and the Parquet parts."""
READABLE = (1, SCHEMA_VERSION)
"""Versions that can be read and resumed. In version 1 no reading is a text."""

_NOT_CONFIGURATION = (
    *("schema_version", "created", "packages", "resumed_with"),
    "relations",  # they follow from the data sets, whose checksums are compared
    "moments",  # known, and compared, when an editor begins
)
_LATER: Mapping[str, JsonValue] = {"config.known": False, "config.prefix": ""}
"""Settings that came later → what runs without them did, so that these can still be resumed."""
_LONGEST_VALUE = 48


class _FileModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelInfo(_FileModel):
    """The edited model. Sources may add what else tells it apart (revision, file, parameters)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    fingerprint: str
    """Hash of the weights, so that two models of one name are not taken for the same."""
    dtype: str
    """`float32`, `bfloat16`, …; decides how small a change still is numerical noise."""


class MomentInfo(_FileModel):
    """How a layer's second moment of the keys was estimated."""

    tokens: int
    """How many it is the mean over."""
    change: float | None
    """How much more a solve with half as many disturbs the text; None if it is not known."""
    end: str
    """Why no more were read: `settled`, `max_tokens` or `text`."""


class DataInfo(_FileModel):
    """One data set of the run."""

    checksum: str
    cases: int
    """How many of its cases the run covers, the first ones."""
    kept: tuple[str, ...] | None = None
    """Which they are, where the model had a say in it; None if they follow from the settings."""


class RelationInfo(_FileModel):
    """The words that asked for a relation's object."""

    label: str
    prompt: str
    query: str = ""
    paraphrases: tuple[str, ...] = ()


class RunHeader(_FileModel):
    """`run.json`. The order of the fields is the order in the file."""

    schema_version: int = SCHEMA_VERSION
    created: str
    """When the run was started, ISO 8601 with a time zone."""
    config: dict[str, JsonValue]
    """The experiment as it was asked for, defaults filled in."""
    seed: int
    model: ModelInfo
    editors: dict[str, dict[str, JsonValue]]
    """Editor name → its settings."""
    contexts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Editor name → the context templates its keys and values were averaged over."""
    moments: dict[str, dict[int, MomentInfo]] = Field(default_factory=dict)
    """Editor name → layer → how good its second moments are; noted when the editor begins."""
    data: dict[str, DataInfo]
    relations: dict[str, dict[str, RelationInfo]] = Field(default_factory=dict)
    """Data set → relation id → its words; case rows refer to relations by id."""
    packages: dict[str, str]
    """Package → version when the run was started."""
    resumed_with: tuple[dict[str, str], ...] = ()
    """Other package versions that later parts of the run were made with, in order."""

    def differences(self, other: "RunHeader") -> list[str]:
        """How the configuration of `other` differs from this one, a phrase per setting.

        The time and the package versions are no part of the configuration.

        Returns:
            Phrases like `seed was 0, now 1`; none if both runs would give the same records.
        """
        exclude = set(_NOT_CONFIGURATION)
        was, now = (
            _in_todays_words(
                {**_LATER, **dict(_flat(one.model_dump(mode="json", exclude=exclude)))}
            )
            for one in (self, other)
        )
        names = [*was, *(name for name in now if name not in was)]
        return [
            f"{name.removeprefix('config.')} {_change(name, was, now)}"
            for name in names
            if (name in was, was.get(name)) != (name in now, now.get(name))
        ]


def _in_todays_words(settings: dict[str, Any]) -> dict[str, Any]:
    """Runs keep the device they took; `auto` was once the word for what is `spread` now."""
    old = settings.get("config.device") == "auto"
    return {**settings, "config.device": "spread"} if old else settings


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names. Lists stay whole, they are compared as one setting."""
    if not isinstance(value, dict) or not value:
        yield prefix, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))


def _change(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if name not in was:
        return f"was not set, now {_short(now[name])}"
    if name not in now:
        return f"was {_short(was[name])}, now not set"
    return f"was {_short(was[name])}, now {_short(now[name])}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
