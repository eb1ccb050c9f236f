"""People, their accounts and addresses, bots and teams."""

import unicodedata
from random import Random
from zoneinfo import ZoneInfo

from sandbox.names import FIRST_NAMES, GROUPS, LAST_NAMES, TEAMS
from sandbox.numbers import Numbers, opaque_id
from sandbox.plan import NEVER, Member, TeamPlan
from sandbox.profile import PLAIN, Profile
from sandbox.staff import Account, Person, Team
from sandbox.working_time import DAY, as_datetime

DOMAIN = "harbourline.example"
ZONES = ("Europe/Amsterdam", "Europe/London", "America/New_York", "Asia/Kolkata")

# login -> (number, name) as the forge's well-known bots have them
BOTS = {
    "dependabot[bot]": (49_699_333, "dependabot[bot]"),
    "renovate[bot]": (29_139_614, "renovate[bot]"),
    "github-actions[bot]": (41_898_282, "github-actions[bot]"),
    "sonar-review[bot]": (61_204_118, "sonar-review[bot]"),
}


def plain(text: str) -> str:
    """A name as it fits in a login or address."""
    letters = text.translate(str.maketrans("ŁıØø", "LiOo"))
    decomposed = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    return decomposed.lower()


def noreply(account_id: int, login: str) -> str:
    """The address the forge gives to those who hide theirs."""
    return f"{account_id}+{login}@users.noreply.github.com"


