"""Accounts and e-mail addresses → people, by deterministic links only.

The mapping of the settings wins over every link: two people it names are never joined, whatever
their accounts share. Suggestions by likeness are not made here.
"""

import polars as pl

_NOREPLY = r"^(?:\d+\+)?([^@+]+)@users\.noreply\."

PEOPLE_SCHEMA = {
    "account_id": pl.String,
    "handle": pl.String,
    "person_id": pl.String,
    "name": pl.String,
    "is_bot": pl.Boolean,
    "method": pl.String,
    "confidence": pl.String,
}


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


def resolve(
    accounts: pl.DataFrame, emails: pl.DataFrame, mapping: pl.DataFrame, bots: pl.DataFrame
) -> pl.DataFrame:
    """Every account and e-mail address with its person, as `PEOPLE_SCHEMA`.

    `accounts`: account_id, login, name, email, is_bot. `emails`: email (lower case), digest (its
    account id), name. `mapping`: account (a login in lower case, or an e-mail's digest), name,
    is_bot. `bots`: name (lower case). `method` is mapping, email, noreply, login or alone.
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
    for first, second, method in _links(nodes).iter_rows():
        if groups.join(first, second):
            methods.setdefault(first, method)
            methods.setdefault(second, method)
    machines = set(mapping.filter("is_bot")["name"])
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
            .otherwise(pl.lit("deterministic")),
        )
        .select(PEOPLE_SCHEMA.keys())
        .sort("account_id")
    )


def _nodes(accounts: pl.DataFrame, emails: pl.DataFrame) -> pl.DataFrame:
    """Accounts and addresses in one frame: account_id, handle, email, noreply, name, is_bot."""
    logged_in = accounts.select(
        "account_id",
        handle=pl.coalesce("login", "account_id").str.to_lowercase(),
        email=pl.col("email").str.to_lowercase(),
        name=pl.coalesce("name", "login"),
        is_bot="is_bot",
        is_login=pl.lit(value=True),
    )
    addresses = emails.select(
        account_id="digest",
        handle="digest",
        email="email",
        name="name",
        is_bot=pl.lit(value=False),
        is_login=pl.lit(value=False),
    )
    return (
        pl.concat([logged_in, addresses])
        .unique("account_id", keep="first", maintain_order=True)
        .with_columns(noreply=pl.col("email").str.extract(_NOREPLY, 1))
        .sort("account_id")
    )


def _links(nodes: pl.DataFrame) -> pl.DataFrame:
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
    return (
        pl.concat([by_email, by_login])
        .filter(pl.col("first") != pl.col("account_id"))
        .select("first", "account_id", "method")
        .sort("first", "account_id", "method")
    )
