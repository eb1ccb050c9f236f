"""The filters at the top of the sidebar; each lives in the URL under its own name."""

from typing import Final

import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.queries import Queries, Scope

_DEFAULT_PERIOD: Final = "91d"
_ALL: Final = ""


def show(queries: Queries, *, title: str) -> frame.Page:
    """Show the filters and return the context of the page they select."""
    asked = st.query_params.to_dict()
    ignored: list[str] = []
    build = queries.build()
    teams, services = queries.teams(), queries.services()

    def choice(label: str, options: dict[str, str], default: str = _ALL) -> str:
        key = label.lower()
        if key in asked and asked[key] not in options.values():
            ignored.append(key)
        ids = list(options)
        chosen = st.selectbox(
            label,
            ids,
            index=ids.index(default),
            format_func=lambda option: options.get(option, option),
            key=key,
            bind="query-params",
        )
        return default if chosen is None else chosen

    with st.sidebar:
        period = choice("Period", _periods(), _DEFAULT_PERIOD)
        team_id = choice("Team", _team_names(teams))
        of_team = services if not team_id else services.filter(pl.col("team_id") == team_id)
        service_id = choice("Service", _service_names(of_team))
        environments = queries.environments() or ["production"]
        environment = choice(
            "Environment", {name: name.capitalize() for name in environments}, environments[0]
        )
        st.caption(words.plain(build.organisation))
    if ignored:
        st.info(
            f"The address asked for an unknown {words.listed(ignored)}: ignored. "
            "The other filters apply.",
            icon=":material/filter_alt_off:",
        )
    # Where a selection holds one service only, that service says more than a view of services.
    only = of_team["service_id"].item() if of_team.height == 1 else None
    scope = Scope(
        period=period,
        environment=environment,
        team_id=team_id or None,
        service_id=service_id or only,
    )
    return frame.Page(
        queries=queries,
        build=build,
        scope=scope,
        span=queries.span(scope, build),
        title=title,
        selection=_selection(scope, teams, of_team),
        service_count=1 if service_id else of_team.height,
        now=frame.now(),
    )


def _periods() -> dict[str, str]:
    return {period: f"Last {text}" for period, text in words.PERIODS.items()}


def _team_names(teams: pl.DataFrame) -> dict[str, str]:
    return {_ALL: _all(teams.height, "team")} | _unique(
        teams.select("team_id", "name", pl.col("team_id").alias("hint"))
    )


def _service_names(services: pl.DataFrame) -> dict[str, str]:
    return {_ALL: _all(services.height, "service")} | _unique(
        services.select("service_id", "name", pl.col("repository_key").alias("hint"))
    )


def _all(number: int, noun: str) -> str:
    return f"All {words.count(number, noun)}" if number else f"No {noun}s known"


def _unique(rows: pl.DataFrame) -> dict[str, str]:
    """Name things so that no two look alike: the name stands in the URL too."""
    names = [words.one_line(name or "unnamed") for name in rows["name"].to_list()]
    return {
        str(identity): name if names.count(name) == 1 else f"{name} ({hint})"
        for (identity, _, hint), name in zip(rows.iter_rows(), names, strict=True)
    }


def _selection(scope: Scope, teams: pl.DataFrame, services: pl.DataFrame) -> str:
    if scope.service_id is not None:
        name = services.filter(pl.col("service_id") == scope.service_id)["name"]
        return f"service {name.item() if name.len() else scope.service_id}"
    counted = words.count(services.height, "service")
    if scope.team_id is not None:
        name = teams.filter(pl.col("team_id") == scope.team_id)["name"]
        return f"team {name.item() if name.len() else scope.team_id} · {counted}"
    return f"all teams · {counted}"
