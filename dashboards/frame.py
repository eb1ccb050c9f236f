"""What every page has in common: its context, heading, tables, footer and missing-data texts."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import words
from dashboards.queries import Build, Queries, Scope, Span

_KEY: Final = "leadline_page"
_GO: Final = "leadline_go"

CONNECT: Final = {
    "github": """[connections.github]
organisation = "your-organisation"
token = { env = "GITHUB_TOKEN" }""",
    "git": """[connections.git]
repositories = ["/path/to/a/clone", "https://git.example.com/team/service.git"]""",
    "jira": """[connections.jira]
base_url = "https://your-site.atlassian.net"
email = "you@example.com"
token = { env = "JIRA_TOKEN" }""",
    "deployments": """[deployments]
production = ["prod", "production", "live"]

[[deployments.rules]]
repository = "*"
origin = "ci"
pattern = "^deploy"
environment = "production\"""",
    "requests": """[requests]
infrastructure_team = ["Platform"]
projects = ["INFRA"]

[[teams]]
name = "Platform"
people = ["octocat", "ada@example.com"]""",
    "units": """# What several teams run on, where no catalog or deployment tells …
[[shared_units]]
name = "prod-eu"
kind = "cluster"
services = ["checkout", "payments-*"]

# … and who owns the services.
[[teams]]
name = "Checkout"
repositories = ["payments-*"]""",
    "portal": """[connections.backstage]
base_url = "https://portal.example.com"
token = { env = "BACKSTAGE_TOKEN" }""",
    "setup": """# Which tickets ask for a new service, or that nobody has to ask.
[setup]
request_types = ["New service"]
setup_requests = "tickets"  # or "none\"""",
    "audits": """[[connections.files.tables]]
path = "audits.csv"
record = "audit_result"
zone = "UTC"

[connections.files.tables.columns]
audit_id = "audit"
performed_at = "date"
control = "control"
team = "team"
observed = "found"
is_pass = "passed"

[[teams]]
name = "Payments"
repositories = ["payments-*"]""",
    "incidents": """# Tickets that are incidents …
[incidents]
ticket_types = ["Incident"]

# … or incidents from a file.
[[connections.files.tables]]
path = "incidents.csv"
record = "incident"

[connections.files.tables.columns]
incident_id = "id"
service_hint = "service"
title = "title"
created_at = "opened"
started_at = "started"
resolved_at = "resolved\"""",
}


@dataclass(frozen=True, kw_only=True)
class Page:
    """The build that is shown, the selection, and the names that go with it."""

    queries: Queries
    build: Build
    scope: Scope
    span: Span
    title: str
    selection: str
    service_count: int
    now: datetime

    @property
    def period_words(self) -> str:
        """The selected period in words: '91 days to Sunday 15 November 2026'."""
        last = self.span.end - timedelta(days=1)
        return f"{words.PERIODS[self.scope.period]} to {words.day(last)}"


def publish(page: Page) -> None:
    """Make the page's context known to the view that runs next."""
    st.session_state[_KEY] = page


def current() -> Page:
    """Return the context of the page being shown."""
    page = st.session_state[_KEY]
    assert isinstance(page, Page)  # noqa: S101  # app.py publishes it before any view runs
    return page


def go(view: str, filters: dict[str, str], parameters: dict[str, str] | None = None) -> None:
    """Set filters as if they had been chosen in the sidebar, and open a page with them.

    `parameters` go into the address of the page. Called when a button is pressed, before the page
    runs again: the page that holds the button may not show it any more under the new filters, so
    app.py does the opening.
    """
    for name, identity in filters.items():
        st.session_state[name] = identity
    st.session_state[_GO] = (view, parameters or {})


def asked_view() -> tuple[str, dict[str, str]] | None:
    """Return the page that a button asked for and what its address says, once."""
    asked = st.session_state.pop(_GO, None)
    return asked if isinstance(asked, tuple) else None


def walk_button(what: str, identity: str, label: str | None = None) -> None:
    """Show a button to the walk-through of one change or deployment."""
    st.button(
        label or f"How this {what} is counted, step by step",
        icon=":material/footprint:",
        key=f"walk-{what}-{identity}",
        on_click=go,
        args=("views/walk_through.py", {}, {what: identity}),
    )


def heading(page: Page, answer: str, sure: str, *, parts: list[str] | None = None) -> None:
    """Show the sentence that answers the page's question, and how sure it is."""
    eyebrow = parts if parts is not None else [page.period_words, page.selection]
    above = " · ".join([page.title, *eyebrow, f"built {words.ago(page.build.built_at, page.now)}"])
    st.html(
        f'<div class="ll-eyebrow">{words.html_text(above)}</div>'
        f'<h1 class="ll-answer">{words.html_text(answer)}</h1>'
        f'<div class="ll-sure">{words.html_text(sure)}</div>'
    )


