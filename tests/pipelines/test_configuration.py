"""The third threshold: spread of practices, findings of audits, every state there is."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.records import Audit, AuditResult, Record
from tests.pipelines.configuration_stories import (
    audit,
    finding,
    key,
    name,
    organisation,
    scan,
    settings,
)
from tests.pipelines.stories import Story, hour, tell

SAME = dict.fromkeys(range(4), "Vault")
MIXED = {0: "Vault", 1: "Vault", 2: "env files", 3: "Vault"}
SECRETS = "secrets_management"


def agreeing(approach: str = "vault", teams: int = 4, **more: Any) -> list[Record]:
    """Every team scanned, all with one approach to secrets."""
    return [row for i in range(teams) for row in scan(i, {SECRETS: [approach]}, **more)]


def differing(**more: Any) -> list[Record]:
    """Every team scanned, one of them with another approach."""
    return [*scan(0, {SECRETS: ["sops"]}, **more), *agreeing(**more)[2:]]


def state(story: Story) -> tuple[str, float | None, int, str | None]:
    """The last evaluation."""
    (row,) = story.ask(
        "select measured_state, value, n, direction from configuration_measure "
        "order by evaluated_at desc limit 1"
    )
    return row


def told(story: Story) -> str:
    """Why the last evaluation came out as it did."""
    ((reason,),) = story.ask(
        "select reason from configuration_measure order by evaluated_at desc limit 1"
    )
    return str(reason)


STATES: dict[str, tuple[int, list[list[Record]], tuple[str, float | None, int, str | None]]] = {
    "two with a finding, the latest not clean": (
        4,
        [audit("Q1", MIXED, day=-100), audit("Q2", MIXED)],
        ("crossed", 2, 2, None),
    ),
    "two with a finding, but a clean one of all teams after them": (
        4,
        [audit("Q1", MIXED, day=-200), audit("Q2", MIXED, day=-100), audit("Q3", SAME)],
        ("clear", 2, 3, None),
    ),
    "one with a finding, the live scan still shows it": (
        4,
        [audit("Q1", MIXED), differing()],
        ("crossed", 1, 1, None),
    ),
    "one with a finding, no scan of that control": (
        4,
        [audit("Q1", MIXED), *(scan(i, {"ci_cd": ["jenkins"]}) for i in range(4))],
        ("insufficient", 1, 1, "above"),
    ),
    "one with a finding, too few teams scanned to say that it is fixed": (
        4,
        [audit("Q1", MIXED), agreeing(teams=2)],
        ("insufficient", 1, 1, "above"),
    ),
    "one with a finding, the scan shows it fixed": (
        4,
        [audit("Q1", MIXED), agreeing()],
        ("trending", 1, 1, None),
    ),
    "the latest clean, of enough teams": (4, [audit("Q1", SAME)], ("clear", 0, 1, None)),
    "the latest clean, of too few teams": (
        4,
        [audit("Q1", {0: "Vault", 1: "Vault"})],
        ("insufficient", 0, 1, "below"),
    ),
    "none, a scan of enough teams shows no inconsistent critical control": (
        4,
        [agreeing()],
        ("clear", None, 0, None),
    ),
    "none, a scan shows a critical control inconsistent": (
        4,
        [differing()],
        ("insufficient", None, 0, "above"),
    ),
    "none, a scan of too few teams": (4, [agreeing(teams=3)], ("insufficient", None, 0, None)),
    "none, a scan that sees no critical control": (
        4,
        [[row for i in range(4) for row in scan(i, {"ci_cd": ["jenkins"]})]],
        ("insufficient", None, 0, None),
    ),
    "nothing at all": (4, [], ("insufficient", None, 0, None)),
    "fewer than three teams": (2, [audit("Q1", {0: "a", 1: "b"})], ("not applicable", 1, 1, None)),
    "one team": (1, [], ("not applicable", None, 0, None)),
    "no team": (0, [], ("insufficient", None, 0, None)),
    "an audit of more than a year ago": (
        4,
        [audit("Q1", MIXED, day=-380)],
        ("insufficient", None, 0, None),
    ),
}


@pytest.mark.parametrize("case", STATES)
def test_every_row_of_the_table_of_states(tmp_path: Path, case: str) -> None:
    """Each row holds as it is written; what is missing is named wherever it is undecided."""
    teams, records, expected = STATES[case]
    story = tell(tmp_path, organisation(teams), *records, settings=settings(teams))
    assert state(story) == expected
    ((missing, evidence),) = story.ask(
        "select missing, evidence from configuration_measure order by evaluated_at desc limit 1"
    )
    assert bool(missing) == (expected[0] == "insufficient")
    assert bool(evidence) == (expected[0] == "not applicable")
    if evidence:
        assert evidence.startswith("1 team owns " if teams == 1 else f"{teams} teams own ")


def test_an_evaluation_knows_nothing_of_later_audits_and_scans(tmp_path: Path) -> None:
    """The states over time follow what was known: nothing, a finding, and that it was fixed."""
    story = tell(
        tmp_path,
        organisation(4),
        differing(day=-300),
        audit("Q1", MIXED, day=-150),
        agreeing(day=-70),
        settings=settings(4),
    )
    states = [
        row[0]
        for row in story.ask(
            "select measured_state from configuration_measure order by evaluated_at"
        )
    ]
    changes = [each for i, each in enumerate(states) if i == 0 or each != states[i - 1]]
    assert changes == ["insufficient", "crossed", "trending"]


def test_twelve_ways_in_twelve_teams_are_as_different_as_can_be(tmp_path: Path) -> None:
    """G is 1 for twelve in twelve, 0 for equal teams with two tools each."""
    ways = ["vault", "sops", "sealed_secrets", "external_secrets", "aws_secrets_manager", "doppler"]
    ways += ["azure_key_vault", "infisical", "one_password", "git_crypt", "env_file", "ci_secrets"]
    records = [
        row
        for i, way in enumerate(ways)
        for row in scan(i, {SECRETS: [way], "ci_cd": ["jenkins", "github_actions"]})
    ]
    story = tell(tmp_path, organisation(12), records, settings=settings(12))
    rows = story.ask("""
        select category, teams, approaches, effective_shannon, effective_simpson, disagreement,
            modal_share, len(outliers)
        from practice_spread where is_now order by category
    """)
    assert rows[0] == ("ci_cd", 12, 2, 2, 2, 0, 1, 0)
    assert rows[1] == (SECRETS, 12, 12, 12, 12, 1, pytest.approx(1 / 12), 0)


def test_spread_is_what_its_words_say(tmp_path: Path) -> None:
    """By hand: three teams with one tool, one of them with a second; one with another."""
    records = [
        *scan(0, {"ci_cd": ["jenkins"]}),
        *scan(1, {"ci_cd": ["jenkins"]}),
        *scan(2, {"ci_cd": ["jenkins", "drone"]}),
        *scan(3, {"ci_cd": ["travis"]}),
    ]
    story = tell(tmp_path, organisation(4), records, settings=settings(4))
    (row,) = story.ask("""
        select approaches, effective_simpson, disagreement, modal_approach, modal_share, outliers,
            conformance
        from practice_spread where is_now
    """)
    shares = (2.5 / 4, 0.5 / 4, 1 / 4)
    assert row[1] == pytest.approx(1 / sum(share**2 for share in shares))
    assert row[2] == pytest.approx((0 + 0.5 + 1 + 0.5 + 1 + 1) / 6)
    assert (row[0], *row[3:]) == (3, "jenkins", 0.75, ["team:team 3"], None)


def test_standards_and_exceptions_decide_conformance(tmp_path: Path) -> None:
    """Whoever has an approach outside the standard does not conform, unless it was allowed."""
    more = """
