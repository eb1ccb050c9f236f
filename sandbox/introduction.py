"""What a reader of the made-up organisation is told: addresses, tokens, files and settings."""

from typing import Any

from sandbox.company_settings import company_settings
from sandbox.server import Sandbox


def introduce(sandbox: Sandbox) -> dict[str, Any]:
    """Everything needed to connect, but for the sources that the world goes without."""
    organisation = sandbox.organisation
    told: dict[str, Any] = dict(sandbox.addresses())
    profile = organisation.profile
    for prefix, is_left_out in (
        ("jira", "tickets" in profile.without),
        ("backstage", "portal" in profile.without or not profile.has_portal),
    ):
        if is_left_out:
            told = {name: value for name, value in told.items() if not name.startswith(prefix)}
    return {**told, "settings": company_settings(organisation)}
