"""Who is who: accounts and commit authors put together into people."""

import polars as pl

from pipelines.identity import resolve

TABLES = {
    "account_person": """
        One row per account, or e-mail address by its digest, and the person it belongs to.
        key: account_id
        not null: person_id, method
    """
}

INPUTS = {
    "accounts": """
        select account_id, login, name, email, is_bot
        from records.account where deleted_at is null
    """,
    "emails": """
        with written as (
            select lower(author_email) as email, author_name as name from records.commit
            union all
            select lower(author_email), null from records.change_request_commit
            union all
            select lower(email), name from records.account where deleted_at is null
        )
        select email, 'email:' || sha256(email) as digest, min(name) as name
        from written where email like '%@%' group by email
    """,
    "mapping": "select account, name, is_bot from input.person",
    "bots": "select name from input.bot",
}


def model(
    accounts: pl.DataFrame, emails: pl.DataFrame, mapping: pl.DataFrame, bots: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Resolve identities; see `pipelines.identity`."""
    return {"account_person": resolve(accounts, emails, mapping, bots)}