[[standards]]
category = "ci_cd"
approaches = ["jenkins"]
teams = ["Team *"]
[[exceptions]]
control = "CI/CD"
teams = ["Team 3"]
until = 2030-01-01
reason = "moves next year"
"""
    records = [
        *scan(0, {"ci_cd": ["jenkins"]}),
        *scan(1, {"ci_cd": ["jenkins", "drone"]}),
        *scan(2, {"ci_cd": ["travis"]}),
        *scan(3, {"ci_cd": ["travis"]}),
    ]
    story = tell(tmp_path, organisation(4), records, settings=settings(4, more))
    (row,) = story.ask("select conformance, outliers from practice_spread where is_now")
    assert row == (0.5, ["team:team 2"])
    facts = dict(
        story.ask("select team_name, is_conforming from practice_fact where approach = 'travis'")
    )
    assert facts == {"Team 2": False, "Team 3": True}


def test_drift_names_the_teams_that_changed(tmp_path: Path) -> None:
    """A team whose approaches differ from those of four weeks before has drifted."""
    story = tell(
        tmp_path,
        organisation(3),
        *(scan(i, {"ci_cd": ["jenkins"]}, day=-100) for i in range(3)),
        scan(1, {"ci_cd": ["drone"]}, day=-31),
        settings=settings(3),
    )
    rows = story.ask("select drifted, disagreement from practice_spread order by moment_at")
    assert [row[0] for row in rows if row[0]] == [["team:team 1"]]
    assert sorted({row[1] for row in rows}) == pytest.approx([0, 2 / 3])


def test_scans_by_earlier_rules_are_not_compared(tmp_path: Path) -> None:
    """Another set of rules could have found something else: no change of the team's."""
    old = scan(0, {"ci_cd": ["drone"]}, day=-100, rules="r0", source_updated_at=hour(-9000))
    new = scan(0, {"ci_cd": ["jenkins"]}, day=-90)
    story = tell(tmp_path, organisation(3), old, new, settings=settings(3))
    assert len(story.ask("select * from standing_scan")) == 1


