"""`leadline status`: what has been received, and what is published."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.commands.options import AsJson

if TYPE_CHECKING:
    from pipelines.files import DataFolder


def run(
    as_json: AsJson = False,
) -> None:
    """Show what each source has given and how old the published build is."""
    from pipelines.commands.console import say
    from pipelines.files import DataFolder
    from pipelines.settings import load

    folder = DataFolder(load().data)
    found = {"data": str(folder.path), "build": build_of(folder), "streams": streams_of(folder)}
    say(json.dumps(found, ensure_ascii=False, indent=2) if as_json else _text(found))


def build_of(folder: "DataFolder") -> dict[str, Any] | None:
    """The published build in a few facts, None where there is none."""
    from pipelines import reader
    from pipelines.commands.tables import plain

    path = reader.current_build(folder.path)
    if path is None:
        return None
    names = ("build_id", "built_at", "as_of", "organisation", "seconds")
    connection = reader.connect(path)
    try:
        rows = connection.sql(f"select {', '.join(names)} from build").to_arrow_table().to_pylist()
    finally:
        connection.close()
    return {name: plain(rows[0][name]) for name in names}


def streams_of(folder: "DataFolder") -> list[dict[str, Any]]:
    """What landing knows of each stream; nothing is made where there is nothing yet."""
    from pipelines.landing import Landing

    if not folder.landing.exists():
        return []
    with Landing(folder.landing) as landing:
        return landing.status()


def ago(text: object) -> str:
    """How long ago a moment was, in its largest unit."""
    if text is None:
        return "never"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(str(text))).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


def _text(found: dict[str, Any]) -> str:
    lines = [f"data       {found['data']}"]
    build = found["build"]
    if build is None:
        lines.append("published  nothing yet; run `leadline sync`, then `leadline build`")
    else:
        lines.append(f"published  {build['build_id']}, built {ago(build['built_at'])}")
        lines.append(f"up to      {build['as_of']}")
    if not found["streams"]:
        lines.append("sources    nothing received yet")
    for row in found["streams"]:
        name = f"{row['connection']}.{row['stream']}"
        failing = f", {row['failing']} of them failing" if row["failing"] else ""
        lines.append(
            f"source     {name}: {row['scopes']} scopes{failing}, "
            f"last complete {ago(row['last_success_at'])}, {row['requests']:,} requests"
        )
        if row["last_error"]:
            lines.append(f"           {row['last_error']}")
    return "\n".join(lines)
