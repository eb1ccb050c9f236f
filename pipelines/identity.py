"""Accounts and e-mail addresses → people: by proof, and by what somebody confirmed.

The mapping of the settings wins over every link: two people it names are never joined, whatever
their accounts share. Likeness of names only makes suggestions; who is likely one person if all
the good ones were right is told beside it, as the other end of what is known.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import polars as pl

from pipelines import identity_suggestions

_NOREPLY = r"^(?:\d+\+)?([^@+]+)@users\.noreply\."

PEOPLE_SCHEMA = {
    "account_id": pl.String,
    "handle": pl.String,
    "person_id": pl.String,
    "name": pl.String,
    "is_bot": pl.Boolean,
    "method": pl.String,
    "confidence": pl.String,
    "likely_person_id": pl.String,
}
SUGGESTION_SCHEMA: dict[str, Any] = {
    "left_account": pl.String,
    "right_account": pl.String,
    "score": pl.Int64,
    "why": pl.String,
    "state": pl.String,
    "left_name": pl.String,
    "right_name": pl.String,
    "subject": pl.String,
    "decided_by": pl.String,
    "decided_at": pl.Datetime("us", "UTC"),
}
# From here on a suggestion counts as right where people are counted as few as possible.
LIKELY_SCORE = 90
# How a decision names the two accounts it is about.
PAIR = " = "


class Identities(NamedTuple):
    """Who is who, and who may be."""

    people: pl.DataFrame
    suggestions: pl.DataFrame


class _Groups:
    """Union-find in which a group belongs to at most one owner."""

    def __init__(self, owners: dict[str, str]) -> None:
        self.parent: dict[str, str] = {}
        self.owner = dict(owners)

    def find(self, node: str) -> str:
        root = node
        while self.parent.setdefault(root, root) != root:
            root = self.parent[root]
        while self.parent[node] != root:
            self.parent[node], node = root, self.parent[node]
        return root

    def join(self, first: str, second: str) -> bool:
        """Join two groups unless they have different owners; whether they are one now."""
        kept, other = sorted((self.find(first), self.find(second)))
        if kept == other:
            return True
        owner = self.owner.get(kept) or self.owner.get(other)
        if self.owner.get(other, owner) != owner:
            return False
        self.parent[other] = kept
        if owner is not None:
            self.owner[kept] = owner
        return True

    def copy(self) -> Self:
        """The same groups, to be joined further."""
        copied = type(self)(self.owner)
        copied.parent = dict(self.parent)
        return copied


def resolve(
    accounts: pl.DataFrame,
    emails: pl.DataFrame,
    mapping: pl.DataFrame,
    bots: pl.DataFrame,
    *,
    mailmap: pl.DataFrame,
    decided: pl.DataFrame,
) -> Identities:
    """Every account and e-mail address with its person, and the suggestions, by their schemas.

    `accounts`: account_id, login, name, email, is_bot. `emails`: email (lower case), digest (its
    account id), name. `mapping`: account (a login in lower case, or an e-mail's digest), name,
    is_bot. `bots`: name (lower case). `mailmap`: written and shown (digests of two addresses that
    are declared to be one). `decided`: subject, value, author, decided_at of the decisions on
    identities in force. `method` is mapping, email, noreply, login, mailmap, confirmed or alone;
    `likely_person_id` the person if every pending suggestion from `LIKELY_SCORE` on were right.
    No e-mail address leaves this function.
    """
    nodes = _nodes(accounts, emails)
    mapped = nodes.join(
        mapping.select("account", owner="name"), left_on="handle", right_on="account"
    )
    owners = dict(zip(mapped["account_id"], mapped["owner"], strict=True))
    methods = dict.fromkeys(owners, "mapping")
    groups = _Groups(owners)
    for owner in mapped.group_by("owner").agg("account_id")["account_id"]:
        for account in owner:
            groups.join(owner[0], account)
    for first, second, method in _links(nodes, mailmap).iter_rows():
        if groups.join(first, second):
            methods.setdefault(first, method)
            methods.setdefault(second, method)
    machines = set(mapping.filter("is_bot")["name"])
    proven = _people(nodes, groups, methods, bots, machines)
    made = identity_suggestions.suggest(_comparable(nodes, proven))
    confirmed = groups.copy()
    decisions = _decisions(decided, set(nodes["account_id"]))
    for left, right in decisions.filter(pl.col("value") == "accepted").select(_SIDES).iter_rows():
        if confirmed.join(left, right):
            methods.setdefault(left, "confirmed")
            methods.setdefault(right, "confirmed")
    suggestions = _suggestions(made, decisions, proven, groups, confirmed)
    people = _people(nodes, confirmed, methods, bots, machines)
    likely = _likely(suggestions, confirmed)
    return Identities(
        people.with_columns(
            likely_person_id=pl.Series(
                [f"person:{likely.find(account)}" for account in people["account_id"]],
                dtype=pl.String,
            )
        ).select(PEOPLE_SCHEMA.keys()),
        suggestions,
    )


_SIDES = ("left", "right")


def _people(
    nodes: pl.DataFrame,
    groups: _Groups,
    methods: dict[str, str],
    bots: pl.DataFrame,
    machines: set[str],
) -> pl.DataFrame:
    """The accounts with their person by these groups; sorted by account."""
    account_ids = nodes["account_id"].to_list()
    roots = [groups.find(account) for account in account_ids]
    people = nodes.with_columns(
        person_id=pl.Series([f"person:{root}" for root in roots], dtype=pl.String),
        owner=pl.Series([groups.owner.get(root) for root in roots], dtype=pl.String),
        method=pl.Series([methods.get(a, "alone") for a in account_ids], dtype=pl.String),
    )
    return (
        people.with_columns(
            is_bot=(
                pl.col("is_bot")
                | pl.col("handle").is_in(bots["name"].to_list())
                | pl.col("handle").str.ends_with("[bot]")
                | pl.col("handle").str.strip_suffix("[bot]").is_in(bots["name"].to_list())
                | pl.col("noreply").str.ends_with("[bot]").fill_null(value=False)
                | pl.col("owner").is_in(list(machines)).fill_null(value=False)
            )
            .any()
            .over("person_id"),
            name=pl.coalesce(
                "owner", pl.col("name").drop_nulls().first().over("person_id"), "handle"
            ),
            confidence=pl.when(pl.col("method") == "alone")
            .then(pl.lit("unlinked"))
            .when(pl.col("method") == "confirmed")
            .then(pl.lit("confirmed"))
            .otherwise(pl.lit("deterministic")),
        )
        .select(name for name in PEOPLE_SCHEMA if name != "likely_person_id")
        .sort("account_id")
    )


def _comparable(nodes: pl.DataFrame, proven: pl.DataFrame) -> pl.DataFrame:
    """The accounts of people, with what they are called; the person is its first account."""
    people = proven.filter(~pl.col("is_bot")).select(
        "account_id", person=pl.col("account_id").min().over("person_id")
    )
    return nodes.join(people, on="account_id").select(
        "account_id",
        "person",
        name="shown",
        login=pl.when(pl.col("is_login") & ~pl.col("handle").str.starts_with("email:")).then(
            "handle"
        ),
        # The local part of a noreply address is the login of somebody who is linked already.
        local=pl.when(pl.col("noreply").is_null()).then(
            pl.col("email").str.split("@").list.first()
        ),
    )


def _decisions(decided: pl.DataFrame, accounts: set[str]) -> pl.DataFrame:
    """The decisions whose two accounts are known: left, right, value, author, decided_at."""
    sides = pl.col("subject").str.split(PAIR)
    return (
        decided.filter(sides.list.len() == 2)
        .with_columns(left=sides.list.first(), right=sides.list.last())
        .filter(pl.col("left").is_in(list(accounts)) & pl.col("right").is_in(list(accounts)))
        .sort("decided_at", "subject")
    )


def _suggestions(
    made: pl.DataFrame,
    decisions: pl.DataFrame,
    proven: pl.DataFrame,
    groups: _Groups,
    confirmed: _Groups,
) -> pl.DataFrame:
    """What likeness suggests and what somebody decided on, once each, with its state.

    A decision on any two accounts of the people of a suggestion is one on it; the latest counts.
    Pending ones between accounts that are one by now are no longer asked.
    """
    scored = {(row[0], row[1]): (row[2], row[3]) for row in made.iter_rows()}
    latest: dict[tuple[str, str], list[object]] = {}
    for left, right, *decision in decisions.select(
        *_SIDES, "value", "subject", "author", "decided_at"
    ).iter_rows():
        one, other = sorted((groups.find(left), groups.find(right)))
        if one != other:
            latest[one, other] = decision
    names = dict(proven.select("account_id", "name").iter_rows())
    rows = []
    for pair in sorted(scored.keys() | latest.keys()):
        score, why = scored.get(pair, (None, "somebody says so"))
        value, *decision = latest.get(pair, ["pending", PAIR.join(pair), None, None])
        is_one = confirmed.find(pair[0]) == confirmed.find(pair[1])
        if value == "pending" and is_one:
            continue
        # Where the mapping says two people, it wins over what was confirmed.
        state = "overruled" if value == "accepted" and not is_one else value
        rows.append((*pair, score, why, state, *(names[side] for side in pair), *decision))
    return pl.DataFrame(rows, schema=SUGGESTION_SCHEMA, orient="row")


def _likely(suggestions: pl.DataFrame, confirmed: _Groups) -> _Groups:
    """The groups if every good suggestion that waits were right, and no rejected one."""
    likely = confirmed.copy()
    rejected = list(_pairs(suggestions.filter(pl.col("state") == "rejected")))
    waiting = suggestions.filter(
        (pl.col("state") == "pending") & (pl.col("score") >= LIKELY_SCORE)
    ).sort("score", "left_account", "right_account", descending=[True, False, False])
    for left, right in _pairs(waiting):
        joined = {likely.find(left), likely.find(right)}
        if not any({likely.find(one), likely.find(other)} == joined for one, other in rejected):
            likely.join(left, right)
    return likely


def _pairs(suggestions: pl.DataFrame) -> Iterator[tuple[str, str]]:
    yield from suggestions.select("left_account", "right_account").iter_rows()


def _nodes(accounts: pl.DataFrame, emails: pl.DataFrame) -> pl.DataFrame:
    """Accounts and addresses in one frame: account_id, handle, email, noreply, name, is_bot."""
    logged_in = accounts.select(
        "account_id",
        handle=pl.coalesce("login", "account_id").str.to_lowercase(),
        email=pl.col("email").str.to_lowercase(),
        name=pl.coalesce("name", "login"),
        shown="name",
        is_bot="is_bot",
        is_login=pl.col("login").is_not_null(),
    )
    addresses = emails.select(
        account_id="digest",
        handle="digest",
        email="email",
        name="name",
        shown="name",
        is_bot=pl.lit(value=False),
        is_login=pl.lit(value=False),
    )
    return (
        pl.concat([logged_in, addresses])
        .unique("account_id", keep="first", maintain_order=True)
        .with_columns(
            noreply=pl.col("email").str.extract(_NOREPLY, 1),
            # People sign with their address; it is nobody's name.
            name=pl.col("name").str.replace_all(r"@\S*", ""),
        )
        .sort("account_id")
    )


def _links(nodes: pl.DataFrame, mailmap: pl.DataFrame) -> pl.DataFrame:
    """Pairs that are one person: first, second, method; the same pairs in the same order always."""
    same_email = nodes.filter(pl.col("email").is_not_null()).select(
        "account_id", value="email", method=pl.lit("email")
    )
    logins = nodes.filter("is_login").select("account_id", value="handle", method=pl.lit("login"))
    noreply = nodes.filter(pl.col("noreply").is_not_null()).select(
        "account_id", value="noreply", method=pl.lit("noreply")
    )
    by_email = same_email.with_columns(first=pl.col("account_id").min().over("value"))
    # Equal logins at two sources are no proof; a noreply address names the login it belongs to.
    by_login = (
        pl.concat([logins, noreply])
        .with_columns(first=pl.col("account_id").min().over("value"))
        .filter((pl.col("method") == "noreply").any().over("value"))
    )
    by_mailmap = mailmap.select(
        first="shown", account_id="written", method=pl.lit("mailmap")
    ).filter(pl.col("first").is_in(nodes["account_id"].implode()))
    known = pl.col("account_id").is_in(nodes["account_id"].implode())
    return (
        pl.concat([by_email, by_login, by_mailmap], how="diagonal")
        .filter(pl.col("first") != pl.col("account_id"))
        .with_columns(account_id=pl.when(known).then("account_id").otherwise("first"))
        .select("first", "account_id", "method")
        .sort("first", "account_id", "method")
    )
