"""Which people may be one, by the likeness of their names: suggestions that wait for somebody.

A score of 0 to 100 says how alike; nothing is joined here. Only people that share a key (a name
and the first letter of another, a name written as one word) are compared, so that the work grows
with the accounts and not with their square.
"""

import polars as pl

LEAST_SCORE = 80
# A key that more people share than this says nothing of any two of them.
MOST_IN_A_BLOCK = 300
_MOST_TOKENS = 4
_LEAST_LETTERS = 5

SCHEMA = {"left": pl.String, "right": pl.String, "score": pl.Int64, "why": pl.String}
_WORD = pl.List(pl.String)
_LABELS = {"person": pl.String, "kind": pl.String, "text": pl.String, "tokens": _WORD}

# Names that many machines and many beginners have.
_NOBODY = (
    *("admin", "administrator", "build", "builder", "buildbot", "deploy", "deployer", "developer"),
    *("devops", "gitlab", "github", "gerrit", "jenkins", "noreply", "service", "support", "system"),
    *("ubuntu", "unknown", "operations", "backup", "office", "contact", "hello", "webmaster"),
    *("name your", "first last", "user name", "unknown user", "root system", "doe john"),
    *("team the", "build server", "ci server", "continuous integration"),
)


def suggest(accounts: pl.DataFrame) -> pl.DataFrame:
    """Pairs of people that may be one, as `SCHEMA`: left < right, the best reason of each pair.

    `accounts`: account_id, person (its id so far), name, login, local (of its address); texts may
    be null. Machines must not be among them.
    """
    labels = _labels(accounts)
    pairs = _candidates(labels)
    if pairs.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    found = pl.concat([_full(labels, pairs), _compact(labels, pairs)])
    return (
        found.filter(pl.col("score") >= LEAST_SCORE)
        .sort("left", "right", "score", "why", descending=[False, False, True, False])
        .unique(["left", "right"], keep="first", maintain_order=True)
        .select(SCHEMA.keys())
    )


def _labels(accounts: pl.DataFrame) -> pl.DataFrame:
    """What each person is called: person, kind (name, login, address), text as shown, tokens."""
    told = pl.concat(
        [
            accounts.select("person", kind=pl.lit(kind), text=column)
            for kind, column in (("name", "name"), ("login", "login"), ("address", "local"))
        ]
    ).drop_nulls("text")
    letters = (
        pl.col("text")
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_lowercase()
        .str.replace_all("ß", "ss")
        # ü is written u or ue; both sides are read the same way.
        .str.replace_all(r"([aou])e", "$1")
        .str.extract_all(r"\p{L}+")
    )
    return (
        told.with_columns(tokens=letters)
        # An initial in the middle tells little, two words do.
        .with_columns(
            tokens=pl.when(
                pl.col("tokens").list.eval(pl.element().str.len_chars() > 1).list.sum() >= 2
            )
            .then(pl.col("tokens").list.eval(pl.element().filter(pl.element().str.len_chars() > 1)))
            .otherwise("tokens")
            .list.head(_MOST_TOKENS)
        )
        .filter(pl.col("tokens").list.len() > 0)
        .with_columns(joined=pl.col("tokens").list.sort().list.join(" "))
        .filter(~pl.col("joined").is_in(list(_NOBODY)))
        .sort("person", "kind", "text")
        .unique(["person", "joined"], keep="first", maintain_order=True)
    )


def _candidates(labels: pl.DataFrame) -> pl.DataFrame:
    """Pairs of people with a key in common: left, right."""
    keyed = (
        labels.with_columns(keys=_keys())
        .select("person", key="keys")
        .explode("key")
        .drop_nulls()
        .unique()
        .with_columns(size=pl.len().over("key"))
    )
    near = keyed.filter(pl.col("size").is_between(2, MOST_IN_A_BLOCK))
    pairs = near.join(near, on="key").filter(pl.col("person") < pl.col("person_right"))
    # Of a name that very many have, each with the first: else a large group would be lost whole.
    equal = (
        labels.filter(pl.col("tokens").list.len() > 1)
        .select("person", "joined")
        .unique()
        .with_columns(left=pl.col("person").min().over("joined"))
        .filter(pl.col("left") != pl.col("person"))
        .select("left", right="person")
    )
    return (
        pl.concat([pairs.select(left="person", right="person_right"), equal])
        .unique()
        .sort("left", "right")
    )


