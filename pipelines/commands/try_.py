"""`leadline try`: the main job on real repositories, with nothing to configure."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.options import Port, Serve

if TYPE_CHECKING:
    from pipelines.settings import Settings


def run(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="PATH_OR_URL", help="Local clones or Git addresses."),
    ],
    serve: Serve = True,
    port: Port = None,
    tag_pattern: Annotated[
        str | None,
        typer.Option(help="Regular expression of the tags that are releases; default: versions."),
    ] = None,
) -> None:
    """Measure your own repositories now, with nothing to configure.

    Tags that look like versions count as production deployments, merges and direct commits as
    changes. Clones are only read. What is worked out is kept below ~/.cache/leadline/try.
    """
    from pipelines.commands import answer, folders, progress, serving
    from pipelines.commands import targets as given
    from pipelines.commands.boundary import FailedError
    from pipelines.commands.console import note, say

    if serve:
        serving.choose_port(port) if port is not None else None
    resolved = given.resolve(targets)
    digest = hashlib.sha256("\n".join(sorted(resolved)).encode()).hexdigest()[:12]
    folder = folders.cache_folder() / "try" / digest
    with folders.alone(folder, "`leadline try` on these repositories"):
        settings = prepare(resolved, folder, tag_pattern)
        note(f"what is worked out is kept in {folder}")
        errors = [e for result in progress.sync_with_progress(settings) for e in result.errors]
        progress.load_with_progress(settings)
        if errors and not answer.has_commits(settings.data):
            raise FailedError("\n".join(errors))
        for error in errors:
            note(f"warning: {error}")
        result = progress.build_with_progress(settings)
        say(answer.text(result.path, settings))
        if serve:
            serving.serve(settings.data, port)
        else:
            say(f"dashboard: LEADLINE_SETTINGS={folder / 'leadline.toml'} leadline serve")


def prepare(resolved: list[str], folder: Path, tag_pattern: str | None) -> "Settings":
    """Settings for these repositories, kept beside the data so that other commands can be used."""
    from pipelines.commands import folders
    from pipelines.commands.targets import name_of
    from pipelines.files import DataFolder
    from pipelines.settings import FILE_NAME, load

    data = folder / "data"
    DataFolder(data).create()
    path = folder / FILE_NAME
    path.write_text(_toml(name_of(resolved), resolved, tag_pattern), encoding="utf-8")
    folders.use(path, data)
    return load()


def _toml(name: str, repositories: list[str], tag_pattern: str | None) -> str:
    def quoted(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = ['data = "data"', "", "[organisation]", f"name = {quoted(name)}", ""]
    if tag_pattern is not None:
        lines += ["[deployments]", f"tag_pattern = {quoted(tag_pattern)}", ""]
    lines += ["[connections.git]", f"repositories = {quoted(repositories)}", ""]
    return "\n".join(lines)
