"""Write the pages of `docs/` that follow from the code: run it as `make docs`.

A test compares the pages with what this would write, so they cannot fall behind.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from pitfalls.cli.main import app
from pitfalls.editors.table import EDITORS
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.metrics.table import METRICS
from pitfalls.vocabulary import PRESETS

DOCS = Path(__file__).parents[1] / "docs"

TABLE_BEGINS = "<!-- The table is written by `make docs` from the editors themselves. -->\n"
TABLE_ENDS = "<!-- /table -->\n"

METRICS_HEAD = """\
# Metrics

<!-- Written by `make docs` from pitfalls.metrics; do not edit. -->

A metric is a number for every case; the score is its mean over cases, with a 95 % interval from a
bootstrap that draws subjects with all their cases. All metrics come from the same records: scoring
them again under another preset needs no model.

`authors` is the arithmetic of the published code, `clean` is what the paper means; why they differ
is told in [deviations.md](deviations.md). θ is the unedited model, θ_m the model after the first
edit e1, θ' the model after e1 and then e2, and p_θ(k) the probability of fact k under θ: the
geometric mean over the tokens of its object, averaged over its prompts.

Tables of round trips end with `undo`, the exact undoing of an edit that took: it has the best value
of every metric but Succ and Succ back, where it is what a perfect restoration gets.
"""

COMMANDS_HEAD = """\
# Command line

<!-- Written by `make docs` from the commands' --help; do not edit. -->

Every command exits with status 0, or with 2 and one line on standard error if the input is wrong.
`pitfalls score --fail-if` exits with 1 where a condition holds. `pitfalls edit` and
`pitfalls stack show --effects` exit with 3 where the model does not say the target of an edit, and
with 4 where it does but something else changed that should not have. Ctrl-C ends a command with
130 and SIGTERM with 143, and with a line that says what is kept. A traceback is a bug: please
report it.

What can be made again (converted models, second moments, texts) is kept in the user's cache folder
of the system, `~/.cache/pitfalls` on Linux; the environment variable `PITFALLS_CACHE` names another
folder. It may be deleted at any time. Models of the Hugging Face hub stay in the hub's own cache.
"""


def metrics_page() -> str:
    """`docs/metrics.md`."""
    rows = [
        f"| [`{name}`](#{name}) | {metric.title} | {'↑' if metric.increasing else '↓'} | "
        f"{metric.best:g} | {metric.question} |\n"
        for name, metric in METRICS.items()
    ]
    table = "\n| name | in tables | better | best | asks |\n| --- | --- | --- | --- | --- |\n"
    return METRICS_HEAD + table + "".join(rows) + "".join(map(_metric, METRICS.values()))


def editors_page() -> str:
    """`docs/editors.md`, with the table between its marks as the editors have it."""
    before, mark, rest = (DOCS / "editors.md").read_text("utf-8").partition(TABLE_BEGINS)
    _, end, after = rest.partition(TABLE_ENDS)
    rows = [
        f"| `{name}` | {it.stores.words} | {it.needs} | {', '.join(it.stores.exports) or 'none'} | "
        f"{it.paper} |\n"
        for name, it in ((name, method.about) for name, method in EDITORS.items())
    ]
    head = "| editor | stores | needs | exports | paper |\n| --- | --- | --- | --- | --- |\n"
    return f"{before}{mark}\n{head}{''.join(rows)}{end}{after}"


def commands_page() -> str:
    """`docs/command-line.md`."""
    return COMMANDS_HEAD + "".join(_command(typer.main.get_command(app), "pitfalls"))


def _metric(metric: Metric) -> str:
    direction = "More is better" if metric.increasing else "Less is better"
    text = f"{metric.question} {direction}; {metric.best:g} is best. Cases: "
    rows = [
        _definition(preset, metric.presets[preset])
        if preset in metric.presets
        else f"| `{preset}` | none: {metric.absent[preset]} | | |\n"
        for preset in PRESETS
    ]
    head = "\n| preset | one case | range | source |\n| --- | --- | --- | --- |\n"
    intro = f"\n## {metric.name}\n\n{text}{', '.join(metric.kinds)}.\n"
    return intro + head + "".join(rows)


def _definition(preset: str, definition: Definition) -> str:
    low, high = (_number(end) for end in definition.value_range)
    formula = definition.formula.replace("|", "\\|")  # a bar ends a cell, even in code
    return f"| `{preset}` | {formula} | {low} to {high} | {definition.source} |\n"


def _number(value: float) -> str:
    return f"{value:.4g}".replace("inf", "∞").replace("-", "−")


def _command(command: Any, name: str) -> Iterator[str]:
    text, _, example = command.help.partition("Example: ")
    yield f"\n## {name}\n\n{text.strip()}\n"
    if example:
        yield f"\n```sh\n{example.strip()}\n```\n"
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    if parameters:
        yield "\n| option | what for | default |\n| --- | --- | --- |\n"
        yield from map(_parameter, parameters)
    for inner, nested in getattr(command, "commands", {}).items():
        yield from _command(nested, f"{name} {inner}")


def _parameter(parameter: Any) -> str:
    words = ", ".join(parameter.opts)
    shown = words if words.startswith("-") else (parameter.metavar or parameter.name).upper()
    unset = parameter.default is None or parameter.default is False  # 0 is a default
    default = "" if unset else f"`{parameter.default}`"
    default = "required" if parameter.required else default
    return f"| `{shown}` | {parameter.help} | {default} |\n"


PAGES = {
    "metrics.md": metrics_page,
    "command-line.md": commands_page,
    "editors.md": editors_page,
}
"""Page → its contents."""


def main() -> None:
    """Write every page."""
    DOCS.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
