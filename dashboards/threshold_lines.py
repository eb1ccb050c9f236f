"""What to connect for each threshold: the lines to add to the settings."""

from typing import Final

LINES: Final = {
    "setup_time": """# Where new services are asked for: tickets of these types …
[connections.jira]
base_url = "https://your-site.atlassian.net"
email = "you@example.com"
token = { env = "JIRA_TOKEN" }

[setup]
request_types = ["New service"]
# … or, where nobody has to ask:
# setup_requests = "none\"""",
}
"""By threshold; each is a piece of `leadline.toml` as it stands."""

PAGES: Final = {
    "setup_time": "Service set-up",
    "shared_infrastructure": "Shared infrastructure",
    "configuration": "Configuration",
    "requests": "Requests & deflection",
}
"""The title of the page that shows the rows behind each threshold."""
