"""All environment variables that the package reads are documented."""

import re
from pathlib import Path

import pitfalls

PACKAGE = Path(pitfalls.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"


def test_every_variable_of_ours_is_documented() -> None:
    code = "".join(file.read_text("utf-8") for file in PACKAGE.rglob("*.py"))
    read = set(re.findall(r"""environ(?:\.get)?[\[(]["'](PITFALLS_\w+)""", code))
    assert read
    text = PAGE.read_text("utf-8")
    assert {name for name in read if f"`{name}`" not in text} == set()
