"""Write `requirements.lock`: the versions installed here of all that the project needs.

Run it as `make lock` after upgrading something in `.venv`. Only names and versions are written, so
that whoever installs decides where packages come from.
"""

import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).parents[1]
HEAD = """\
# Written by `make lock`. The versions that the tests are run with.
"""


def pins(wanted: Iterable[str]) -> dict[str, str]:
    """Name → version of every installed distribution that `wanted` leads to."""
    found: dict[str, str] = {}
    waiting = [Requirement(line) for line in wanted]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (key := (name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        installed = distribution(name)
        found[name] = Version(installed.version).public  # 2.13.0+cpu is a build of 2.13.0
        for line in installed.requires or ():
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needed)
    return found


def main() -> None:
    """Read `pyproject.toml`, look at what is installed, write the lock file."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [
        *project["project"]["dependencies"],
        *extras["report"],
        *extras["graphs"],
        *project["dependency-groups"]["dev"],
    ]
    lines = [f"{name}=={version}\n" for name, version in sorted(pins(wanted).items())]
    (REPOSITORY / "requirements.lock").write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