def test_a_file_belongs_to_the_team_of_its_service(tmp_path: Path) -> None:
    """In a monorepo by path; what lies under no service belongs to all that live there."""
    more = """
[[services]]
name = "one"
repository = "shop-0"
paths = ["ci_cd/"]
team = "Team 0"
[[services]]
name = "two"
repository = "shop-0"
paths = ["logging/"]
team = "Team 1"
"""
    practices = {"ci_cd": ["jenkins"], "logging": ["zap"], "tls": ["acm"]}
    story = tell(tmp_path, organisation(1), scan(0, practices), settings=settings(2, more))
    rows = story.ask("select category, team_id from practice_use order by 1, 2")
    assert rows == [
        ("ci_cd", "team:team 0"),
        ("logging", "team:team 1"),
        ("tls", "team:team 0"),
        ("tls", "team:team 1"),
    ]


@pytest.mark.parametrize(
    ("observed", "finds"),
    [
        ({0: "HashiCorp Vault", 1: "vault", 2: " VAULT ", 3: "house safe"}, False),
        ({0: "Vault", 1: "Vault", 2: "Doppler", 3: "Vault"}, True),
        ({0: "Vault"}, False),
    ],
)
def test_values_are_compared_in_the_same_words(
    tmp_path: Path, observed: dict[int, str], *, finds: bool
) -> None:
    """Titles and names of approaches, the settings' words, case and signs make no difference."""
    more = """
[[configuration.values]]
value = "HashiCorp Vault"
observed = ["house safe"]
"""
    story = tell(tmp_path, organisation(4), audit("Q1", observed), settings=settings(4, more))
    rows = story.ask("select distinct findings > 0 from audit_standing")
    assert rows == [(finds,)]


def test_exceptions_are_left_out_until_they_end(tmp_path: Path) -> None:
    """By the settings, by the auditor, or by a decision; an ended one counts no longer."""
    more = """
[[exceptions]]
control = "secrets_management"
teams = ["Team 2"]
until = 2026-07-01
reason = "until the move"
"""
    story = tell(tmp_path, organisation(4), audit("Q1", MIXED, day=-60), settings=settings(4, more))
    rows = story.ask("""
        select evaluated_at < '2026-07-02', findings, len(finding_controls_without_exceptions)
        from audit_standing where is_evaluation order by evaluated_at
    """)
    assert {row for row in rows if row[0]} == {(True, 0, 1)}
    assert {row for row in rows if not row[0]} == {(False, 1, 1)}
    variants = dict(
        story.ask("""
            select variant, value from configuration_variant
            where evaluated_at = (select min(evaluated_at) from audit_standing where is_evaluation)
        """)
    )
    assert variants["without exceptions"] == 1
    assert variants["critical controls only"] == 0


def test_the_auditors_flag_is_a_finding(tmp_path: Path) -> None:
    """Whatever the values are; unless every flagged team has an exception."""
    flagged = audit("Q1", SAME, is_inconsistent=True)
    story = tell(tmp_path / "a", organisation(4), flagged, settings=settings(4))
    assert story.ask("select distinct findings from audit_standing") == [(1,)]
    excused = audit("Q1", SAME, is_inconsistent=True, exception_until=hour(99_999))
    story = tell(tmp_path / "b", organisation(4), excused, settings=settings(4))
    assert story.ask("select distinct findings from audit_standing") == [(0,)]


def result(**more: Any) -> list[Record]:
    """One more result of the audit Q1."""
    values = {"result_id": "more", "audit_id": "forge:audit:Q1", "control": "Secrets management"}
    return [AuditResult(**{**values, **more})]


