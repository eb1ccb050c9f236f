"""Accounts and addresses become people by proof only."""

from typing import Any

import polars as pl
import pytest

from pipelines.identity import Identities, resolve

ACCOUNTS = {
    "account_id": pl.String,
    "login": pl.String,
    "name": pl.String,
    "email": pl.String,
    "is_bot": pl.Boolean,
}


DECIDED: dict[str, Any] = {
    "subject": pl.String,
    "value": pl.String,
    "author": pl.String,
    "decided_at": pl.Datetime("us", "UTC"),
}


def resolved(*frames: pl.DataFrame) -> Identities:
    """Identities of a world in which nobody decided anything and no repository has a .mailmap."""
    mailmap = pl.DataFrame(schema={"written": pl.String, "shown": pl.String})
    return resolve(*frames, mailmap=mailmap, decided=pl.DataFrame(schema=DECIDED))


def people(
    *accounts: tuple[str, str | None, str | None],
    emails: tuple[str, ...] = (),
    mapping: dict[str, str] | None = None,
    machines: tuple[str, ...] = (),
) -> dict[str, str]:
    """Per account the person it belongs to; accounts are (id, login, e-mail)."""
    found = resolved(
        pl.DataFrame(
            [(account, login, None, email, False) for account, login, email in accounts],
            schema=ACCOUNTS,
            orient="row",
        ),
        pl.DataFrame(
            [(email, f"email:{email}", None) for email in emails],
            schema={"email": pl.String, "digest": pl.String, "name": pl.String},
            orient="row",
        ),
        pl.DataFrame(
            [(account, name, name in machines) for account, name in (mapping or {}).items()],
            schema={"account": pl.String, "name": pl.String, "is_bot": pl.Boolean},
            orient="row",
        ),
        pl.DataFrame({"name": ["renovate"]}),
    )
    return {row["account_id"]: row["person_id"] for row in found.people.iter_rows(named=True)}


def test_one_address_is_one_person() -> None:
    """The same e-mail address at two sources is proof, whatever its case."""
    found = people(("github:1", "ann", "Ann@x.test"), ("jira:1", "a1", "ann@x.test"))
    assert found["github:1"] == found["jira:1"]


def test_a_noreply_address_belongs_to_its_login() -> None:
    """With and without the number in front."""
    found = people(
        ("github:1", "Ann", None),
        emails=("12+ann@users.noreply.github.com", "ann@users.noreply.github.com"),
    )
    assert len(set(found.values())) == 1


def test_equal_logins_at_two_sources_prove_nothing() -> None:
    """Everybody has an admin."""
    found = people(("github:1", "admin", None), ("jira:1", "admin", None))
    assert found["github:1"] != found["jira:1"]


def test_the_mapping_joins_what_nothing_else_does() -> None:
    """Logins and addresses listed together are one person."""
    found = people(
        ("github:1", "ann", None),
        emails=("ann@home.test",),
        mapping={"ann": "Ann", "email:ann@home.test": "Ann"},
    )
    assert found["github:1"] == found["email:ann@home.test"]


@pytest.mark.parametrize("shared", ["team@x.test"])
def test_the_mapping_wins_over_a_shared_address(shared: str) -> None:
    """Two people it names are never joined, not even through a third account."""
    found = people(
        ("github:1", "ann", shared),
        ("github:2", "bob", shared),
        ("jira:3", "ci", shared),
        mapping={"ann": "Ann", "bob": "Bob"},
    )
    assert found["github:1"] != found["github:2"]


def test_bots_are_known_by_suffix_list_and_mapping() -> None:
    """And what belongs to a bot is one."""
    accounts = pl.DataFrame(
        [
            ("g:1", "dependabot[bot]", None, None, False),
            ("g:2", "renovate", None, None, False),
            ("g:3", "robot", None, None, False),
            ("g:4", "marked", None, None, True),
            ("g:5", "ann", None, None, False),
        ],
        schema=ACCOUNTS,
        orient="row",
    )
    emails = pl.DataFrame(
        {
            "email": ["49+dependabot[bot]@users.noreply.github.com"],
            "digest": ["email:d"],
            "name": ["d"],
        }
    )
    mapping = pl.DataFrame({"account": ["robot"], "name": ["Robot"], "is_bot": [True]})
    found = resolved(accounts, emails, mapping, pl.DataFrame({"name": ["renovate"]}))
    assert dict(found.people.select("account_id", "is_bot").rows()) == {
        "g:1": True,
        "g:2": True,
        "g:3": True,
        "g:4": True,
        "g:5": False,
        "email:d": True,
    }


def test_no_address_leaves_the_room() -> None:
    """Not as an id, a handle or a name."""
    found = resolved(
        pl.DataFrame([("g:1", None, None, "a@x.test", False)], schema=ACCOUNTS, orient="row"),
        pl.DataFrame({"email": ["a@x.test"], "digest": ["email:1f"], "name": ["A"]}),
        pl.DataFrame(schema={"account": pl.String, "name": pl.String, "is_bot": pl.Boolean}),
        pl.DataFrame({"name": ["x"]}),
    )
    assert "@" not in found.people.write_csv()
