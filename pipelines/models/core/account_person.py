"""Who is who: accounts and commit authors put together into people."""

import polars as pl

from pipelines.identity import resolve

TABLES = {
    "account_person": """
        One row per account, or e-mail address by its digest, and the person it belongs to.
        likely_person_id: the person if every suggestion that waits, of a score of 90 or more,
        were right.
        key: account_id
        not null: person_id, method, likely_person_id
    """,
    "identity_suggestion": """
        One row per pair of people that may be one, each named by its first account: by the
        likeness of names (score 0 to 100), or because somebody said so (no score). state: pending
        until somebody decides; accepted ones are one person in this build, overruled ones are not
        because the mapping of the settings says that they are two. subject: what a decision on
        the pair is about.
        key: left_account, right_account
        not null: state, why, subject
        check: left_account < right_account
        check: score is null or score between 0 and 100
        check: state in ('pending', 'accepted', 'rejected', 'overruled')
        references: left_account -> account_person.account_id
        references: right_account -> account_person.account_id
    """,
}

INPUTS = {
    "accounts": """
        select account_id, name, email, is_bot,
            case when login like '%@%' then 'email:' || sha256(lower(login)) else login end as login
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
    "mailmap": """
        select distinct 'email:' || sha256(lower(written_email)) as written,
            'email:' || sha256(lower(author_email)) as shown
        from records.commit
        where lower(written_email) <> lower(author_email)
            and written_email like '%@%' and author_email like '%@%'
    """,
    "decided": "select subject, value, author, decided_at from decision where kind = 'identity'",
}


def model(**frames: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Resolve identities; see `pipelines.identity`."""
    found = resolve(**frames)
    return {"account_person": found.people, "identity_suggestion": found.suggestions}
