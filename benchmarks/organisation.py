"""A large organisation as records, made in bulk inside DuckDB: the input of a build.

Every change has two commits and two reviews and is squashed, or merged as it is. Every so many are
deployed together, one deployment in fifty is a rollback, and an incident follows on some, which
half of them name. All spread evenly over the repositories and eighteen months.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines import duck, warehouse
from pipelines.files import DataFolder
from pipelines.inputs import Clock
from pipelines.landing import Landing
from pipelines.load import load
from pipelines.settings import Settings, parse

END = datetime(2026, 6, 1, tzinfo=UTC)
START = END - timedelta(days=547)
TEAMS = 20
ENGINEERS = 400

_RUN = """
    'forge' as connection, 'all' as stream, 'one' as scope, $end::timestamptz as requested_at,
    $end::timestamptz as version_at, $end::timestamptz as sighted_at, 1 as batch_id, 0 as line
"""
_CHANGES = """
create temp table work as
with numbered as (
    select range as id, range % $repositories as r, range // $repositories as n,
        ceil($changes / $repositories) as each
    from range($changes)
)
select id, r, n, 'forge.test/acme/service-' || r as key, 'forge:pull:' || id as pull,
    sha1('merge ' || r || ' ' || n) as merge_sha, sha1('merge ' || r || ' ' || (n - 1)) as base_sha,
    sha1('first ' || id) as first_sha, sha1('second ' || id) as second_sha,
    id % $engineers as author, (id + 7) % $engineers as reviewer,
    $start::timestamptz + to_microseconds(
        ($span * (n + r / $repositories) / each)::bigint) as opened_at,
    opened_at - to_minutes(30 + (hash(id) % 4000)::bigint) as authored_at,
    opened_at + to_minutes(60 + (hash(id + 1) % 1500)::bigint) as merged_at,
    merged_at + to_minutes(10 + (hash(id + 2) % 600)::bigint) as deployed_at