def _keys() -> pl.Expr:
    """The keys of a label: each word with the initial of each other one, and words run together."""
    tokens = pl.col("tokens")
    places = range(_MOST_TOKENS)
    word = [tokens.list.get(place, null_on_oob=True) for place in places]
    spread = [
        word[one] + "|" + word[other].str.slice(0, 1)
        for one in places
        for other in places
        if one != other
    ]
    return pl.concat_list([*spread, *(("=" + text) for text in _run_together())])


def _run_together() -> list[pl.Expr]:
    """How a name of several words is written as one: annsmith, smithann, asmith, anns."""
    first, last = pl.col("tokens").list.first(), pl.col("tokens").list.last()
    is_one = pl.col("tokens").list.len() == 1
    return [
        pl.when(is_one).then(first).otherwise(first + last),
        pl.when(~is_one).then(last + first),
        pl.when(~is_one).then(first.str.slice(0, 1) + last),
        pl.when(~is_one).then(first + last.str.slice(0, 1)),
    ]


def _full(labels: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Scores of pairs where both have a name of two words or more."""
    from rapidfuzz import fuzz, process

    several = labels.filter(pl.col("tokens").list.len() > 1)
    compared = _compared(several, several, pairs)
    if compared.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    texts = compared.select("joined", "joined_right").unique(maintain_order=True)
    ratios = process.cpdist(
        texts["joined"].to_list(), texts["joined_right"].to_list(), scorer=fuzz.ratio
    )
    near = texts.with_columns(ratio=pl.Series(ratios, dtype=pl.Float64)).filter(
        pl.col("ratio") >= LEAST_SCORE - 10
    )
    scores = [
        round((ratio + _words_alike(one.split(), other.split())) / 2)
        for one, other, ratio in near.iter_rows()
    ]
    scored = near.with_columns(score=pl.Series(scores, dtype=pl.Int64))
    return compared.join(scored, on=["joined", "joined_right"]).select(
        "left", "right", "score", why=_why("is like")
    )


def _words_alike(one: list[str], other: list[str]) -> float:
    """How alike the least alike word is, each with its nearest; words that are over cost a bit."""
    from rapidfuzz import fuzz

    short, long = sorted((one, other), key=len)
    left, least = list(long), 100.0
    for word in short:
        nearest = max(left, key=lambda each: (fuzz.ratio(word, each), each))
        least = min(least, fuzz.ratio(word, nearest))
        left.remove(nearest)
    return max(0.0, least - 5 * len(left))


def _compact(labels: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Scores of pairs where a word stands for the other's name, or is the same word."""
    words = labels.filter(
        (pl.col("tokens").list.len() == 1) & (pl.col("joined").str.len_chars() >= _LEAST_LETTERS)
    )
    names = labels.with_columns(
        pl.concat_list(form).alias("forms") for form in [_run_together()]
    ).with_columns(
        score=pl.when(pl.col("tokens").list.len() == 1)
        .then(pl.lit([85, 0, 0, 0], dtype=pl.List(pl.Int64)))
        .otherwise(pl.lit([95, 95, 85, 85], dtype=pl.List(pl.Int64)))
    )
    forms = names.explode("forms", "score").drop_nulls("forms")
    both = pl.concat([pairs.select("left", "right"), pairs.select(left="right", right="left")])
    found = (
        words.rename({"person": "left"})
        .join(both, on="left")
        .join(forms, left_on=["right", "joined"], right_on=["person", "forms"])
    )
    return found.select(
        left=pl.min_horizontal("left", "right"),
        right=pl.max_horizontal("left", "right"),
        score="score",
        why=_why("fits"),
    )


def _compared(left: pl.DataFrame, right: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The labels of both sides of each pair."""
    return pairs.join(left, left_on="left", right_on="person").join(
        right, left_on="right", right_on="person"
    )


def _why(verb: str) -> pl.Expr:
    """The reason in words; what stands before the @ of an address is not written down."""

    def told(suffix: str) -> pl.Expr:
        shown = pl.col(f"text{suffix}").str.replace_all(r"@\S*", "").str.slice(0, 80)
        kind = pl.col(f"kind{suffix}")
        return (
            pl.when(kind == "address")
            .then(pl.lit("the address"))
            .otherwise(kind + " “" + shown + "”")
        )

    return told("") + f" {verb} " + told("_right")