@pytest.mark.parametrize(
    ("more", "reached"),
    [
        (result(resource=key(3), observed="Vault"), 2),
        (result(resource="shop-3", observed="Vault"), 2),
        (result(is_pass=True), 4),
        (result(team="Strangers", observed="Vault"), 1),
        (result(resource="nowhere", observed="Vault"), 1),
    ],
)
def test_results_are_of_teams_whatever_they_name(
    tmp_path: Path, more: list[Record], reached: int
) -> None:
    """A repository or service is of its owner, nothing at all of the whole scope."""
    head, *rest = audit("Q1", {0: "Vault"})
    scope = [name(i) for i in range(4)]
    with_scope = Audit(**{**vars(head), "teams": scope})
    story = tell(tmp_path, organisation(4), with_scope, rest, more, settings=settings(4))
    assert story.ask("select distinct reached from audit_standing") == [(reached,)]


def test_absence_from_a_scan_is_no_pass(tmp_path: Path) -> None:
    """Only what says pass or fail, or was listed as run, counts; what is suppressed is allowed."""
    more = """
[[configuration.controls]]
name = "Encryption at rest"
rules = ["checkov:CKV_AWS_*"]
critical = true
"""
    records: list[Record] = [
        finding(0, "CKV_AWS_19", is_pass=False),
        finding(1, "CKV_AWS_19", is_pass=True, path="", at_line=0),
        finding(2, "CKV_AWS_19", is_pass=None),
        finding(3, "CKV_K8S_1", is_pass=False),
    ]
    story = tell(tmp_path / "a", organisation(4), records, settings=settings(4, more))
    rows = story.ask(
        "select team_id, approaches from team_control where control = 'encryption at rest'"
        " and moment_at = (select as_of from build) order by 1"
    )
    assert rows == [("team:team 0", ["fails"]), ("team:team 1", ["passes"])]
    allowed = finding(0, "CKV_AWS_19", is_pass=False, is_suppressed=True)
    story = tell(
        tmp_path / "b", organisation(4), [allowed, *records[1:]], settings=settings(4, more)
    )
    assert {row[0] for row in story.ask("select is_inconsistent from live_control")} == {False}


def test_only_the_newest_scan_of_a_repository_counts(tmp_path: Path) -> None:
    """What was failing and is no longer found has been mended."""
    more = """
[[configuration.controls]]
name = "Encryption at rest"
rules = ["CKV_AWS_19"]
"""
    records = [
        finding(0, "CKV_AWS_19", is_pass=False, day=-60),
        finding(0, "CKV_AWS_19", is_pass=True, day=-5),
    ]
    story = tell(tmp_path, organisation(3), records, settings=settings(3, more))
    rows = story.ask("select approaches from team_control order by moment_at")
    assert rows[0] == (["fails"],)
    assert rows[-1] == (["passes"],)


def test_pages_tables_link_to_the_line(tmp_path: Path) -> None:
    """Facts lead to the file and line at the commit that was read."""
    repositories = [
        row.model_copy(update={"url": f"https://{row.repository_key}"})
        if hasattr(row, "repository_key") and hasattr(row, "url")
        else row
        for row in organisation(3)
    ]
    story = tell(
        tmp_path,
        repositories,
        agreeing(teams=3),
        audit("Q1", {0: "Vault", 1: "env"}, evidence="a.yaml:3", url="https://audits.test/1"),
        settings=settings(3),
    )
    ((link, title),) = story.ask(
        "select url, approach_title from practice_fact where team_name = 'Team 1'"
    )
    assert link == f"https://{key(1)}/blob/{'01' * 20}/secrets_management/vault.yaml#L3"
    assert title == "HashiCorp Vault"
    rows = story.ask(
        "select audit_name, team_name, value, is_finding, url from audit_fact order by 2"
    )
    assert rows == [
        ("Q1", "Team 0", "HashiCorp Vault", True, "https://audits.test/1"),
        ("Q1", "Team 1", "env", True, "https://audits.test/1"),
    ]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    """Unowned repositories, unknown controls and teams, rules of no control."""
    records: Iterable[Record] = [
        *scan(0, {"ci_cd": ["jenkins"]}),
        *audit("Q1", {0: "yes", 7: "no"}, control="Coffee"),
        *result(resource="nowhere", observed="Vault"),
        finding(0, "CKV_AWS_19", is_pass=False),
    ]
    story = tell(tmp_path, organisation(1), records, settings="")
    checks = {row[0] for row in story.ask("select check_name from data_check")}
    assert {
        "practices without a team",
        "audit results of unknown teams",
        "audit results of nobody",
        "audited controls that nothing else shows",
        "scanner rules without a control",
    } <= checks