def make_teams(
    *,
    random: Random,
    numbers: Numbers,
    count: int,
    launch: int,
    has_infrastructure: bool = True,
) -> tuple[list[TeamPlan], list[tuple[int, str, str]]]:
    """Teams with their habits, and the groups they stand under."""
    group_count = min(len(GROUPS), max(1, count // 3))
    groups = [(numbers.take("team"), slug, name) for slug, name, _ in GROUPS[:group_count]]
    teams = []
    for index in range(count):
        is_last = index == count - 1 and count > 2 and has_infrastructure
        slug, name = TEAMS[-1] if is_last else TEAMS[index % (len(TEAMS) - 1)]
        lap = index // (len(TEAMS) - 1)
        teams.append(
            TeamPlan(
                id=numbers.take("team", random.randint(1, 9)),
                slug=slug if lap == 0 or is_last else f"{slug}-{lap + 1}",
                name=name if lap == 0 or is_last else f"{name} {lap + 1}",
                group_index=group_count - 1 if is_last else index * group_count // count,
                is_infrastructure=is_last,
                pickup_factor=random.choice((0.5, 0.8, 1.0, 1.0, 1.3, 1.8)),
                unreviewed_share=random.choice((0.02, 0.05, 0.1, 0.2)),
                # Two teams of ten stay on their own pipelines.
                adopted=NEVER if index % 5 == 3 else launch + random.randint(0, 14) * DAY,
            )
        )
    return teams, groups


def make_members(
    *,
    random: Random,
    numbers: Numbers,
    count: int,
    team_count: int,
    start: int,
    end: int,
    profile: Profile = PLAIN,
) -> list[Member]:
    """The engineers, with joiners, leavers, deleted accounts and several addresses each.

    A profile can have them join at even steps, and show one address everywhere.
    """
    names: set[str] = set()
    logins: set[str] = set()
    members = []
    for index in range(count):
        name, login = _unused_name(random, names, logins)
        account_id = numbers.take("account", random.randint(11, 90_000))
        joined, left = _stay(random, index, start, end)
        if profile.joins_a_week is not None:
            steps = (count - index - 0.5) / profile.joins_a_week
            joined = max(end - round(steps * 7 * DAY), start - 400 * DAY)
            left = NEVER
        first, _, last = name.partition(" ")
        emails = [f"{plain(first)}.{plain(last).replace(' ', '')}@{DOMAIN}"]
        if random.random() < 0.4 or index == 1:
            emails.append(noreply(account_id, login))
        if random.random() < 0.15 or index == 0:
            emails.append(f"{plain(first)}{plain(last)[:1]}@mail.example")
        if index % 10 == 5:  # hides the work address everywhere
            emails = [noreply(account_id, login), *emails[:1]]
        if profile.is_linked:
            emails = [email for email in emails if email.endswith(DOMAIN)]
        members.append(
            Member(
                person_id=numbers.take("person"),
                name=name,
                login=login,
                account_id=account_id,
                is_bot=False,
                is_ghost=left < end and index % 2 == 0,
                emails=tuple(emails),
                zone=ZoneInfo(random.choices(ZONES, (80, 8, 6, 6))[0]),
                team_index=index % team_count,
                role="lead" if index < team_count else random.choice(("engineer", "senior")),
                joined=joined,
                left=left,
                user_id=f"712020:{opaque_id('user', index, name)}",
                is_latin=False,
            )
        )
    # An old machine needs a name that ISO-8859-1 can write, with something to get wrong.
    latin = next((member for member in members if _is_latin(member.name)), None)
    if latin is not None:
        latin.is_latin = True
    return members


def make_bots() -> dict[str, Member]:
    """The bots, by login without its suffix."""
    return {
        login.removesuffix("[bot]"): Member(
            person_id=0,
            name=name,
            login=login,
            account_id=account_id,
            is_bot=True,
            is_ghost=False,
            emails=(noreply(account_id, login),),
            zone=ZoneInfo("UTC"),
            team_index=-1,
            role="bot",
            joined=0,
            left=NEVER,
            user_id="",
        )
        for login, (account_id, name) in BOTS.items()
    }


def account_facts(
    members: list[Member], bots: list[Member], start: int, *, is_linked: bool = False
) -> tuple[Account, ...]:
    """The accounts the forge still knows; those of ghosts are gone.

    A few show an address, and where accounts are linked all do.
    """
    return tuple(
        Account(
            id=member.account_id,
            login=member.login,
            name=None if member.is_bot or member.account_id % 17 == 0 else member.name,
            email=member.emails[0]
            if (member.account_id % 4 == 0 or is_linked) and not member.is_bot
            else None,
            is_bot=member.is_bot,
            is_site_admin=False,
            created_at=as_datetime(start - (member.account_id % 2500 + 30) * DAY),
            updated_at=as_datetime(max(member.joined, start)),
        )
        for member in (*members, *bots)
        if not member.is_ghost
    )


def person_facts(members: list[Member], teams: list[TeamPlan]) -> tuple[Person, ...]:
    """The people as they are, whatever the systems know of them."""
    return tuple(
        Person(
            id=member.person_id,
            name=member.name,
            emails=member.emails,
            account_id=member.shown_account_id,
            former_login=member.login if member.is_ghost else None,
            ticket_user_id=member.user_id,
            team_id=teams[member.team_index].id,
            role="lead"
            if member.role == "lead"
            else ("senior" if member.role == "senior" else "engineer"),
            joined_at=as_datetime(member.joined),
            left_at=None if member.left == NEVER else as_datetime(member.left),
        )
        for member in members
    )


def team_facts(
    *,
    members: list[Member],
    teams: list[TeamPlan],
    groups: list[tuple[int, str, str]],
    repository_ids: dict[int, tuple[int, ...]],
    start: int,
    end: int,
) -> tuple[Team, ...]:
    """Groups and teams with today's members."""
    created = as_datetime(start - 400 * DAY)
    facts = [
        Team(
            id=group_id,
            slug=slug,
            name=name,
            description=f"All teams of {name}",
            parent_id=None,
            member_account_ids=(),
            maintainer_account_ids=(),
            repository_ids=(),
            is_infrastructure=False,
            created_at=created,
        )
        for group_id, slug, name in groups
    ]
    for index, team in enumerate(teams):
        present = [m for m in members if m.team_index == index and m.joined <= end < m.left]
        facts.append(
            Team(
                id=team.id,
                slug=team.slug,
                name=team.name,
                description=f"The {team.name} team",
                parent_id=groups[team.group_index][0],
                member_account_ids=tuple(m.account_id for m in present),
                maintainer_account_ids=tuple(m.account_id for m in present if m.role == "lead"),
                repository_ids=repository_ids.get(index, ()),
                is_infrastructure=team.is_infrastructure,
                created_at=created,
            )
        )
    return tuple(facts)


def _unused_name(random: Random, names: set[str], logins: set[str]) -> tuple[str, str]:
    while True:
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        name = f"{first} {last}"
        login = random.choice((f"{plain(first)}{plain(last)}", f"{plain(first)[0]}-{plain(last)}"))
        if name not in names and login not in logins:
            names.add(name)
            logins.add(login)
            return name, login


def _stay(random: Random, index: int, start: int, end: int) -> tuple[int, int]:
    """When someone joined and left; the first few were there before and stay."""
    length = end - start
    joined = start - random.randint(60, 1500) * DAY
    left = NEVER
    if index >= 4 and index % 7 == 4:
        joined = start + random.randint(length // 10, length * 8 // 10)
    elif index >= 4 and index % 12 in (6, 9):
        left = start + random.randint(length // 5, length * 9 // 10)
    return joined, left


def _is_latin(name: str) -> bool:
    return not name.isascii() and all(ord(letter) < 256 for letter in name)
