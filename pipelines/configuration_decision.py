"""The third threshold decided at one moment, from what audits and live scans had shown by then."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters, from the settings."""

    audit_days: int
    findings: int
    scope_share: float
    least_teams: int

    @property
    def text(self) -> str:
        """As they are printed with every verdict."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class AuditSeen:
    """An audit as it stands at the moment: the controls on which teams differ, and its reach."""

    name: str
    day: str
    age_days: float
    findings: tuple[str, ...]
    reached: int

    @property
    def is_clean(self) -> bool:
        """Whether it shows no inconsistency."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class LiveControl:
    """What live scans show of a control: how many teams, and whether they differ."""

    title: str
    teams: int
    is_inconsistent: bool
    is_critical: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that is known at a moment; audits oldest first."""

    teams: int
    scanned: int
    audits: tuple[AuditSeen, ...]
    live: tuple[LiveControl, ...]


class Decided(NamedTuple):
    """The state of the threshold, and why."""

    state: str
    reason: str
    value: int | None
    n: int
    direction: str | None = None
    missing: tuple[str, ...] = ()
    evidence: str | None = None
    coverage: float | None = None
    coverage_text: str | None = None


_REGISTER = "an audit register: a table of audit_result, or SARIF, under connections.files"
_TEAMS = "teams and the repositories they own"


def decide(known: Known, rules: Rules) -> Decided:
    """The first row of the table of states that holds."""
    audits = tuple(a for a in known.audits if a.age_days < rules.audit_days)
    known = replace(known, audits=audits)
    if known.teams == 0:
        return Decided(
            "insufficient", "No team is known to own anything.", None, 0, missing=(_TEAMS,)
        )
    if known.teams < rules.least_teams:
        own = "1 team owns" if known.teams == 1 else f"{known.teams} teams own"
        said = f"{own} repositories; fewer than {rules.least_teams}"
        value = sum(not a.is_clean for a in audits) if audits else None
        return Decided(
            "not applicable",
            f"{said}: there is little to be inconsistent between.",
            value,
            len(audits),
            evidence=f"{said}.",
        )
    return _by_audits(known, rules) if audits else _by_scan(known, rules)


def _by_audits(known: Known, rules: Rules) -> Decided:
    audits = known.audits
    latest = audits[-1]
    found = [audit for audit in audits if not audit.is_clean]
    coverage = min(1.0, latest.reached / known.teams)
    shared = Decided(
        "insufficient",
        "",
        len(found),
        len(audits),
        coverage=coverage,
        coverage_text=f"{latest.name} reached {latest.reached} of {known.teams} teams",
    )
    if len(found) >= rules.findings and not latest.is_clean:
        return shared._replace(
            state="crossed",
            reason=f"{len(found)} of {_count(len(audits), 'audit')} in {rules.audit_days} days "
            f"found teams configured differently, the latest among them: {latest.name} of "
            f"{latest.day} on {_listed(latest.findings)}.",
        )
    if found:
        return _after_a_finding(known, rules, found[-1], shared)
    if coverage >= rules.scope_share:
        return _clear(shared, latest, known)
    scanned = _by_scan(known, rules)
    if scanned.state == "clear":
        return scanned._replace(value=0, n=len(audits))
    return shared._replace(
        reason=f"No inconsistency in {_count(len(audits), 'audit')}, but the latest reached only "
        f"{latest.reached} of {known.teams} teams. {scanned.reason}",
        direction=scanned.direction or "below",
        missing=(f"an audit of at least {rules.scope_share:.0%} of the teams",),
    )


def _after_a_finding(known: Known, rules: Rules, audit: AuditSeen, shared: Decided) -> Decided:
    """What became of the newest finding: still shown, cleared by a later audit, fixed, unknown."""
    latest = known.audits[-1]
    live = _standing(known, audit.findings, rules)
    told = f"{audit.name} of {audit.day} found {_listed(audit.findings)} inconsistent"
    if live.shown:
        return shared._replace(
            state="crossed",
            reason=f"{told}, and the live scan still shows it on {_listed(live.shown)}.",
        )
    if latest.is_clean and latest.reached >= rules.scope_share * known.teams:
        return _clear(shared, latest, known)
    if live.unscanned:
        return shared._replace(
            reason=f"{told}; no live scan of {_listed(live.unscanned)} says whether it still is.",
            direction="above",
            missing=tuple(
                f"a live scan of {name}: a category of practices, or rules of a scanner under "
                "configuration.controls"
                for name in live.unscanned
            ),
        )
    return shared._replace(
        state="trending", reason=f"Found and fixed: {told}, the live scan shows it fixed."
    )


def _clear(shared: Decided, latest: AuditSeen, known: Known) -> Decided:
    return shared._replace(
        state="clear",
        reason=f"The latest audit, {latest.name} of {latest.day}, reached {latest.reached} of "
        f"{known.teams} teams and found none configured differently.",
    )


def _by_scan(known: Known, rules: Rules) -> Decided:
    """Without an audit: clear only where scans reach enough teams and see a critical control."""
    coverage = min(1.0, known.scanned / known.teams)
    reach = f"The live scan reaches {known.scanned} of {known.teams} teams"
    critical = [c for c in known.live if c.is_critical and c.teams > 1]
    differing = sorted({c.title for c in critical if c.is_inconsistent})
    shared = Decided(
        "insufficient", "", None, 0, coverage=coverage, coverage_text=reach.replace("The ", "the ")
    )
    if coverage < rules.scope_share:
        return shared._replace(
            reason=f"No audit in {rules.audit_days} days. {reach}, too few to stand in for one.",
            missing=(_REGISTER, "the repositories of the other teams, for the practice inventory"),
        )
    if differing:
        return shared._replace(
            reason=f"No audit in {rules.audit_days} days. {reach} and shows "
            f"{_listed(differing)} inconsistent: a proxy, an audit decides.",
            direction="above",
            missing=(_REGISTER,),
        )
    if not critical:
        return shared._replace(
            reason=f"No audit in {rules.audit_days} days. {reach}, and no critical control is "
            "seen at two of them.",
            missing=(_REGISTER,),
        )
    seen = _listed(sorted({f"{c.title} ({_count(c.teams, 'team')})" for c in critical}))
    return shared._replace(
        state="clear",
        reason=f"Clear by scan: no audit in {rules.audit_days} days. {reach} and shows no "
        f"inconsistent critical control, of {seen}.",
    )


class _Standing(NamedTuple):
    """The controls an audit found inconsistent: still shown, and not seen by any scan."""

    shown: list[str]
    unscanned: list[str]


def _standing(known: Known, controls: Sequence[str], rules: Rules) -> _Standing:
    """Any scan may show a control still inconsistent; only one of enough teams shows it fixed."""
    shown, unscanned = [], []
    for name in controls:
        scans = [each for each in known.live if each.title == name]
        if any(each.is_inconsistent for each in scans):
            shown.append(name)
        elif not any(each.teams >= rules.scope_share * known.teams for each in scans):
            unscanned.append(name)
    return _Standing(shown, unscanned)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Sequence[str]) -> str:
    """Names as people list them, at most four."""
    shown = list(names[:4])
    if len(names) > 4:
        return f"{', '.join(shown)} and {len(names) - 4} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
