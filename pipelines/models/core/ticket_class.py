"""What each ticket is: a request, building, an incident or overhead, and what says so."""

import polars as pl

from pipelines import ticket_text
from pipelines.ticket_text import Reading

TABLES = {
    "ticket_class": """
        One row per ticket: its class, and what says so. `unclassified` where nothing does.
        A rule first (see ticket_rule); else, of the infrastructure team's tickets, the text model.
        key: ticket_id
        not null: class, method, is_infrastructure
        check: class in ('request', 'build', 'incident', 'overhead', 'unclassified')
        check: (class = 'unclassified') = (method = 'none')
    """,
    "ticket_model": """
        One row per text model (at most one): what it learned from, how good it was on tickets it
        was not trained on, and why there is none where there is none.
        key: model
        not null: model, is_used, tickets
        check: is_used <> (reason is not null)
    """,
    "ticket_model_bin": """
        One row per tenth of stated probability of the text model: how often it was right on
        held-out tickets.
        key: bin
        not null: tickets, mean_probability, right_share
    """,
}

INPUTS = {
    "rules": """
        select ticket_id, is_infrastructure, class, method, rule
        from ticket_rule order by ticket_id
    """,
    # The order decides which tickets are learned from where there are very many.
    "labelled": """
        select r.ticket_id, r.class,
            t.title || ' ' || coalesce(left(t.description, 500), '') as text
        from ticket_rule as r
        join records.ticket as t on t.ticket_id = r.ticket_id
        where r.class is not null
        order by r.is_infrastructure desc, r.method <> 'correction', md5(r.ticket_id), r.ticket_id
        limit 6000
    """,
    "unread": """
        select r.ticket_id, t.title || ' ' || coalesce(left(t.description, 500), '') as text
        from ticket_rule as r
        join records.ticket as t on t.ticket_id = r.ticket_id
        where r.class is null and r.is_infrastructure
        order by r.ticket_id
    """,
    "parameter": "select text_probability from input.request_rule",
}

_FIGURES = {
    "tickets": pl.Int64,
    "classes": pl.Int64,
    "accuracy": pl.Float64,
    "majority_share": pl.Float64,
    "answered": pl.Int64,
    "answered_share": pl.Float64,
    "answered_right": pl.Int64,
    "answered_accuracy": pl.Float64,
    "unfamiliar": pl.Int64,
    "brier": pl.Float64,
    "calibration_error": pl.Float64,
    "temperature": pl.Float64,
    "doubt": pl.Float64,
}


def model(
    rules: pl.DataFrame, labelled: pl.DataFrame, unread: pl.DataFrame, parameter: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Rules first, the words where no rule says anything."""
    reading = ticket_text.read(
        labelled["text"].to_list(),
        labelled["class"].to_list(),
        unread["text"].to_list(),
        parameter["text_probability"][0],
    )
    said = unread.select("ticket_id").with_columns(
        reading.read["class"].alias("text_class"),
        reading.read["probability"],
        reading.read["known_share"],
    )
    return {
        "ticket_class": _classes(rules, said),
        "ticket_model": _model_row(reading, labelled.height, unread.height, said),
        "ticket_model_bin": reading.bins,
    }


def _classes(rules: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    is_text = pl.col("class").is_null() & pl.col("text_class").is_not_null()
    return (
        rules.join(said, on="ticket_id", how="left")
        .select(
            "ticket_id",
            "is_infrastructure",
            **{"class": pl.coalesce("class", "text_class", pl.lit("unclassified"))},
            method=pl.when(is_text).then(pl.lit("text")).otherwise("method"),
            # Of words it never saw the model's probability means nothing.
            probability=pl.when(pl.col("known_share") >= ticket_text.LEAST_KNOWN).then(
                "probability"
            ),
            rule=pl.when(is_text)
            .then(pl.lit("its words"))
            .when(pl.col("class").is_null() & (pl.col("known_share") < ticket_text.LEAST_KNOWN))
            .then(pl.lit("no rule, and words that are new to the text model"))
            .when(pl.col("class").is_null() & pl.col("probability").is_not_null())
            .then(pl.lit("no rule, and the text model is not sure"))
            .when(pl.col("class").is_null())
            .then(pl.lit("no rule"))
            .otherwise("rule"),
        )
        .sort("ticket_id")
    )


def _model_row(reading: Reading, labelled: int, unread: int, said: pl.DataFrame) -> pl.DataFrame:
    figures = {name: [reading.figures.get(name)] for name in _FIGURES}
    if not reading.figures:
        figures["tickets"] = [labelled]
    return pl.DataFrame(
        {
            "model": ["text"],
            "is_used": [reading.reason is None],
            "reason": [reading.reason],
            "unread": [unread],
            "read": [said["text_class"].count()],
            **figures,
        },
        schema={
            "model": pl.String,
            "is_used": pl.Boolean,
            "reason": pl.String,
            "unread": pl.Int64,
            "read": pl.Int64,
            **_FIGURES,
        },
    )