from numbered
"""
_DEPLOYMENTS = """
create temp table deployed as
select id, r, n, key, author, deployed_at, hash(id + 3) % $calm = 0 as is_disturbed,
    sha1('merge ' || r || ' ' || case when n // $every % 50 = 49 then n - $every else n end) as sha
from work where n % $every = $every - 1
"""
# Per table, the columns it has a value for.
_ROWS = {
    "repository": """
        select 'forge:repository:' || range as repository_id,
            'forge.test/acme/service-' || range as repository_key, 'service-' || range as name,
            'https://forge.test/acme/service-' || range as url, 'main' as default_branch,
            $start::timestamptz as created_at, [] as former_keys, false as is_archived,
            false as is_fork, false as is_template, false as is_mirror
        from range($repositories)""",
    "team": """
        select 'forge:team:' || range as team_id, 'Team ' || range as name from range($teams)""",
    "account": """
        select 'forge:user:person-' || range as account_id, 'person-' || range as login,
            'Person ' || range as name, 'person-' || range || '@acme.test' as email,
            false as is_bot
        from range($engineers)""",
    "team_member": """
        select 'forge:team:' || range % $teams as team_id,
            'forge:user:person-' || range as account_id from range($engineers)""",
    "reference": """
        select key as repository_key, 'main' as name, 'branch' as kind,
            arg_max(merge_sha, n) as sha, $end::timestamptz as seen_at
        from work group by key""",
    "commit": """
        select key as repository_key, sha, parents, 'Person ' || author as author_name,
            'person-' || author || '@acme.test' as author_email, author_email as written_email,
            authored_at, author_email as committer_email, authored_at as committed_at, subject,
            [] as cherry_picked_from, [] as reverts, false as is_shallow_boundary
        from (
            select key, author, merge_sha as sha,
                list_filter([base_sha, case when $merged then second_sha end],
                    lambda sha: sha is not null and (n > 0 or sha <> base_sha)) as parents,
                merged_at as authored_at, 'change ' || id as subject
            from work
            union all
            select key, author, unnest([first_sha, second_sha]),
                unnest([case when n > 0 then [base_sha] else [] end, [first_sha]]),
                unnest([authored_at, opened_at]), unnest(['begin ', 'finish ']) || id
            from work where $merged
        )""",
    "change_request": """
        select pull as change_request_id, key as repository_key, n + 1 as number,
            'change ' || id as title, 'https://forge.test/acme/service-' || r || '/pull/' || n
            as url, 'forge:user:person-' || author as author, false as is_draft, opened_at as
            created_at, opened_at as ready_at, merged_at, merged_at as closed_at,
            'forge:user:person-' || reviewer as merged_by, 'main' as base_branch,
            'topic-' || id as head_branch, second_sha as head_sha, merge_sha, ['area'] as labels,
            10 as additions, 5 as deletions, ['ACME-' || id] as ticket_keys
        from work""",
    "change_request_commit": """
        select pull as change_request_id, unnest([first_sha, second_sha]) as sha,
            unnest([authored_at, opened_at]) as authored_at,
            unnest([authored_at, opened_at]) as committed_at,
            'person-' || author || '@acme.test' as author_email,
            unnest(['begin ', 'finish ']) || id as subject, false as is_merge,
            unnest([0, 1]) as position
        from work""",
    "review": """
        select 'forge:review:' || id || ':' || state as review_id, * exclude (id)
        from (select id, pull as change_request_id, 'forge:user:person-' || reviewer as reviewer,
            unnest(['commented', 'approved']) as state,
            unnest([opened_at + (merged_at - opened_at) / 3, opened_at
                + (merged_at - opened_at) / 2]) as submitted_at
        from work)""",
    "deployment_attempt": """
        select 'forge:deployment:' || id as attempt_id, key as repository_key,
            'production' as environment, 'main' as ref, sha,
            deployed_at - interval 5 minute as created_at,
            'forge:user:person-' || author as actor
        from deployed""",
    "deployment_status": """
        select 'forge:deployment:' || id as attempt_id, unnest(['1', '2']) as status_id,
            unnest(['running', 'succeeded']) as state,
            unnest([deployed_at - interval 4 minute, deployed_at]) as at
        from deployed""",
    "incident": """
        select 'forge:incident:' || id as incident_id, 'service-' || r as service_hint,
            'service-' || r || ' answers slowly' as title, 'high' as severity,
            deployed_at + to_minutes((hash(id + 4) % 600)::bigint) as started_at,
            started_at as created_at, started_at + interval 5 minute as acknowledged_at,
            started_at + to_minutes(10 + (hash(id + 5) % 600)::bigint) as resolved_at,
            case when id % 2 = 0 then ['forge:deployment:' || id] else [] end as "references"
        from deployed where is_disturbed""",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much an organisation has."""

    changes: int
    deployments: int
    repositories: int
    calm: int = 25  # deployments to one incident

    def scaled(self, scale: float) -> "Size":
        """So many times as much, at least two repositories with two deployments each."""
        repositories = max(2, round(self.repositories * scale))
        deployments = max(2 * repositories, round(self.deployments * scale))
        changes = max(deployments, round(self.changes * scale))
        return replace(self, changes=changes, deployments=deployments, repositories=repositories)

    def text(self) -> str:
        """The size for people."""
        return f"{self.changes:,} changes, {self.deployments:,} deployments"


SMALL = Size(50_000, 50_000, 200)
MIDDLE = Size(500_000, 250_000, 2_000)
LARGE = Size(5_000_000, 1_000_000, 5_000)


@dataclass(frozen=True, slots=True)
class Organisation:
    """A data folder with records, ready to be built."""

    data: DataFolder
    settings: Settings

    def build(self) -> warehouse.BuildResult:
        """Build and publish, without Dagster."""
        with Landing(self.data.landing) as landing:
            return warehouse.build(
                self.data, self.settings, landing, now=END, moment=Clock(END, "the end")
            )


def make(folder: Path, size: Size, *, merged: bool = False) -> Organisation:
    """Write the records of an organisation into a folder.

    With `merged` each change is a merge of its two commits, else one squashed commit.
    """
    data = DataFolder(folder / "data").create()
    path = folder / "leadline.toml"
    path.write_text(f'data = "{data.path}"\n', encoding="utf-8")
    with Landing(data.landing) as landing:
        load(landing, data.records, temporary=data.temporary)  # an empty load makes the tables
    connection = duck.connect(data.records, temporary=data.temporary)
    known = {
        "start": START,
        "end": END,
        "span": (END - START - timedelta(days=8)) // timedelta(microseconds=1),
        "changes": size.changes,
        "repositories": size.repositories,
        "every": size.changes // size.deployments,
        "calm": size.calm,
        "teams": TEAMS,
        "engineers": ENGINEERS,
        "merged": merged,
    }
    _execute(connection, _CHANGES, known)
    _execute(connection, _DEPLOYMENTS, known)
    for table, rows in _ROWS.items():
        _execute(connection, f'insert into "{table}" by name select {_RUN}, * from ({rows})', known)
    connection.close()
    return opened(folder)


def opened(folder: Path) -> Organisation:
    """The organisation made in a folder before."""
    path = folder / "leadline.toml"
    return Organisation(DataFolder(folder / "data"), parse(path.read_bytes(), path))


def _execute(
    connection: duckdb.DuckDBPyConnection, statement: str, known: Mapping[str, object]
) -> None:
    """Run a statement with the values it names; DuckDB takes no others."""
    named = set(re.findall(r"\$(\w+)", statement))
    connection.execute(statement, {name: known[name] for name in named})
