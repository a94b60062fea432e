"""Pages are true: commands run, code runs, links lead somewhere, nothing is stale."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from pages import PAGES, REPOSITORY, Block, blocks, every_command, parse
from typer.testing import CliRunner

from pitfalls.cli.main import app, main
from pitfalls.cli.status import NOT_EDITED, SIDE_EFFECTS
from pitfalls.report.paper import paper_models
from pitfalls.testing import TEXT

BLOCKS = list(blocks())
COMMANDS = [
    pytest.param(words, id=f"{block}-{number}")
    for block in BLOCKS
    if block.language == "sh"
    for number, words in enumerate(block.commands)
]
COMMANDS += [
    pytest.param(shlex.split(command), id=f"{page.name}-{number}")
    for page in PAGES
    for number, command in enumerate(
        re.findall(r"`(python benchmarks/[^`]+)`", page.read_text("utf-8"))
    )
]
TARGETS = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))

ACTIVATE = [".", ".venv/bin/activate"]
ELSEWHERE = {
    *(("data", "fetch"), ("models", "fetch"), ("models", "verify"), ("train", "mend")),
    *(("graph", "sparql"), ("graph", "dump"), ("graph", "import"), ("run", "--workers")),
}
"""Commands that need a network, files of others or minutes; other tests run them."""


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_is_of_a_kind_that_is_checked(block: Block) -> None:
    jobs = ("bash", "yaml") if block.page == "docs/many-machines.md" else ()  # test_jobs.py
    assert block.language in ("sh", "python", "text", "toml", *jobs), (
        "another test is needed for this kind"
    )


TABLES = [block for block in BLOCKS if block.language == "text"]


@pytest.mark.parametrize("block", TABLES, ids=str)
def test_the_papers_rows_in_a_table_on_a_page_are_the_papers(block: Block) -> None:
    """Figures of our own runs have an interval; those of the paper are known."""
    printed = {
        (model.title, number.editor, f"{100 * number.value:.2f}")
        for model in paper_models()
        for number in model.numbers
    }
    title, compared = "", 0
    for line in block.text.splitlines():
        if line.startswith("paper, "):
            title = line.removeprefix("paper, ").split("  ")[0]
        elif not line.strip():
            title = ""
        elif title:
            editor, *values = line.replace("†", "").split()
            assert {(title, editor, value) for value in values} <= printed, line
            compared += len(values)
    assert compared


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_on_a_page_exists(words: list[str]) -> None:
    if words[0] == "make":
        assert set(words[1:]) <= TARGETS
    elif words != ACTIVATE:
        parse(words)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *(
            f"docs/{name}.md"
            for name in (
                "data",
                "editing",
                "locating",
                "many-machines",
                "reading-results",
                "tutorial",
            )
        ),
    ],
)
def test_the_commands_of_a_page_run_one_after_the_other(
    page: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    carry_out(page, tiny_folder)


def carry_out(page: str, model: Path, *, only: tuple[str, ...] = ()) -> None:
    """The commands of a page, or those of some names, in the current directory."""
    Path("corpus.txt").write_text(f"{TEXT}\n\n" * 4, "utf-8")
    lines = re.findall(r"^ {4}(\{.*\})$", (REPOSITORY / page).read_text("utf-8"), re.MULTILINE)
    Path("edits.jsonl").write_text("\n".join(lines), "utf-8")
    for block in BLOCKS:
        if block.page != page or block.language != "sh":
            continue
        for words in block.commands:
            wanted = words[1] in only if only else tuple(words[1:3]) not in ELSEWHERE
            if words[0] == "pitfalls" and wanted:
                with pytest.raises(SystemExit) as ended:
                    main(SMALL.get(words[1], as_it_stands)(words[1:], model))
                # Not everything that is taught to a tiny model is learned, nor is it all.
                fine = (NOT_EDITED, SIDE_EFFECTS) if words[1] in ("edit", "stack") else ()
                assert ended.value.code in (0, *fine), words


def as_it_stands(words: list[str], model: Path) -> list[str]:
    return words


def small_search(locate: list[str], model: Path) -> list[str]:
    """A few facts of a model that knows any: its vocabulary has 400 tokens."""
    _, _, *options = locate
    return ["locate", str(model), *options, "--facts", "2", "--samples", "1", "--rank", "400"]


def small_run(run: list[str], model: Path) -> list[str]:
    """A run of the pages, on one case and a tiny model; a look at one stays as it is."""
    if "--status" in run:
        return run
    settings = {
        "ft": ["ft.steps=2"],
        "rome": [
            "rome.value.steps=2",
            'rome.contexts.templates=["{}"]',
            "rome.moments.corpus=corpus.txt",
        ],
    }
    named = [run[i + 1] for i, word in enumerate(run) if word == "--editor"]
    editors = named or list(settings)  # not all of the default: MEND has no networks for the model
    words = [*run, "--model", str(model), "--cases", "1"]
    for name in editors:
        words += [] if named else ["--editor", name]
        words += [word for one in settings[name] for word in ("--set", one)]
    return words


def small_edit(edit: list[str], model: Path) -> list[str]:
    """An edit of the pages, on a tiny model."""
    editor = edit[edit.index("--editor") + 1] if "--editor" in edit else "rome"
    fast = [f'{editor}.contexts.templates=["{{}}"]', f"{editor}.moments.corpus=corpus.txt"]
    return [*edit, *READ, "--model", str(model), *(word for one in fast for word in ("--set", one))]


def small_stack(stack: list[str], model: Path) -> list[str]:
    """A look at a stack of the pages, with little to read; the model is the stack's own."""
    return [*stack, *READ] if "--effects" in stack else stack


