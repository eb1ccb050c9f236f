"""Which commits a deployment ships, and what it is to what was live before it.

By commit ancestry, per service, environment and repository (docs/metrics.md, "Which changes a
deployment ships"). Called with environments as they are for kinds and slices, and once more with
the environment class in their place for the headline, where the first deployment of the class is
the only baseline and a commit ships at the earliest environment.

How ancestry stays linear: shipping needs one walk that never enters a commit twice. "X had been
shipped when it started" (X ∈ S) is then one comparison: the deployment that owns X was live by
that time. Whether L, the commit live then, is an ancestor of X is read from bit sets that one
pass over the history fills for all deployed commits at once.
"""

from itertools import groupby
from operator import and_, itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.commit_graph import CommitIndex
from pipelines.deployment_relations import History, Relation, live_at_start, relate, undo
from pipelines.undone import Undone, taken_back

_CELL = ("service_id", "environment", "repository_key")

RELATIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "deployment_id": pl.String,
    "service_id": pl.String,
    "environment": pl.String,
    "repository_key": pl.String,
    "relation": pl.String,
    "live_deployment_id": pl.String,
    "live_sha": pl.String,
    "shipped": pl.Int64,
    "dropped": pl.Int64,
    "is_unrelated": pl.Boolean,
    "failed_deployment_id": pl.String,
    "undone_deployment_ids": pl.List(pl.String),
    "unresolved_before_at": pl.Datetime("us", "UTC"),
}
SHIPPED: dict[str, pl.DataType | type[pl.DataType]] = {
    "service_id": pl.String,
    "environment": pl.String,
    "commit_no": pl.Int64,
    "deployment_id": pl.String,
    "relation": pl.String,
}
UNDONE: dict[str, pl.DataType | type[pl.DataType]] = {
    "service_id": pl.String,
    "environment": pl.String,
    "commit_no": pl.Int64,
    "rollback_deployment_id": pl.String,
    "rolled_back_at": pl.Datetime("us", "UTC"),
    "live_again_at": pl.Datetime("us", "UTC"),
}


class Shipped(NamedTuple):
    """What shipped with what.

    `commits`, one row a commit of a (service, environment): the deployment that shipped it,
    relation shipped or baseline. `deployments`, one row a deployment that went live: relation
    normal, redeploy, config, rollback, roll_forward, sideways, older_version, baseline or
    unresolved; the deployment and commit live when it started; commits shipped, and live commits it
    dropped; for a rollback the deployment that failed and the others undone; the last unresolved
    deployment's live time between the resolved one before and this one. `undone`, one row a commit
    that a rollback took out of there: by which and when first, and since when it is live again.
    """

    commits: pl.DataFrame
    deployments: pl.DataFrame
    undone: pl.DataFrame