def missing(page: Page, *, what: str, needs: str, snippets: list[str]) -> None:
    """Say that a page has no data, why, and which lines would change that."""
    heading(page, f"No {what} to show yet", needs, parts=[page.selection])
    scope = page.scope
    if scope.team_id or scope.service_id or scope.environment != "production":
        st.info(
            "This is one selection: other teams, services or environments may have some. The "
            "lines below help where nothing has.",
            icon=":material/filter_alt:",
        )
    with st.container(border=True):
        st.subheader("What to connect", anchor=False)
        st.markdown(
            "Add these lines to `leadline.toml`, then run `leadline sync` and `leadline build`."
        )
        for name in snippets:
            st.code(CONNECT[name], language="toml")
        st.markdown("`leadline doctor` says what each source gives and what is still missing.")


def card(title: str, caption: str) -> Any:
    """Open a bordered card as high as its neighbours, with a title and what it shows."""
    box = st.container(border=True, height="stretch")
    box.html(
        f'<div class="ll-title">{words.html_text(title)}</div>'
        f'<div class="ll-sub">{words.html_text(caption)}</div>'
    )
    return box


@dataclass(frozen=True, kw_only=True)
class Download:
    """A table a reader may take home; rows are fetched when the button is pressed."""

    name: str
    rows: Callable[[], pl.DataFrame]


def footer(
    page: Page, *, metrics: list[str], n: str, left_out: str, downloads: list[Download]
) -> None:
    """Show definition, SQL, sample, what is left out, build time and downloads in one line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        definitions = page.queries.definitions(metrics) if metrics else None
        if definitions is not None and not definitions.is_empty():
            with st.popover("Definition · SQL", type="tertiary", icon=":material/menu_book:"):
                _definitions(definitions)
                st.page_link(
                    "views/definitions.py",
                    label="All definitions",
                    icon=":material/arrow_forward:",
                )
        with st.popover("Download", type="tertiary", icon=":material/download:"):
            for download in downloads:
                _download(page, download)
        built = words.moment(page.build.built_at, page.build.zone)
        st.caption(
            words.plain(
                f"{n} · left out: {left_out} · built {built} in {page.build.seconds:.1f} s"
                f" · times in {page.build.zone.key}"
            )
        )


def _definitions(definitions: pl.DataFrame) -> None:
    for row in definitions.iter_rows(named=True):
        st.markdown(f"**{words.plain(row['title'])}** · version {row['version']}")
        st.markdown(words.plain(row["words"]))
        if row["parameters"]:
            st.caption(words.plain(row["parameters"]))
        if row["sql"]:
            st.code(row["sql"], language="sql", wrap_lines=True)


def _download(page: Page, download: Download) -> None:
    stem = f"leadline-{download.name.replace(' ', '-')}-{page.scope.period}"
    st.markdown(f"**{words.plain(download.name.capitalize())}**")
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            data=lambda: to_csv(download.rows()),
            file_name=f"{stem}.csv",
            mime="text/csv",
            key=f"{stem}-csv",
            on_click="ignore",
        )
        st.download_button(
            "Parquet",
            data=lambda: to_parquet(download.rows()),
            file_name=f"{stem}.parquet",
            mime="application/vnd.apache.parquet",
            key=f"{stem}-parquet",
            on_click="ignore",
        )


def to_csv(rows: pl.DataFrame) -> bytes:
    """Return rows as CSV in which no text is taken for a formula."""
    flat = rows.with_columns(
        pl.col(name).list.eval(pl.element().cast(pl.String)).list.join("; ")
        for name, kind in rows.schema.items()
        if isinstance(kind, pl.List)
    )
    guarded = flat.with_columns(
        pl.col(name).map_elements(words.guard_formula, return_dtype=pl.String)
        for name, kind in flat.schema.items()
        if kind == pl.String
    )
    return guarded.write_csv().encode()


def to_parquet(rows: pl.DataFrame) -> bytes:
    """Return rows as Parquet."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()


def now() -> datetime:
    """Return the present moment; pages only use it to say how old something is."""
    return datetime.now(UTC)


def left_out_words(left_out: pl.DataFrame) -> str:
    """Return what is left out and why, in a few words."""
    if left_out.is_empty():
        return "nothing"
    return ", ".join(f"{changes:,} {reason}" for reason, changes in left_out.iter_rows())
