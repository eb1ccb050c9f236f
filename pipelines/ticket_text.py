"""Read the class of a ticket from its words, learned from the organisation's own tickets.

Logistic regression over TF-IDF of words and pairs of words. Accuracy and calibration are measured
on tickets it was not trained on (five folds). It says nothing where it is not sure enough, and
nothing of a ticket most of whose words it has never seen: weighed by how telling a word is, half
of the text must be known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST_OF_A_CLASS: Final = 20
MOST_TICKETS: Final = 6_000
LEAST_KNOWN: Final = 0.5
_FOLDS: Final = 5
_SEED: Final = 7
_BINS: Final = 10
_TEMPERATURES: Final = np.round(np.arange(0.3, 3.01, 0.05), 2)
# Words of letters only: numbers, hosts with digits and hashes are of one ticket each.
_WORD: Final = r"(?u)\b[^\W\d_]{2,}\b"

Floats = NDArray[np.float64]
Words = NDArray[np.str_]

BIN_SCHEMA: Final = {
    "bin": pl.Float64,
    "tickets": pl.Int64,
    "mean_probability": pl.Float64,
    "right_share": pl.Float64,
}
READ_SCHEMA: Final = {"class": pl.String, "probability": pl.Float64, "known_share": pl.Float64}


@dataclass(slots=True)
class Reading:
    """What the model says of some texts, and how good it was on tickets it did not know.

    `read` has one row a text, as `READ_SCHEMA`; class is null where it says nothing, and all is
    null where there is no model: `reason` says why.
    """

    read: pl.DataFrame
    reason: str | None = None
    figures: dict[str, float | int | None] = field(default_factory=dict)
    bins: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BIN_SCHEMA))


def read(
    texts: Sequence[str], classes: Sequence[str], unread: Sequence[str], least: float
) -> Reading:
    """Learn from `texts` with their `classes`, and read `unread`; `least` is how sure it must be.

    `texts` come in an order that does not depend on their class; the first are taken.
    """
    nothing = pl.DataFrame({name: [None] * len(unread) for name in READ_SCHEMA}, schema=READ_SCHEMA)
    if not unread:
        return Reading(nothing, "every ticket has a class by a rule: no model is needed")
    texts, named = list(texts[:MOST_TICKETS]), np.array(classes[:MOST_TICKETS], dtype=np.str_)
    found, counts = np.unique(named, return_counts=True)
    known = found[counts >= LEAST_OF_A_CLASS]
    if len(known) < 2:
        told = ", ".join(f"{count} {name}" for name, count in zip(found, counts, strict=True))
        return Reading(
            nothing,
            f"too few tickets to learn from: {told or 'none'}; at least {LEAST_OF_A_CLASS} each "
            "of two classes are needed",
        )
    kept = np.isin(named, known)
    texts = [text for text, is_kept in zip(texts, kept, strict=True) if is_kept]
    named = named[kept]
    held, shares = _held_out(texts, named)
    temperature = _temperature(held, named, known)
    held = _tempered(held, temperature)
    figures = _figures(held, shares, named, known, least)
    figures["temperature"] = temperature
    reading = Reading(nothing, figures=figures, bins=_bins(held, named, known))
    if figures["accuracy"] <= figures["majority_share"]:
        reading.reason = (
            f"on held-out tickets it was right in {figures['accuracy']:.0%}, no better than always "
            f"saying the most frequent class ({figures['majority_share']:.0%}): it is not used"
        )
        return reading
    model = _Model(texts, named)
    unique = sorted(set(unread))
    probability, share = model.probabilities(unique)
    said = _said(_tempered(probability, temperature), share, known, least)
    answers = pl.DataFrame({"text": unique}).with_columns(said)
    reading.read = (
        pl.DataFrame({"text": list(unread)})
        .join(answers, on="text", how="left", maintain_order="left")
        .select(pl.col(name).cast(kind) for name, kind in READ_SCHEMA.items())
    )
    return reading


class _Model:
    """Fitted to texts; gives probabilities in the order of the sorted classes."""

    def __init__(self, texts: Sequence[str], classes: Words) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        shared: dict[str, Any] = {
            "token_pattern": _WORD,
            "min_df": 2,
            "sublinear_tf": True,
            "strip_accents": "unicode",
        }
        self._pairs = TfidfVectorizer(ngram_range=(1, 2), max_features=30_000, **shared)
        self._words = TfidfVectorizer(**shared)
        self._is_empty = False
        try:
            features = self._pairs.fit_transform(texts)
            self._words.fit(texts)
        except ValueError:  # not one word stands in two tickets
            self._is_empty = True
            self._share = np.array([(classes == name).mean() for name in np.unique(classes)])
            return
        self._regression = LogisticRegression(C=10.0, max_iter=300)
        self._regression.fit(features, classes)

    def probabilities(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Per text the probability of each class, and the share of it that is known."""
        if self._is_empty:
            return np.tile(self._share, (len(texts), 1)), np.zeros(len(texts))
        probability = self._regression.predict_proba(self._pairs.transform(texts))
        return np.asarray(probability, dtype=np.float64), self._known(texts)

    def _known(self, texts: Sequence[str]) -> Floats:
        """How much of what a text says is known: each word weighs as much as it is rare."""
        weights = self._words.idf_
        vocabulary: dict[str, int] = self._words.vocabulary_
        analyse = self._words.build_analyzer()
        rarest = float(weights.max())
        shares = np.zeros(len(texts))
        for index, text in enumerate(texts):
            words = set(analyse(text))
            places = [vocabulary[word] for word in words if word in vocabulary]
            familiar = float(np.sort(weights[places]).sum())
            unseen = rarest * (len(words) - len(places))
            shares[index] = familiar / (familiar + unseen) if words else 0.0
        return shares