def ship(index: CommitIndex, deployments: pl.DataFrame) -> Shipped:
    """Attribute every commit to the first live deployment that contains it.

    `deployments`: deployment_id, repository_key, service_id, environment, sha, started_at,
    live_at, and commit_no where it is known; those without live_at ship nothing and are left out.
    A twin of a shipped commit counts as shipped with it. With manifest_sha too, a commit that is
    live already and comes with another manifest is relation config. What is_older, if that is
    there, is a release of an older version than was there before: nothing is held against it.
    """
    live = (
        deployments.filter(pl.col("live_at").is_not_null())
        .with_columns(
            # A start after the end, or none, is a defect of the source; the end is what is known.
            pl.min_horizontal(pl.coalesce("started_at", "live_at"), "live_at").alias("started_at")
        )
        .sort("repository_key", *_CELL[:2], "live_at", "started_at", "deployment_id")
    )
    live = live.with_columns(index.resolve(live).alias("row"))
    rows = live["row"].to_list()
    started, ended = (live[name].dt.epoch("us").to_list() for name in ("started_at", "live_at"))
    manifests: list[str | None] = (
        live["manifest_sha"].to_list() if "manifest_sha" in live.columns else [None] * len(live)
    )
    older: list[bool] = (
        live["is_older"].to_list() if "is_older" in live.columns else [False] * len(live)
    )
    twins, boundary = index.twins, index.boundary
    relations: list[Relation] = []
    owned: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    undone: list[Undone] = []
    for key, cells in groupby(_cells(live), key=itemgetter(0)):
        first, end = index.ranges.get(key, (0, 0))
        places = [slice(start, stop) for _, start, stop in cells]
        tips = [
            None if row is None else row - first for row in rows[places[0].start : places[-1].stop]
        ]
        history = History(
            index.graph(key),
            sorted({tip for tip in tips if tip is not None}),
        )
        for at in places:
            found, owner = _cell(
                history,
                tips=tips[at.start - places[0].start : at.stop - places[0].start],
                started=started[at],
                ended=ended[at],
                manifests=manifests[at],
                older=older[at],
                twins=None if twins is None else twins[first:end],
                boundary=boundary[first:end],
            )
            if any(relation.name == "rollback" for relation in found):
                here = tips[at.start - places[0].start : at.stop - places[0].start]
                taken = taken_back(
                    history, here, found, None if twins is None else twins[first:end]
                )
                undone.append(taken.moved(rows=first, places=at.start))
            relations += [relation.moved(at.start) for relation in found]
            claimed = np.flatnonzero(owner >= 0)
            owned.append((claimed + first, owner[claimed] + at.start))
    return Shipped(
        _commit_rows(live, relations, owned),
        _deployment_rows(live, relations),
        _undone_rows(live, undone),
    )


def _cell(
    history: History,
    *,
    tips: list[int | None],
    started: list[int],
    ended: list[int],
    manifests: list[str | None],
    older: list[bool],
    twins: npt.NDArray[np.int64] | None,
    boundary: npt.NDArray[np.bool_],
) -> tuple[list[Relation], npt.NDArray[np.int64]]:
    """The live deployments of one service and environment, in order of `ended` (live time).

    Gives each one's relation, and for each commit the deployment that shipped it, or -1; a
    commit at a shallow boundary belongs to the first (what lies before it is unknown).
    """
    known = [at for at, tip in enumerate(tips) if tip is not None]
    place = np.array([*known, -1], dtype=np.int64)  # the last is what -1 points at: nobody
    walked = place[
        np.array(history.graph.claim([t for t in tips if t is not None]), dtype=np.int64)
    ]
    owner = walked if twins is None else _with_twins(walked, twins)
    if known:
        owner[(owner >= 0) & boundary] = known[0]
    shipped = np.bincount(owner[owner >= 0], minlength=len(tips)).tolist()
    is_new = [not each for each in older]
    live = live_at_start(started, ended, is_new)
    last_known = live
    if len(known) < len(tips):
        is_known = [tip is not None for tip in tips]
        last_known = live_at_start(started, ended, list(map(and_, is_new, is_known)))
    touched = history.touched(walked)
    relations: list[Relation] = []
    unresolved_at: int | None = None
    for at, tip in enumerate(tips):
        relation = Relation(live=live[at], shipped=shipped[at])
        relations.append(relation)
        if tip is None:
            relation.name = "unresolved"
            unresolved_at = ended[at]
            continue
        relation.unresolved_before, unresolved_at = unresolved_at, None
        owner_at = int(walked[tip])
        if at == known[0]:
            relation.name = "baseline"
        else:
            was_shipped = owner_at < at and ended[owner_at] <= started[at]
            relate(
                relations,
                history,
                tips,
                at=at,
                was_shipped=was_shipped,
                touched=touched,
                manifests=manifests,
                is_older=older[at],
                last_known=last_known[at],
            )
        if relation.name == "rollback":
            by_then = [each for each in known if each < at and ended[each] <= started[at]]
            undo(relations, history, tips, at=at, by_then=by_then)
    return relations, owner


