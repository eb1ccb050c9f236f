"""Whether audits reveal inconsistent configurations across teams: the audits, and the state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.configuration_decision import (
    AuditSeen,
    Decided,
    Known,
    LiveControl,
    Rules,
    decide,
)
from pipelines.thresholds import CONFIGURATION, MEASURE, VARIANT

TABLES = {
    "configuration_measure": """
        One row per evaluation: the audits of the year before it that found teams configured
        differently, and the state. A count of what there is, no sample: it has no interval.
        trending is "found and fixed".
        key: threshold, evaluated_at
        not null: measured_state, reason, missing
        check: measured_state in ('crossed', 'clear', 'not applicable', 'insufficient', 'trending')
        check: coverage is null or coverage between 0 and 1
        check: measured_state <> 'not applicable' or evidence is not null
        check: value is null or value <= n
    """,
    "configuration_variant": """
        One row per evaluation and alternative definition: without exceptions, over twice the time,
        of critical controls alone, and by audits alone.
        key: threshold, evaluated_at, variant
        not null: state
    """,
}

INPUTS = {
    "scope": """
        select e.evaluated_at, count(t.team_id) as teams,
            count(t.team_id) filter (where t.scanned > 0) as scanned
        from input.evaluation as e
        left join team_scope as t on t.moment_at = e.evaluated_at
        group by e.evaluated_at
    """,
    "audits": """
        select a.evaluated_at, a.audit_id, a.name, a.performed_at, a.age_us, a.finding_controls,
            a.finding_controls_without_exceptions, a.critical_controls, a.reached,
            strftime(a.performed_at at time zone k.zone, '%-d %B %Y') as day
        from audit_standing as a
        cross join input.clock as k
        where a.is_evaluation
    """,
    "live": """
        select l.moment_at as evaluated_at, l.control, l.source, l.title, l.teams,
            l.is_inconsistent, l.is_different, l.is_critical
        from live_control as l
        join configuration_moment as m on m.moment_at = l.moment_at and m.is_evaluation
    """,
    "titles": """
        select control, title from input.control
        union
        select control, min(control_title) from audit_observation
        where control not in (select control from input.control) group by control
    """,
    "rule": """
        select audit_us // 86400000000 as audit_days, findings, scope_share, least_teams
        from input.configuration
    """,
}

_DAY_US = 86_400_000_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Moment:
    """The rows of one evaluation."""

    teams: int
    scanned: int
    audits: list[Row]
    live: list[Row]
    titles: Mapping[str, str]

    def known(self, finding: str, differs: str) -> Known:
        """What is known, with these columns for what an audit found and what a scan shows."""
        audits = tuple(
            AuditSeen(
                name=row["name"],
                day=row["day"],
                age_days=row["age_us"] / _DAY_US,
                findings=tuple(self.titles.get(control, control) for control in row[finding]),
                reached=row["reached"],
            )
            for row in self.audits
        )
        live = tuple(
            LiveControl(row["title"], row["teams"], row[differs], row["is_critical"])
            for row in self.live
        )
        return Known(self.teams, self.scanned, audits, live)


def model(
    scope: pl.DataFrame,
    audits: pl.DataFrame,
    live: pl.DataFrame,
    titles: pl.DataFrame,
    rule: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Decide each evaluation on its own; at most some forty, each of a few audits and controls."""
    rules = Rules(**rule.row(0, named=True))
    names = dict(titles.iter_rows())
    seen = _by_evaluation(audits.sort("performed_at", "audit_id"))
    scanned = _by_evaluation(live.sort("control", "source"))
    measures: list[tuple[object, ...]] = []
    variants: list[tuple[object, ...]] = []
    for at, teams, reached in scope.sort("evaluated_at").iter_rows():
        moment = _Moment(teams, reached, seen.get(at, []), scanned.get(at, []), names)
        measures.append(
            _measure(at, decide(moment.known("finding_controls", "is_inconsistent"), rules), rules)
        )
        variants += [
            (CONFIGURATION, at, name, each.value, None, None, each.n, each.state)
            for name, each in _variants(moment, rules)
        ]
    return {
        "configuration_measure": pl.DataFrame(
            measures, schema=dict(MEASURE), orient="row"
        ).with_columns(pl.col("coverage").round_sig_figs(9)),
        "configuration_variant": pl.DataFrame(variants, schema=dict(VARIANT), orient="row"),
    }


def _variants(moment: _Moment, rules: Rules) -> Iterator[tuple[str, Decided]]:
    usual = moment.known("finding_controls", "is_inconsistent")
    without = moment.known("finding_controls_without_exceptions", "is_different")
    critical = moment.known("critical_controls", "is_inconsistent")
    longer = replace(rules, audit_days=2 * rules.audit_days)
    yield "without exceptions", decide(without, rules)
    yield "over twice the time", decide(usual, longer)
    yield "critical controls only", decide(critical, rules)
    yield "audits alone", decide(replace(usual, live=(), scanned=0), rules)


def _by_evaluation(rows: pl.DataFrame) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["evaluated_at"], []).append(row)
    return found


def _measure(at: object, decided: Decided, rules: Rules) -> tuple[object, ...]:
    return (
        *(CONFIGURATION, at, decided.value, "audits", None, None, float(rules.findings), decided.n),
        *(decided.state, decided.direction, decided.reason, list(decided.missing)),
        *(decided.evidence, decided.coverage, decided.coverage_text, rules.text),
    )
