"""What each request is about: its request type, else its type or component, else its words."""

import polars as pl

TABLES = {
    "ticket_category": """
        One row per request to the platform team, with the category it belongs to: the request
        type it was given; else its ticket type, unless that says nothing; else its first
        component; else the group of tickets with like titles. Spellings that differ only in case
        are one.
        key: ticket_id
        not null: category, method
        check: method in ('request type', 'ticket type', 'component', 'words')
        references: ticket_id -> platform_request.ticket_id
    """
}

INPUTS = {
    "requests": """
        select ticket_id, title, trim(request_type) as request_type, trim(type) as type,
            trim(list_sort(components)[1]) as component
        from platform_request
    """
}

# Types that say that it is a ticket, not what for.
GENERIC_TYPES = (
    *("task", "story", "sub-task", "subtask", "epic", "bug", "issue", "ticket", "request"),
    *("improvement", "new feature", "feature", "spike", "incident", "problem", "change"),
    *("question", "support", "service request", "[system] service request", "it help"),
    *("service request with approvals", "[system] service request with approvals"),
)


def model(requests: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Take the first of the ways that says something; titles are grouped only where none does."""
    given, kind, component = (
        pl.when(pl.col(name).str.len_chars() > 0).then(name)
        for name in ("request_type", "type", "component")
    )
    kind = pl.when(~kind.str.to_lowercase().is_in(GENERIC_TYPES)).then(kind)
    named = requests.select(
        "ticket_id",
        "title",
        said=pl.coalesce(given, kind, component),
        method=pl.when(given.is_not_null())
        .then(pl.lit("request type"))
        .when(kind.is_not_null())
        .then(pl.lit("ticket type"))
        .when(component.is_not_null())
        .then(pl.lit("component"))
        .otherwise(pl.lit("words")),
    ).sort("ticket_id")
    silent = named.filter(pl.col("said").is_null())
    words = pl.DataFrame(schema={"ticket_id": pl.String, "group": pl.String})
    if not silent.is_empty():
        from pipelines.ticket_words import groups

        found = groups(silent["title"].to_list())
        words = silent.select("ticket_id").with_columns(group=pl.Series(found, dtype=pl.String))
    spelled = (
        named.join(words, on="ticket_id", how="left")
        .with_columns(written=pl.coalesce("said", "group"))
        .with_columns(folded=pl.col("written").str.to_lowercase())
    )
    usual = (
        spelled.group_by("folded", "written")
        .agg(tickets=pl.len())
        .sort("tickets", "written", descending=[True, False])
        .group_by("folded", maintain_order=True)
        .agg(category=pl.col("written").first())
    )
    return {
        "ticket_category": spelled.join(usual, on="folded")
        .select("ticket_id", "category", "method")
        .sort("ticket_id")
    }