def _held_out(texts: Sequence[str], classes: Words) -> tuple[Floats, Floats]:
    """Probabilities and known shares of each text, from a model that was trained without it."""
    from sklearn.model_selection import StratifiedKFold

    known = np.unique(classes)
    probability = np.zeros((len(texts), len(known)))
    shares = np.zeros(len(texts))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for train, test in folds.split(np.zeros(len(texts)), classes):
        model = _Model([texts[i] for i in train], classes[train])
        probability[test], shares[test] = model.probabilities([texts[i] for i in test])
    return probability, shares


def _temperature(probability: Floats, classes: Words, known: Words) -> float:
    """The one number that makes stated and real frequencies agree best on held-out tickets."""
    right = np.searchsorted(known, classes)
    rows = np.arange(len(classes))
    losses = [
        float(-np.log(np.maximum(_tempered(probability, each)[rows, right], 1e-12)).mean())
        for each in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(np.round(losses, 9)))])


def _tempered(probability: Floats, temperature: float) -> Floats:
    logits = np.log(np.maximum(probability, 1e-12)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    tempered: Floats = np.round(raised / raised.sum(axis=1, keepdims=True), 6)
    return tempered


def _said(probability: Floats, shares: Floats, known: Words, least: float) -> list[pl.Series]:
    best = probability.max(axis=1)
    named = known[probability.argmax(axis=1)]
    is_sure = (best >= least) & (shares >= LEAST_KNOWN)
    said = [str(name) if sure else None for name, sure in zip(named, is_sure, strict=True)]
    return [
        pl.Series("class", said, dtype=pl.String),
        pl.Series("probability", best),
        pl.Series("known_share", np.round(shares, 6)),
    ]


def _figures(
    probability: Floats, shares: Floats, classes: Words, known: Words, least: float
) -> dict[str, Any]:
    """Accuracy of all and of those it answers, Brier score and calibration error."""
    best = probability.max(axis=1)
    is_right = known[probability.argmax(axis=1)] == classes
    truth = (classes[:, None] == known[None, :]).astype(np.float64)
    is_answered = (best >= least) & (shares >= LEAST_KNOWN)
    answered = int(is_answered.sum())
    place = np.minimum((best * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(best[place == each].mean() - is_right[place == each].mean()))
        * int((place == each).sum())
        for each in np.unique(place)
    ]
    _, counts = np.unique(classes, return_counts=True)
    return {
        "tickets": len(classes),
        "classes": len(known),
        "accuracy": round(float(is_right.mean()), 6),
        "majority_share": round(float(counts.max() / len(classes)), 6),
        "answered": answered,
        "answered_share": round(answered / len(classes), 6),
        "answered_right": int(is_right[is_answered].sum()),
        "answered_accuracy": round(float(is_right[is_answered].mean()), 6) if answered else None,
        "unfamiliar": int((shares < LEAST_KNOWN).sum()),
        "brier": round(float(((probability - truth) ** 2).sum(axis=1).mean()), 6),
        "calibration_error": round(sum(gaps) / len(classes), 6),
    }


def _bins(probability: Floats, classes: Words, known: Words) -> pl.DataFrame:
    """How often it is right where it says so much: one row a tenth of stated probability."""
    best = probability.max(axis=1)
    is_right = known[probability.argmax(axis=1)] == classes
    place = np.minimum((best * _BINS).astype(int), _BINS - 1)
    rows = [
        (
            int(each) / _BINS,
            int((place == each).sum()),
            round(float(best[place == each].mean()), 6),
            round(float(is_right[place == each].mean()), 6),
        )
        for each in np.unique(place)
    ]
    return pl.DataFrame(rows, schema=BIN_SCHEMA, orient="row")
