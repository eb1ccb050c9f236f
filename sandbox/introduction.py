"""What a reader of the made-up organisation is told: addresses, tokens, files and settings."""

from pathlib import Path
from typing import Any

from sandbox.company_files import write_files
from sandbox.company_settings import company_settings
from sandbox.server import Sandbox


def introduce(sandbox: Sandbox, files: Path | None = None) -> dict[str, Any]:
    """Everything needed to connect, but for the sources that the world goes without.

    What the organisation keeps in files is written to the folder `files`, where one is given.
    """
    organisation = sandbox.organisation
    told: dict[str, Any] = dict(sandbox.addresses())
    profile = organisation.profile
    for prefix, is_left_out in (
        ("jira", "tickets" in profile.without),
        ("backstage", "portal" in profile.without or not profile.has_portal),
    ):
        if is_left_out:
            told = {name: value for name, value in told.items() if not name.startswith(prefix)}
    tables = write_files(organisation, files) if files is not None else []
    connections = [("[connections.company]", {"kind": "files"})] if tables else []
    connections += [("[[connections.company.tables]]", table) for table in tables]
    return {**told, "settings": [*connections, *company_settings(organisation)]}
