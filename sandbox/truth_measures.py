"""The failure side of the five metrics per service and period, counted from the truth's frames."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.truth import Truth

MATURITY = timedelta(days=7)
INCIDENT_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Release:
    """The k-th deployment of a commit in each production environment of a service."""

    service_id: int
    live_at: datetime  # in the first of them
    failures: tuple[Mapping[str, Any], ...]
    rework: Mapping[str, Any]  # of the first


@dataclass(frozen=True, slots=True)
class Measures:
    """What one service came to in one period."""

    deployments: int  # D
    mature: int  # those old enough to have shown whether they failed
    failed: int
    failed_high: int
    rework: int
    unknown: int
    recoveries_us: tuple[int | None, ...]  # of failures by date, None while open


def releases(truth: Truth) -> list[Release]:
    """Every release that counts, of all services."""
    sha: dict[tuple[str, str], str] = {}
    for row in truth.deployments.iter_rows(named=True):
        if row["live_at"] is not None:
            sha[row["deployment_key"], row["environment"]] = row["sha"]
    rework = sorted(
        truth.rework.join(
            truth.deployments.select("deployment_key", "environment", "live_at"),
            on=["deployment_key", "environment"],
        ).iter_rows(named=True),
        key=lambda row: (row["live_at"], row["deployment_key"]),
    )
    failures = {
        (row["deployment_key"], row["environment"]): row
        for row in truth.failures.iter_rows(named=True)
    }
    seen: dict[tuple[int, str, str], int] = defaultdict(int)
    members: dict[tuple[int, str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rework:
        commit = sha[row["deployment_key"], row["environment"]]
        turn = (row["service_id"], row["environment"], commit)
        seen[turn] += 1
        members[row["service_id"], commit, seen[turn]].append(row)
    return [
        Release(
            service_id=key[0],
            live_at=rows[0]["live_at"],
            failures=tuple(
                failures[place]
                for row in rows
                if (place := (row["deployment_key"], row["environment"])) in failures
            ),
            rework=rows[0],
        )
        for key, rows in members.items()
    ]


def measures(truth: Truth, start: datetime, end: datetime, as_of: datetime) -> dict[int, Measures]:
    """By service, over releases live within [start, end)."""
    found: dict[int, list[Release]] = defaultdict(list)
    for release in releases(truth):
        if start <= release.live_at < end:
            found[release.service_id].append(release)
    return {service: _measured(inside, as_of) for service, inside in found.items()}


def _measured(inside: list[Release], as_of: datetime) -> Measures:
    mature = [one for one in inside if one.live_at <= as_of - MATURITY]
    states = [one.rework["state"] for one in inside]
    return Measures(
        deployments=len(inside),
        mature=len(mature),
        failed=sum(bool(one.failures) for one in mature),
        failed_high=sum(any(f["is_high"] for f in one.failures) for one in mature),
        rework=states.count("rework"),
        unknown=states.count("unknown"),
        recoveries_us=tuple(_recoveries(mature)),
    )


def _recoveries(inside: list[Release]) -> Iterator[int | None]:
    for release in inside:
        if release.failures:
            spans = [failure["recovery_us"] for failure in release.failures]
            yield None if None in spans else max(spans)
