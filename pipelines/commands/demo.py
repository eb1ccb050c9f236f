"""`leadline demo`: a made-up organisation, pulled over real HTTP and Git, built and shown."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.options import Port, Serve

if TYPE_CHECKING:
    from pipelines.settings import Settings


def run(
    serve: Serve = True,
    seed: Annotated[int, typer.Option(help="Another seed is another organisation.")] = 7,
    world: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Which organisation: scaleup (every threshold is crossed), startup, steady, "
            "trending or another; a wrong name lists all.",
        ),
    ] = "scaleup",
    engineers: Annotated[
        int | None,
        typer.Option(min=2, max=5000, help="One of this size instead, told of delivery alone."),
    ] = None,
    port: Port = None,
) -> None:
    """Show everything on a made-up organisation, with nothing to configure.

    Starts it on loopback, pulls it over real HTTP and real Git by a real Dagster run, builds,
    publishes and serves. Ctrl-C ends all of it. Kept below ~/.cache/leadline/demo until the next.
    """
    from pipelines.commands import answer, folders, serving
    from pipelines.commands.boundary import FailedError
    from pipelines.commands.console import count, note, say
    from pipelines.reader import current_build

    what = _told(world) if engineers is None else count(engineers, "engineer")
    if serve and port is not None:
        serving.choose_port(port)
    folder = folders.cache_folder() / "demo"
    with folders.alone(folder, "`leadline demo`"):
        note(f"the demo is kept in {folders.emptied(folder)}")
        kind = ["--world", world] if engineers is None else ["--engineers", str(engineers)]
        with organisation(folder, what, "--seed", str(seed), *kind) as found:
            settings = prepare(folder, found)
            _refresh(settings)
            build = current_build(settings.data)
            if build is None:
                raise FailedError(f"nothing was published; see the logs in {folder}")
            say(answer.text(build, settings))
            if serve:
                serving.serve(settings.data, port)
            else:
                say(f"dashboard: LEADLINE_SETTINGS={folder / 'leadline.toml'} leadline serve")


@contextmanager
def organisation(folder: Path, what: str, *options: str) -> Iterator[dict[str, Any]]:
    """Run the made-up organisation in a process of its own; yields its addresses and tokens."""
    from pipelines.commands.boundary import FailedError
    from pipelines.commands.children import child, last_lines
    from pipelines.commands.console import step

    log = folder / "organisation.log"
    command = [sys.executable, "-m", "sandbox", *options]
    command += ["--folder", str(folder / "repositories"), "--files", str(folder / "files")]
    running = child(command, folder=_project(), log=log, output=subprocess.PIPE)
    with running as process:
        with step(f"making up an organisation: {what}") as update:
            line = process.stdout.readline() if process.stdout is not None else b""
            if not line:
                raise FailedError(f"the made-up organisation did not start; {last_lines(log)}")
            found: dict[str, Any] = json.loads(line)
            update(f"{found['organisation']} at {found.get('gitlab_url', found['github_url'])}")
        yield found


def prepare(folder: Path, found: dict[str, Any]) -> "Settings":
    """Settings that connect the made-up organisation, used from here on."""
    from pipelines.commands import folders
    from pipelines.settings import load

    folders.use(write_settings(folder, found), folder / "data")
    return load()


def write_settings(folder: Path, found: dict[str, Any]) -> Path:
    """The settings file, with the tokens in files of their own."""
    from pipelines.files import DataFolder
    from pipelines.settings import FILE_NAME

    DataFolder(folder / "data").create()
    for name in [name for name in found if name.endswith("_token")]:
        (folder / name).write_text(found[name], encoding="utf-8")
    path = folder / FILE_NAME
    path.write_text(_toml(found), encoding="utf-8")
    return path


def _told(world: str) -> str:
    """The story of a world, by its name."""
    from pipelines.commands.boundary import WrongUseError
    from pipelines.settings_messages import suggestion
    from sandbox.worlds import WORLDS

    if world not in WORLDS:
        names = list(WORLDS)
        known = f"known: {', '.join(names)}"
        hint = suggestion(world, names)
        raise WrongUseError(
            f'there is no world "{world}"; {hint if hint == known else f"{hint} ({known})"}'
        )
    return WORLDS[world].story.removesuffix(".")


def _toml(found: dict[str, Any]) -> str:
    from pipelines.example_settings import toml
    from sandbox.generate import HOLIDAY_COUNTRY, ZONE
    from sandbox.working_time import WORKING_HOURS

    forge = "gitlab" if "gitlab_url" in found else "github"
    whose = {"organisation": found["organisation"]}
    if forge == "gitlab":
        whose = {"groups": [found["organisation"]]}
    # What each connection needs beside its address and token.
    needed: dict[str, dict[str, Any]] = {
        forge: {**whose, "paths": True},
        "jira": {"email": found.get("jira_email")},
        "backstage": {},
        "jenkins": {"user": found.get("jenkins_user")},
        "argocd": {"environment_from": ["namespace"]},
        "pagerduty": {},
    }
    connections = [
        (
            f"[connections.{kind}]",
            {"base_url": found[f"{kind}_url"], "token": {"file": f"{kind}_token"}, **more},
        )
        for kind, more in needed.items()
        if f"{kind}_url" in found
    ]
    tables: list[tuple[str, dict[str, Any]]] = [
        (
            "[organisation]",
            {
                "name": found["organisation"],
                "zone": ZONE,
                "holidays": HOLIDAY_COUNTRY,
                "working_hours": list(WORKING_HOURS),
            },
        ),
        *connections,
        *((title, values) for title, values in found["settings"]),
    ]
    lines = ['data = "data"']
    for title, values in tables:
        lines += ["", title, *(f"{key} = {toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _refresh(settings: "Settings") -> None:
    """One real run of the graph: pull, load, build, publish."""
    from pipelines.commands.boundary import FailedError
    from pipelines.commands.console import step
    from pipelines.commands.status import streams_of
    from pipelines.files import DataFolder
    from pipelines.runs import run_job_in_process

    with step("pulling, loading and building") as update:

        def report(stage: str, what: str, done: int, total: int | None) -> None:
            amount = f"{done:,}" if total is None else f"{done:,} of {total:,}"
            update(f"{stage}: {what} {amount}")

        is_done = run_job_in_process(settings, "refresh", report)
        update("done" if is_done else "failed")
    if not is_done:
        errors = [
            f"{row['connection']}.{row['stream']}: {row['last_error']}"
            for row in streams_of(DataFolder(settings.data))
            if row["last_error"]
        ]
        raise FailedError("the run failed" + "".join(f"\n  {error}" for error in errors))


def _project() -> Path:
    import pipelines

    return Path(str(pipelines.__file__)).parents[1]
