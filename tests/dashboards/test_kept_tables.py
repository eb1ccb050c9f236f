"""What the pages ask for is in the file of a build."""

import re
from pathlib import Path

import dashboards
from pipelines.catalog import models

_READ = re.compile(r"\b(?:from|join)\s+([a-z_]+)\b", re.IGNORECASE)


def test_pages_read_only_what_a_build_keeps() -> None:
    """Every model that a query of the dashboard names is kept, not made for other models only."""
    folder = Path(dashboards.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    read = set(_READ.findall(text)) & set(models())
    assert {"metric", "change_fact", "live_change", "shipment"} <= read
    assert [name for name in sorted(read) if not models()[name].is_kept] == []
