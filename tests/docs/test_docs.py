"""The documentation is complete, up to date, and true where a machine can tell."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from connectors import connector
from connectors.connector import kinds
from connectors.records import RECORDS
from connectors.secret import Secret
from dashboards import views_index
from pipelines import documentation, reader, settings
from pipelines.catalog import models
from pipelines.cli import app
from pipelines.documentation_settings import type_words
from pipelines.kind_streams import all_streams
from pipelines.metric_definitions import DEFINITIONS
from pipelines.page_needs import NEEDS, fed_by_permission
from pipelines.settings import Settings
from pipelines.settings_messages import model_of
from tests.dashboards.fixture import World, write_build
from tests.docs.pages import DOCS, PAGES, ROOT, Block, anchors, blocks, everything, example, prose

TOML = [block for page in PAGES for block in blocks(page, "toml")]
SHELL = [block for page in PAGES for block in blocks(page, "sh")]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture
def with_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connectors that extending.md adds, found as any other."""
    code = example("connectors/shipyard.py").text
    (tmp_path / "shipyard.py").write_text(code, encoding="utf-8")
    import connectors

    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    connector.kinds.cache_clear()
    yield
    connector.kinds.cache_clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """What is made from the code says what the code says now."""
    text = page.read_text(encoding="utf-8")
    behind = documentation.filled(text) != text
    assert not behind, "run .venv/bin/python -m pipelines.documentation"


def test_writing_mends_a_page_that_is_behind(tmp_path: Path) -> None:
    """The generator replaces what stands between its marks and nothing else."""
    page = tmp_path / "page.md"
    page.write_text(
        "Before.\n<!-- generated: metrics -->\nold\n<!-- end of generated -->\nAfter.\n",
        encoding="utf-8",
    )
    assert documentation.write(tmp_path) == [page]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "\nold\n" not in text
    assert DEFINITIONS[0].words in text
    assert documentation.write(tmp_path) == []


