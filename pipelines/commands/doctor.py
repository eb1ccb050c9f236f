"""`leadline doctor`: what is set up, what works, and what each page will lack."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.boundary import FAILED, WRONG_USE
from pipelines.commands.options import AsJson

if TYPE_CHECKING:
    from connectors.connector import Finding


def run(
    as_json: AsJson = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no source; look at this machine only.")
    ] = False,
) -> None:
    """Check settings, tokens and their scopes, reachability, clock, disk, versions and data.

    Ends with 1 where something is wrong; tells which permissions each credential needs, what each
    page will lack, and what to connect.
    """
    from pipelines.commands.console import mark, say

    findings = []
    for finding in _findings(offline=offline):
        findings.append(finding)
        if not as_json:
            say(f"{mark(finding.level)} {finding.subject}: {finding.message}")
    is_ok = all(finding.level != "error" for finding in findings)
    if as_json:
        told = {"ok": is_ok, "findings": [finding._asdict() for finding in findings]}
        say(json.dumps(told, ensure_ascii=False, indent=2))
    if not is_ok:
        wrong_settings = any(f.level == "error" and f.subject == "settings" for f in findings)
        raise typer.Exit(WRONG_USE if wrong_settings else FAILED)


def _findings(*, offline: bool) -> "Iterator[Finding]":
    from connectors.connector import Finding
    from pipelines import settings as settings_module
    from pipelines.commands import checks

    yield from checks.versions()
    try:
        settings = settings_module.load()
    except settings_module.SettingsError as error:
        for line in str(error).splitlines():
            yield Finding("error", "settings", line)
        return
    path = settings_module.find()
    if path is None:
        message = "no leadline.toml here or above; `leadline init` writes one"
        yield Finding("warning", "settings", message)
    else:
        yield Finding("ok", "settings", f"{path}: {len(settings.connections)} connections")
    yield from checks.data_folder(settings)
    yield from checks.state(settings)
    for connection in settings.connections.values():
        yield from checks.connection(settings, connection, offline=offline)
        yield from checks.permissions(connection)
    yield from checks.pages(settings)
