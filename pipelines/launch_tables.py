"""The series of each launch, put together from the tables of a build, and its finished rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from pipelines.deflection import Floats
from pipelines.handling import pooled

ALL: Final = "all of its categories"

DEFLECTION_SCHEMA: Final[dict[str, Any]] = {
    "launch": pl.String,
    "category": pl.String,
    "is_total": pl.Boolean,
    "launched_on": pl.Date,
    "teams": pl.List(pl.String),
    "state": pl.String,
    "wording": pl.String,
    "reason": pl.String,
    "method": pl.String,
    "comparison": pl.String,
    "comparison_reason": pl.String,
    "together_with": pl.List(pl.String),
    "is_claimed": pl.Boolean,
    "is_trend_used": pl.Boolean,
    "weeks_before": pl.Int64,
    "weeks_after": pl.Int64,
    "adoption_weeks": pl.Int64,
    "tickets_before": pl.Int64,
    "tickets_after": pl.Int64,
    "engineers_before": pl.Float64,
    "engineers_after": pl.Float64,
    "rate_before": pl.Float64,
    "rate_after": pl.Float64,
    "expected": pl.Float64,
    "avoided": pl.Float64,
    "avoided_low": pl.Float64,
    "avoided_high": pl.Float64,
    "deflection_rate": pl.Float64,
    "deflection_low": pl.Float64,
    "deflection_high": pl.Float64,
    "level_rate": pl.Float64,
    "trend_rate": pl.Float64,
    "slope_change": pl.Float64,
    "smallest_drop": pl.Float64,
    "dispersion": pl.Float64,
    "autocorrelation": pl.Float64,
    "elimination": pl.String,
    "rule_of_three": pl.Float64,
    "displaced": pl.Float64,
    "displaced_low": pl.Float64,
    "displaced_high": pl.Float64,
    "handling_hours": pl.Float64,
    "handling_n": pl.Int64,
    "handling_source": pl.String,
    "handling_reason": pl.String,
    "hours_returned": pl.Float64,
    "hours_low": pl.Float64,
    "hours_high": pl.Float64,
    "attempts": pl.Int64,
    "actions": pl.Int64,
    "actions_ok": pl.Int64,
    "failed_actions": pl.Int64,
    "self_service_ratio": pl.Float64,
    "failed_share": pl.Float64,
}
WEEK_SCHEMA: Final[dict[str, Any]] = {
    "launch": pl.String,
    "category": pl.String,
    "week": pl.Date,
    "phase": pl.String,
    "tickets": pl.Int64,
    "engineers": pl.Float64,
    "actions": pl.Int64,
    "expected": pl.Float64,
    "expected_low": pl.Float64,
    "expected_high": pl.Float64,
}


@dataclass(slots=True)
class Sources:
    """What the launches are assessed from; see the inputs of the model `deflection`."""

    launches: pl.DataFrame
    weeks: pl.DataFrame
    tickets: pl.DataFrame
    engineers: pl.DataFrame
    actions: pl.DataFrame
    handled: pl.DataFrame

    def assessed(self, launch: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[Any]]]:
        """One row and its weeks for each category of a launch, then for all of them together."""
        named = [self._spelled(name) for name in launch["categories"]]
        for category in dict.fromkeys(named):
            yield self._row(launch, category, [category], named)
        if len(set(named)) > 1:
            yield self._row(launch, ALL, named, named)

    def _row(
        self, launch: dict[str, Any], name: str, categories: list[str], touched: list[str]
    ) -> tuple[dict[str, Any], list[Any]]:
        from pipelines.launch_effect import Bounds, History, assess

        comparison, words, refused = self._comparison(launch, categories)
        teams = launch["team_ids"] or None
        bounds = Bounds(
            launched_on=launch["launched_on"],
            adoption_weeks=launch["adoption_weeks"],
            as_of=launch["as_of"],
            **self._neighbours(launch, categories),
        )
        others = pl.col("category").is_in([*touched, *self._compared(launch)]).not_()
        history = History(
            weeks=self.weeks["week"].to_list(),
            tickets=self._series(self._of(self.tickets, categories), "tickets", teams),
            engineers=self._engineers(teams),
            others=self._series(self.tickets.filter(others), "tickets", teams),
            comparison=comparison,
            comparison_words=words,
            headcount_ratio=self._headcount_ratio(launch) if words == _OTHER_TEAMS else None,
        )
        found = assess(history, bounds, name if name != ALL else "its categories")
        done = self._actions(categories, teams, bounds.after_week)
        handling = pooled(self.handled, categories, name)
        row = {
            "launch": launch["launch"],
            "category": name,
            "is_total": name == ALL,
            "launched_on": launch["launched_on"],
            "teams": launch["teams"],
            "adoption_weeks": launch["adoption_weeks"],
            "state": found.state,
            "wording": found.wording,
            "reason": found.reason,
            "comparison": words,
            "comparison_reason": refused,
            "together_with": self._together(launch, categories),
            **{key: value for key, value in found.numbers.items() if key in DEFLECTION_SCHEMA},
            **{key: handling[key] for key in handling if key != "category"},
            **done,
        }
        _add_hours(row)
        return _whole(row, DEFLECTION_SCHEMA), self._weeks_of(row, history, found, categories)

    def _weeks_of(
        self, row: dict[str, Any], history: Any, found: Any, categories: list[str]
    ) -> list[dict[str, Any]]:
        teams = [f"team:{name.lower()}" for name in row["teams"]] or None
        actions = self._series(self._of(self.actions, categories), "actions", teams)
        rows = []
        for index, week in enumerate(history.weeks):
            expected = found.expected.get(week, (None, None, None))
            people = float(history.engineers[index])
            rows.append(
                {
                    "launch": row["launch"],
                    "category": row["category"],
                    "week": week,
                    "phase": found.phases[index],
                    "tickets": int(history.tickets[index]),
                    "engineers": people if np.isfinite(people) else None,
                    "actions": int(actions[index]),
                    "expected": expected[0],
                    "expected_low": expected[1],
                    "expected_high": expected[2],
                }
            )
        return rows

    def _spelled(self, name: str) -> str:
        """A category as the tickets spell it, or else as the settings do."""
        known = self.tickets.filter(pl.col("category").str.to_lowercase() == name.lower())
        return str(known["category"].min()) if known.height else name

    def _compared(self, launch: dict[str, Any]) -> list[str]:
        return [self._spelled(name) for name in launch["comparison"]]

    def _comparison(
        self, launch: dict[str, Any], categories: list[str]
    ) -> tuple[Floats | None, str | None, str | None]:
        """Series, its name, and why there is none although one was asked for."""
        teams = launch["team_ids"]
        if launch["comparison"]:
            names = self._compared(launch)
            series = self._series(self._of(self.tickets, names), "tickets", teams or None)
            words = ", ".join(names)
            moved = [name for name in names if self._is_touched(name, launch)]
            if moved:
                return None, None, f"{', '.join(moved)} had a launch of its own in the same time"
        elif teams:
            own = self._of(self.tickets, categories)
            series = self._series(own, "tickets", None) - self._series(own, "tickets", teams)
            words = _OTHER_TEAMS
        else:
            return None, None, None
        from pipelines.launch_effect import LEAST_COMPARISON

        if series.size == 0 or series.mean() < LEAST_COMPARISON:
            return (
                None,
                None,
                f"{words}: under {LEAST_COMPARISON:g} requests a week to compare with",
            )
        return series, words, None

    def _is_touched(self, category: str, launch: dict[str, Any]) -> bool:
        """Whether another launch within a year of this one was meant for a category."""
        return any(
            category.lower() in [name.lower() for name in other["categories"]]
            and abs(other["launched_on"] - launch["launched_on"]) <= timedelta(days=365)
            for other in self.launches.iter_rows(named=True)
            if other["ordinal"] != launch["ordinal"]
        )

    def _neighbours(self, launch: dict[str, Any], categories: list[str]) -> dict[str, date | None]:
        """Other launches of the same categories: after the former's, until the next one's week."""
        folded = {name.lower() for name in categories}
        former: list[date] = []
        following: list[date] = []
        for other in self.launches.iter_rows(named=True):
            week = _monday(other["launched_on"])
            if not folded & {name.lower() for name in other["categories"]}:
                continue
            if week < _monday(launch["launched_on"]):
                former.append(week + timedelta(weeks=launch["adoption_weeks"]))
            elif week > _monday(launch["launched_on"]):
                following.append(week)
        return {"from_week": max(former, default=None), "until_week": min(following, default=None)}

    def _together(self, launch: dict[str, Any], categories: list[str]) -> list[str]:
        """Other launches of the same categories in the same week: nobody can tell them apart."""
        folded = {name.lower() for name in categories}
        return [
            other["launch"]
            for other in self.launches.iter_rows(named=True)
            if other["ordinal"] != launch["ordinal"]
            and _monday(other["launched_on"]) == _monday(launch["launched_on"])
            and folded & {name.lower() for name in other["categories"]}
        ]

    def _engineers(self, teams: list[str] | None) -> Floats:
        """Engineers a week; NaN where the history cannot tell, or there are none to ask."""
        found = self._series(self.engineers, "engineers", teams)
        return np.where(found > 0, found, np.nan)

    def _headcount_ratio(self, launch: dict[str, Any]) -> Floats:
        own = self._engineers(launch["team_ids"])
        rest = self._series(self.engineers, "engineers", None) - np.nan_to_num(own)
        ratio: Floats = own / np.where(rest > 0, rest, np.nan)
        return ratio

    def _actions(
        self, categories: list[str], teams: list[str] | None, since: date
    ) -> dict[str, Any]:
        rows = _of_teams(self._of(self.actions, categories), teams).filter(pl.col("week") >= since)
        names = ("attempts", "actions", "actions_ok", "failed")
        attempts, actions, helped, failed = (int(rows[name].sum() or 0) for name in names)
        asked = _of_teams(self._of(self.tickets, categories), teams)
        tickets = int(asked.filter(pl.col("week") >= since)["tickets"].sum() or 0)
        return {
            "attempts": attempts,
            "actions": actions,
            "actions_ok": helped,
            "failed_actions": failed,
            "self_service_ratio": helped / (helped + tickets)
            if attempts and helped + tickets
            else None,
            "failed_share": failed / attempts if attempts else None,
        }

    def _of(self, rows: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
        return rows.filter(pl.col("category").is_in(categories))

    def _series(self, rows: pl.DataFrame, name: str, teams: list[str] | None) -> Floats:
        counted = _of_teams(rows, teams).group_by("week").agg(pl.col(name).sum())
        placed = self.weeks.join(counted, on="week", how="left", maintain_order="left")
        return placed[name].fill_null(0).cast(pl.Float64).to_numpy()


_OTHER_TEAMS: Final = "the teams that do not have it yet"


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _of_teams(rows: pl.DataFrame, teams: list[str] | None) -> pl.DataFrame:
    if teams is None:
        return rows
    return rows.filter(pl.col("team_ids").list.eval(pl.element().is_in(teams)).list.any())


def _add_hours(row: dict[str, Any]) -> None:
    mean = row["handling_hours"]
    for told, name in (
        ("hours_returned", "avoided"),
        ("hours_low", "avoided_low"),
        ("hours_high", "avoided_high"),
    ):
        avoided = row.get(name)
        row[told] = None if mean is None or avoided is None else mean * avoided


def _whole(row: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in schema}