def _with_twins(
    owner: npt.NDArray[np.int64], twins: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Owners after a rewrite: equal commits belong to the first that shipped any of them."""
    rows = np.flatnonzero((owner >= 0) & (twins >= 0))
    if not len(rows):
        return owner
    nobody = np.iinfo(np.int64).max
    earliest = np.full(twins.max() + 1, nobody)
    np.minimum.at(earliest, twins[rows], owner[rows])
    equal = np.flatnonzero(twins >= 0)
    equal = equal[earliest[twins[equal]] < nobody]
    owner = owner.copy()
    owner[equal] = earliest[twins[equal]]
    return owner


def _cells(live: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Per service and environment of a repository its key, first row and the row behind the last.

    The frame is sorted; one pass over all of it costs far less than one a repository.
    """
    runs = (
        live.with_row_index("at")
        .group_by(_CELL, maintain_order=True)
        .agg(pl.col("at").min().alias("start"), (pl.col("at").max() + 1).alias("stop"))
    )
    return list(runs.select("repository_key", "start", "stop").iter_rows())


def _commit_rows(
    live: pl.DataFrame,
    relations: list[Relation],
    owned: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]],
) -> pl.DataFrame:
    empty = np.empty(0, dtype=np.int64)
    owner = np.concatenate([empty, *(owners for _, owners in owned)])
    is_baseline = np.array([each.name == "baseline" for each in relations], dtype=bool)
    return (
        live.select("service_id", "environment", "deployment_id")[owner]
        .with_columns(
            commit_no=np.concatenate([empty, *(commits for commits, _ in owned)]),
            is_baseline=is_baseline[owner],
        )
        .select(
            *(name for name in SHIPPED if name != "relation"),
            pl.when("is_baseline")
            .then(pl.lit("baseline"))
            .otherwise(pl.lit("shipped"))
            .alias("relation"),
        )
    )


def _undone_rows(live: pl.DataFrame, undone: list[Undone]) -> pl.DataFrame:
    empty = np.empty(0, dtype=np.int64)
    rollback = np.concatenate([empty, *(each.rollbacks for each in undone)])
    again = pl.Series(np.concatenate([empty, *(each.again for each in undone)]))
    return (
        live.select(
            "service_id",
            "environment",
            rollback_deployment_id="deployment_id",
            rolled_back_at="live_at",
        )[rollback]
        .with_columns(
            commit_no=np.concatenate([empty, *(each.commits for each in undone)]),
            live_again_at=live["live_at"].gather(again.replace(-1, None)),
        )
        .select(pl.col(name).cast(kind) for name, kind in UNDONE.items())
    )


def _deployment_rows(live: pl.DataFrame, relations: list[Relation]) -> pl.DataFrame:
    ids: list[str] = live["deployment_id"].to_list()

    def at_place(name: str, places: list[int | None]) -> pl.Series:
        return live[name].gather(pl.Series(places, dtype=pl.Int64))

    lives, failed = [each.live for each in relations], [each.failed for each in relations]
    # Few deployments undo others; lists are dear to make, so only theirs are.
    undone = pl.DataFrame(
        {
            "at": [at for at, each in enumerate(relations) if each.undone],
            "undone": [[ids[at] for at in each.undone] for each in relations if each.undone],
        },
        schema={"at": pl.UInt32, "undone": pl.List(pl.String)},
    )
    rows = live.select("deployment_id", *_CELL).with_columns(
        relation=pl.Series([each.name for each in relations], dtype=pl.String),
        live_deployment_id=at_place("deployment_id", lives),
        live_sha=at_place("sha", lives),
        shipped=pl.Series([each.shipped for each in relations], dtype=pl.Int64),
        dropped=pl.Series([each.dropped for each in relations], dtype=pl.Int64),
        is_unrelated=pl.Series([each.is_unrelated for each in relations], dtype=pl.Boolean),
        failed_deployment_id=at_place("deployment_id", failed),
        unresolved_before_at=pl.Series(
            [each.unresolved_before for each in relations], dtype=pl.Int64
        ),
    )
    return (
        rows.with_row_index("at")
        .join(undone, on="at", how="left", maintain_order="left")
        .with_columns(
            undone_deployment_ids=pl.col("undone").fill_null(pl.lit([], pl.List(pl.String)))
        )
        .select(pl.col(name).cast(kind) for name, kind in RELATIONS.items())
    )
