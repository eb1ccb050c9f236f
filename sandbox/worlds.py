"""The named worlds: one organisation each, set well inside the state that it stands for."""

from dataclasses import replace
from datetime import datetime

from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.profile import AuditHabit, Expected, LaunchHabit, Profile, SetupHabit, WorkHabit

CLEAR = Expected(
    answer="devops",
    setup_time="clear",
    shared_infrastructure="clear",
    configuration="clear",
    requests="clear",
)
SECRETS = "secrets management"
CLEAN = (AuditHabit(name="Yearly audit", days_ago=80, control=SECRETS, is_inconsistent=False),)

STEADY = Profile(
    name="steady",
    story="Nothing is lit: quick set-ups, few engineers, one way to do things, time to build.",
    teams=5,
    services=6,
    months=9,
    joins_a_week=0.02,
    tools="one",
    setups=SetupHabit(quick=9),
    work=WorkHabit(request_share=0.25),
    audits=CLEAN,
    expected=CLEAR,
)
STARTUP = Profile(
    name="startup",
    story="Twelve engineers, two new services, no audit and nobody who does infrastructure.",
    engineers=12,
    teams=2,
    services=4,
    months=16,
    has_infrastructure_team=False,
    has_portal=False,
    joins_a_week=0.02,
    tools="one",
    setups=SetupHabit(quick=2, days=200),
    expected=replace(
        CLEAR,
        setup_time="not applicable",
        configuration="not applicable",
        requests="not applicable",
    ),
)
TRENDING = replace(
    STEADY,
    name="trending",
    story="Forty-five engineers and one more every other week: fifty is near.",
    engineers=47,  # the last of them have not merged anything yet
    services=9,
    months=11,
    joins_a_week=0.5,
    expected=replace(CLEAR, shared_infrastructure="trending"),
)
SCALEUP = Profile(
    name="scaleup",
    story="A hundred and twenty engineers who have outgrown it: all four are lit.",
    engineers=120,
    teams=13,
    services=44,
    months=18,
    tools="own",
    setups=SetupHabit(slow=14, quick=2, open=1, days=270),
    work=WorkHabit(request_share=0.85, tickets_a_day=2),
    launches=(LaunchHabit(name="Shared delivery pipeline", category=3, weeks_ago=13, effect=0.4),),
    audits=(
        AuditHabit(name="Autumn audit", days_ago=330, control=SECRETS, is_inconsistent=True),
        AuditHabit(name="Customer audit", days_ago=190, control=SECRETS, is_inconsistent=True),
        AuditHabit(name="Yearly audit", days_ago=45, control=SECRETS, is_inconsistent=True),
    ),
    expected=Expected(
        answer="platform engineering",
        setup_time="crossed",
        shared_infrastructure="crossed",
        configuration="crossed",
        requests="crossed",
    ),
)
UNDECIDED = replace(CLEAR, answer="undecided")
MISSING = (
    replace(
        STEADY,
        name="missing-setup-time",
        story="Nobody can tell when a new service was asked for.",
        without=frozenset({"portal"}),
        expected=replace(UNDECIDED, setup_time="insufficient"),
    ),
    replace(
        STEADY,
        name="missing-shared-infrastructure",
        story="Nobody wrote down what runs where.",
        without=frozenset({"units"}),
        expected=replace(UNDECIDED, shared_infrastructure="insufficient"),
    ),
    replace(
        STEADY,
        name="missing-configuration",
        story="No audit, and no look into the repositories.",
        without=frozenset({"audits", "scan"}),
        expected=replace(UNDECIDED, configuration="insufficient"),
    ),
    replace(
        STEADY,
        name="missing-requests",
        story="Nobody said which team does infrastructure.",
        without=frozenset({"team"}),
        expected=replace(UNDECIDED, requests="insufficient"),
    ),
)
NO_TICKETS = replace(
    STEADY,
    name="no-tickets",
    story="Repositories come fast, and no ticket says how long somebody waited for them.",
    without=frozenset({"tickets", "portal"}),
    expected=replace(UNDECIDED, setup_time="insufficient", requests="insufficient"),
)
PARKED_EPIC = replace(
    STEADY,
    name="parked-epic",
    story="Requests eat the days, and an epic nobody works on stays in progress for months.",
    work=WorkHabit(request_share=0.78, books_time=False, parked=True),
    expected=replace(CLEAR, answer="platform engineering", requests="crossed"),
)
TWO_TOOLS = replace(
    STEADY,
    name="two-tools",
    story="Every team uses the same two tools for everything: no team differs from another.",
    tools="two",
    audits=(),
)
WEEKEND = replace(
    STEADY,
    name="weekend",
    story="Services asked for on Friday afternoon are ready on Monday morning.",
    setups=SetupHabit(weekend=9),
)
LAUNCH = replace(
    STEADY,
    name="launch",
    story="A self-service offer takes away three in ten tickets of its category.",
    engineers=40,
    months=13,
    work=WorkHabit(request_share=0.42, tickets_a_day=5),
    launches=(LaunchHabit(name="Access on demand", category=1, weeks_ago=27, effect=0.3),),
)
NO_EFFECT = replace(
    STEADY,
    name="no-effect",
    story="A self-service offer changes nothing while the number of engineers doubles.",
    engineers=40,
    months=13,
    joins_a_week=20 / 56,
    work=WorkHabit(request_share=0.42, tickets_a_day=5),
    launches=(LaunchHabit(name="Access on demand", category=1, weeks_ago=27, effect=0.0),),
)
FIXED = replace(
    STEADY,
    name="fixed",
    story="An audit found the teams apart, and they have come together since.",
    audits=(AuditHabit(name="Yearly audit", days_ago=200, control=SECRETS, is_inconsistent=True),),
    expected=replace(CLEAR, configuration="trending"),
)
MIXED = replace(
    STEADY,
    name="mixed",
    story="Every tool by another vendor: GitLab, Jenkins, Argo CD, PagerDuty, Jira, Backstage.",
    delivery="beside",
)
WORLDS = {
    profile.name: profile
    for profile in (
        STARTUP,
        STEADY,
        TRENDING,
        SCALEUP,
        *MISSING,
        NO_TICKETS,
        PARKED_EPIC,
        TWO_TOOLS,
        WEEKEND,
        LAUNCH,
        NO_EFFECT,
        FIXED,
        MIXED,
    )
}


def build_world(profile: Profile, *, end: datetime, seed: int = 7) -> Organisation:
    """The organisation of a profile, as it stands at `end`."""
    return build_organisation(
        seed=seed,
        engineers=profile.engineers,
        teams=profile.teams,
        services=profile.services,
        months=profile.months,
        end=end,
        profile=profile,
    )
