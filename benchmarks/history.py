"""A long history: branches of three commits, each merged; as a git repository or as frames."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

START = datetime(2024, 1, 1, tzinfo=UTC)
COMMITS = 200_000
DEPLOYMENTS = 1_000
# A merge closes every group of commits: three on a branch, then the merge.
GROUP = 4


def write_repository(path: Path, commits: int, tags: int) -> None:
    """Make a bare repository of so many commits and version tags, by fast-import."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    command = ["git", f"--git-dir={path}", "fast-import", "--quiet", "--done"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        if importer.stdin is None:
            raise RuntimeError("fast-import takes its orders from a pipe")
        for number in range(1, commits + 1):
            importer.stdin.write(_commit(number))
        every = max(GROUP, commits // tags // GROUP * GROUP)
        for version in range(1, tags + 1):
            if version * every <= commits:
                importer.stdin.write(
                    b"reset refs/tags/v1.%d\nfrom :%d\n\n" % (version, version * every)
                )
        importer.stdin.write(b"reset refs/heads/main\nfrom :%d\n\ndone\n" % commits)
    if importer.returncode:
        raise RuntimeError("git fast-import failed")
    subprocess.run(
        ["git", f"--git-dir={path}", "symbolic-ref", "HEAD", "refs/heads/main"], check=True
    )


def _parents(number: int) -> list[int]:
    """The first of a group grows from the merge before, the merge joins it with the branch."""
    is_merge = number % GROUP == 0
    parents = [number - GROUP, number - 1] if is_merge else [number - 1]
    return [parent for parent in parents if parent > 0]


def _commit(number: int) -> bytes:
    at = int(START.timestamp()) + number * 300
    author = b"Person %d <person-%d@acme.test>" % (number % 97, number % 97)
    message = (
        b"Change %d of the part that counts\n\nWhy it was needed, in a line or two.\n" % number
    )
    lines = [
        b"commit refs/heads/main",
        b"mark :%d" % number,
        b"author %s %d +0100" % (author, at),
        b"committer %s %d +0100" % (author, at + 60),
        b"data %d\n%s" % (len(message), message),
    ]
    parents = _parents(number)
    if parents:
        lines.append(b"from :%d" % parents[0])
    lines += [b"merge :%d" % parent for parent in parents[1:]]
    return b"\n".join(lines) + b"\n\n"


def frames(commits: int, deployments: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same shape as the commits and deployments of one repository, as lineage takes them."""
    graph = pl.DataFrame(
        {"number": range(1, commits + 1), "parent": [_parents(n) for n in range(1, commits + 1)]}
    )
    every = max(1, commits // deployments)
    with duckdb.connect() as connection:
        connection.register("graph", graph.to_arrow())
        made: pl.DataFrame = connection.sql(f"""
            select 'forge.test/acme/shop' as repository_key, sha1('commit ' || number) as sha,
                list_transform(parent, lambda p: sha1('commit ' || p)) as parents,
                false as is_shallow_boundary, 'person-' || number % 97 as author_email,
                timestamptz '{START.isoformat()}' + to_minutes(5 * number) as authored_at,
                'change ' || number as subject
            from graph
        """).pl()
    deployed = made.gather_every(every, every - 1).head(deployments)
    live_at = deployed["authored_at"].dt.offset_by("2h")
    return made, deployed.select("repository_key", "sha").with_columns(
        deployment_id=pl.format("deployment {}", pl.int_range(pl.len())),
        service_id=pl.lit("shop"),
        environment=pl.lit("production"),
        started_at=live_at - timedelta(minutes=5),
        live_at=live_at,
    )
