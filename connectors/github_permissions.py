"""What GitHub must let the credential read: permissions of Apps and fine-grained tokens.

A classic token has scopes instead, which are wider; each permission says which one covers it.
"""

from connectors.connector import Permission

_REPO = "repository permission; classic scope `repo`"
_ORGANISATION = "organisation permission; classic scope `read:org`"

PERMISSIONS = (
    Permission("Metadata: read", ("repositories",), _REPO),
    Permission(
        "Contents: read",
        ("references", "commits", "commit_paths", "practices", "change_requests", "releases"),
        _REPO,
    ),
    Permission("Pull requests: read", ("change_requests",), _REPO),
    Permission("Deployments: read", ("deployments",), _REPO),
    Permission("Actions: read", ("workflow_runs",), _REPO),
    Permission("Issues: read", ("issues",), _REPO),
    Permission(
        "Code scanning alerts: read",
        ("code_scanning",),
        "repository permission; classic scope `security_events`, or `repo`",
    ),
    Permission("Members: read", ("teams", "accounts"), _ORGANISATION),
)