READ = ["--text", "corpus.txt", "--text-tokens", "200"]
SMALL = {"run": small_run, "locate": small_search, "edit": small_edit, "stack": small_stack}
"""Command → what makes it quick."""

PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.mark.parametrize("block", [b for b in PYTHON if b.page != "README.md"], ids=str)
def test_code_on_a_page_runs(
    block: Block, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    carry_out(block.page, tiny_folder, only=("run", "edit"))
    Path("MODEL").symlink_to(tiny_folder)
    exec(compile(block.text, str(block), "exec"), {})


@pytest.mark.real
def test_the_example_of_the_readme_edits_the_real_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = [block for block in PYTHON if block.page == "README.md"]
    assert len(block.text.splitlines()) <= 15
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text, str(block), "exec"), {})
    before, after = (float(p) for p in re.findall(r"p = ([\d.]+)", capsys.readouterr().out))
    assert after > 10 * before
    assert list(tmp_path.iterdir()) == [tmp_path / "rome.safetensors"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    paths = re.findall(r"`((?:src|tests|docs|benchmarks|tools)/[\w./-]+)`", text)
    new = {
        "src/pitfalls/editors/my_editor.py",
        "src/pitfalls/cases/kinds/my_kind.py",
        "src/pitfalls/metrics/my_metric.py",
        "src/pitfalls/report/my_format.py",
        "src/pitfalls/rules/my_rule.py",
    }
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []
    assert [path for path in paths if path not in new and not (REPOSITORY / path).exists()] == []


def test_generated_pages_are_what_the_code_says() -> None:
    made = runpy.run_path(str(REPOSITORY / "tools" / "docs.py"))["PAGES"]
    for name, page in made.items():
        assert (REPOSITORY / "docs" / name).read_text("utf-8") == page(), "run `make docs`"


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == "Unreleased"
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize(
    ("words", "command"),
    [pytest.param(*each, id=" ".join(each[0]) or "pitfalls") for each in every_command()],
)
def test_help_gives_an_example_that_can_be_typed(words: list[str], command: object) -> None:
    text = getattr(command, "help", None) or ""
    examples = re.findall(r"^Example: (.+)$", text, re.MULTILINE)
    assert examples, f"pitfalls {' '.join(words)} --help gives no example"
    for example in examples:
        typed = shlex.split(example)
        assert typed[: 1 + len(words)] == ["pitfalls", *words] or words[-1:] == ["list"]
        parse(typed)
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "300"}).output
    # A word in square brackets is taken for markup and vanishes.
    assert text.splitlines()[0] in shown