def test_every_page_is_linked_from_the_index() -> None:
    """A reader who begins at docs/README.md finds every page."""
    index = read("README.md")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def _settings(model: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a model, with its table; a key that is a table of its own has no name."""
    for name, field in model.model_fields.items():
        inner = model_of(field.annotation)
        if hasattr(inner, "model_fields"):
            table = f"{path}.{name}".strip(".")
            yield table, ""
            yield from _settings(inner, table) if name != "connections" else ()
        else:
            yield path, name


def test_every_setting_is_documented() -> None:
    """Every key of leadline.toml stands in settings.md, under its table."""
    text = read("settings.md")
    for path, name in _settings(Settings):
        heading = "## At the top of the file"
        if path:
            found = re.search(rf"^## .*`\[+{re.escape(path)}[].].*$", text, re.MULTILINE)
            assert found is not None, path
            heading = found[0]
        section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
        assert not name or f"| `{name}` |" in section, f"{path}.{name}"


@pytest.mark.parametrize("kind", kinds())
def test_every_connector_is_documented(kind: str) -> None:
    """Each kind has a page with its streams, permissions, settings, and what it cannot see."""
    text = read(f"connectors/{kind}.md")
    assert "**What it cannot see.**" in text
    assert "**Budget" in text
    for part in ("streams", "permissions", "options"):
        assert f"<!-- generated: {part} {kind} -->" in text
    options = kinds()[kind].options_type
    for name in options.model_fields:
        assert f"| `{name}` |" in read("settings.md"), name
    if _secrets(options):
        assert "**Credential.**" in text


def test_every_page_of_a_connector_has_its_kind() -> None:
    """No page tells of a kind that is gone; each is linked from the index of the folder."""
    found = {page.stem for page in (DOCS / "connectors").glob("*.md")} - {"README"}
    assert found == set(kinds())
    index = read("connectors/README.md")
    for kind in kinds():
        assert f"]({kind}.md)" in index


def _secrets(options: Any) -> list[str]:
    found = options.model_fields.items()
    return [name for name, field in found if model_of(field.annotation) is Secret]


@pytest.mark.parametrize("kind", kinds())
def test_permissions_are_told_of_every_stream_that_needs_one(kind: str) -> None:
    """A kind with a credential says what it must be allowed; each permission feeds some page."""
    connector_type = kinds()[kind]
    streams = {stream.name for stream in all_streams(connector_type)}
    assert connector_type.permissions or not _secrets(connector_type.options_type)
    assert {s for p in connector_type.permissions for s in p.streams} <= streams
    for permission, fed in fed_by_permission(connector_type):
        assert fed, permission.name


def test_needs_of_pages_are_true_of_models_and_views() -> None:
    """Pages exist, models read the records that matter, and no record is given for nothing."""
    titles = {view.title for view in views_index.found(ROOT / "dashboards" / "views")}
    covered = set()
    for need in NEEDS:
        assert set(need.pages) <= titles, need
        read_here = models()[need.model].depends_on
        assert need.records, need
        assert {f"records.{r.table}" for r in need.records} <= set(read_here), need
        covered |= set(need.records)
    assert {r.table for r in set(RECORDS) - covered} == {"decision"}


def test_every_record_is_documented() -> None:
    """Each record table has its columns and key."""
    text = read("records.md")
    for record_type in RECORDS:
        section = text.partition(f"\n### {record_type.table}\n")[2].partition("\n### ")[0]
        for name in record_type.model_fields:
            if name != "source_updated_at":
                assert f"| `{name}` |" in section, f"{record_type.table}.{name}"
        for name in record_type.key:
            assert re.search(rf"\| `{name}` \| [^|]+ \| key \|", section), name


def test_every_metric_and_table_is_documented() -> None:
    """Each definition stands with its words and variants, each table with its grain."""
    variants = read("metrics.md").partition("\n## Variants\n")[2]
    for definition in DEFINITIONS:
        is_metric = models()[definition.model].room == "metrics"
        text = read("metrics.md" if is_metric else "thresholds.md")
        assert f"### {definition.title}" in text
        assert definition.words in text
        assert f"| `{definition.name}` |" in variants or not is_metric
        for parameter in re.findall(r"\d+", definition.parameters):
            assert parameter in text
    for name in models():
        assert f"| `{name}` |" in read("tables.md")


def test_every_command_and_option_is_documented() -> None:
    """Each command has a section that names every option."""
    text = read("cli.md")
    for name, command in COMMANDS.items():
        section = text.partition(f"\n## leadline {name}\n")[2].partition("\n## ")[0]
        assert section.strip(), name
        for parameter in command.params:
            for option in [*parameter.opts, *parameter.secondary_opts]:
                assert not option.startswith("-") or f"`{option}" in section, option


def test_every_page_of_the_dashboard_is_documented() -> None:
    """Each view has its question and its section, under the title the navigation shows."""
    text = read("pages.md")
    for view in views_index.found(ROOT / "dashboards" / "views"):
        assert f"| {view.title} |" in text
        assert f"\n## {view.title}\n" in text


def test_every_make_target_exists_and_the_two_commands_lead() -> None:
    """Targets that are named exist; the README shows the two commands before anything else."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    for name in re.findall(r"(?:`|^)make ([a-z]+)", everything(), re.MULTILINE):
        assert name in targets, name
    for name in targets:
        assert f"make {name}" in everything(), f"make {name} is named nowhere"
    first = next(block for block in SHELL if block.page.parent == ROOT)
    assert re.findall(r"^make \w+", first.text, re.MULTILINE) == ["make demo", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Every link into the repository names a file that is there, and a heading of it."""
    text = prose(page)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert ROOT in target.parents, link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.usefixtures("with_examples")
@pytest.mark.parametrize("block", TOML, ids=str)
def test_settings_in_the_text_are_settings(block: Block, tmp_path: Path) -> None:
    """Every piece of leadline.toml that is shown can be used as it is."""
    settings.parse(block.text.encode(), tmp_path / "leadline.toml")


def _commands() -> Iterator[tuple[str, str]]:
    """Every command line of ours in the text: where it stands, and what follows `leadline`."""
    for block in SHELL:
        for line in block.text.splitlines():
            found = re.match(r"(?:\.venv/bin/)?leadline (.+)", line)
            if found:
                yield str(block), found[1]
    for page in PAGES:
        for span in re.findall(r"`(?:\.venv/bin/)?leadline ([^`]+)`", prose(page)):
            yield page.name, span


@pytest.mark.parametrize(("place", "line"), sorted(set(_commands())))
def test_commands_in_the_text_exist(place: str, line: str) -> None:
    """Every `leadline …` that is shown names a command and options that it has."""
    words = [word for word in shlex.split(line, comments=True) if word != "…"]
    group: Any = typer.main.get_command(app)
    known = {"--help", *(option for each in group.params for option in each.opts)}
    if not words[0].startswith("-"):
        assert words[0] in COMMANDS, f"{place}: {line}"
        for parameter in COMMANDS[words[0]].params:
            known |= {*parameter.opts, *parameter.secondary_opts}
    for word in words:
        assert not word.startswith("--") or word in known, f"{place}: {line}"


@pytest.mark.parametrize("line", sorted({line for _, line in _commands() if '"' in line}))
def test_queries_in_the_text_run(line: str, tmp_path: Path) -> None:
    """Every `leadline query` that is shown is one that a published build answers."""
    command, sql, *_ = shlex.split(line)
    assert command == "query", line
    connection = reader.connect(write_build(tmp_path, World(changes=300)))
    assert connection.execute(sql).description
    connection.close()


def test_the_readme_leads_to_your_own_data() -> None:
    """The README shows `leadline try`, and GitHub and Jira in five lines of settings."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "leadline try" in readme
    (shown,) = blocks(ROOT / "README.md", "toml")
    assert len(shown.text.splitlines()) == 5
    parsed = settings.parse(shown.text.encode(), ROOT / "leadline.toml")
    assert set(parsed.connections) == {"github", "jira"}


def test_types_are_said_in_words() -> None:
    """No name of Python stands in settings.md where a reader expects a type."""
    for row in re.findall(r"^\| `\w+` \|.*\|$", read("settings.md"), re.MULTILINE):
        kind = row.split(" | ")[2]
        assert not re.search(r"\b(str|int|bool|tuple|None|Path)\b", kind), row
    assert type_words(tuple[str, ...]) == "list of text"
    assert type_words(dict[str, str] | None) == "table of text"
