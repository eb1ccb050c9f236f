"""What to connect for each threshold: the lines to add to the settings."""

from typing import Final

from dashboards.frame import CONNECT

LINES: Final = {
    "setup_time": f"""# Where new services are asked for: tickets of these types …
{CONNECT["jira"]}

[setup]
request_types = ["New service"]
# … or, where nobody has to ask:
# setup_requests = "none\"""",
    "shared_infrastructure": f"""{CONNECT["units"]}

# Accounts that are one person.
[[people]]
name = "Ada Example"
accounts = ["octocat", "ada@example.com"]""",
    "configuration": """# Results of audits, one row a control and team, from a file.
[[connections.files.tables]]
path = "audits.csv"
record = "audit_result"

[connections.files.tables.columns]
audit_id = "audit"
performed_at = "date"
control = "control"
team = "team"
observed = "found"
is_pass = "passed"
scope = "teams\"""",
    "requests": f"""# Whose tickets and hours count; the tickets come from [connections.jira].
{CONNECT["requests"]}""",
}
"""By threshold; each is a piece of `leadline.toml` as it stands."""

PAGES: Final = {
    "setup_time": "Service set-up",
    "shared_infrastructure": "Shared infrastructure",
    "configuration": "Configuration",
    "requests": "Requests & deflection",
}
"""The title of the page that shows the rows behind each threshold."""
