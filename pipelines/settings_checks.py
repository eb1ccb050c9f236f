"""Settings that do not go together: names or goals that stand twice, teams above themselves."""

from collections.abc import Sequence

Location = tuple[int | str, ...]


class SettingsConflictError(ValueError):
    """Settings that do not go together; `location` is the key at fault."""

    def __init__(self, location: Location, message: str) -> None:
        super().__init__(message)
        self.location = location


def check_unique(section: str, names: Sequence[str]) -> None:
    """Raise where a name of an array of tables stands twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            raise SettingsConflictError(
                (section, index, "name"), f'"{name}" stands twice among the {section}'
            )


def check_accounts(accounts: Sequence[tuple[int, str]]) -> None:
    """Raise where an account is given to two people; `accounts` are (index of person, account)."""
    owners: dict[str, int] = {}
    for index, account in accounts:
        owner = owners.setdefault(account.casefold(), index)
        if owner != index:
            raise SettingsConflictError(
                ("people", index, "accounts"), f'"{account}" already belongs to people[{owner + 1}]'
            )


def check_parents(teams: Sequence[tuple[str, str | None]]) -> None:
    """Raise where a team is above itself; `teams` are (name, parent)."""
    parents = dict(teams)
    for index, (name, parent) in enumerate(teams):
        seen, above = {name}, parent
        while above is not None and above not in seen:
            seen.add(above)
            above = parents.get(above)
        if above == name:
            raise SettingsConflictError(
                ("teams", index, "parent"), f'team "{name}" is above itself'
            )


def check_goals(goals: Sequence[tuple[str, str | None]]) -> None:
    """Raise where a team, or all of them, have two targets; `goals` are (metric, team)."""
    seen: set[tuple[str, str | None]] = set()
    for index, (metric, team) in enumerate(goals):
        goal = (metric, None if team is None else team.lower())
        if goal in seen:
            whose = "all teams" if team is None else f'team "{team}"'
            raise SettingsConflictError(
                ("goals", index, "metric"), f"{metric} has two goals for {whose}; keep one"
            )
        seen.add(goal)
