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
_MOST_FEATURES: Final = 8_000
_FOLDS: Final = 5
_SEED: Final = 7
_BINS: Final = 10
# Where no held-out ticket was read wrongly, ever lower ones look better: not below a half.
_TEMPERATURES: Final = np.round(np.arange(0.5, 2.51, 0.1), 2)
_DOUBTS: Final = np.round(np.arange(0, 0.41, 0.02), 2)
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
    counted = _Counted([text for text, is_kept in zip(texts, kept, strict=True) if is_kept])
    if counted.is_empty:
        return Reading(nothing, "no word stands in two of the tickets to learn from")
    named = named[kept]
    held, shares = _held_out(counted, named)
    calibration = _calibrated(held, named, known)
    held = calibration(held)
    figures = _figures(held, shares, named, known, least)
    figures |= {"temperature": calibration.temperature, "doubt": calibration.doubt}
    reading = Reading(nothing, figures=figures, bins=_bins(held, named, known))
    if figures["accuracy"] <= figures["majority_share"]:
        reading.reason = (
            f"on held-out tickets it was right in {figures['accuracy']:.0%}, no better than always "
            f"saying the most frequent class ({figures['majority_share']:.0%}): it is not used"
        )
        return reading
    model = _Model(counted.labelled, counted.is_word, named)
    unique = sorted(set(unread))
    probability, share = model.probabilities(*counted.of(unique))
    said = _said(calibration(probability), share, known, least)
    answers = pl.DataFrame({"text": unique}).with_columns(said)
    reading.read = (
        pl.DataFrame({"text": list(unread)})
        .join(answers, on="text", how="left", maintain_order="left")
        .select(pl.col(name).cast(kind) for name, kind in READ_SCHEMA.items())
    )
    return reading


class _Counted:
    """Texts as counts of the words and pairs of words that stand in two labelled ones."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

        shared: dict[str, Any] = {"token_pattern": _WORD, "strip_accents": "unicode"}
        self._pairs = CountVectorizer(
            ngram_range=(1, 2), max_features=_MOST_FEATURES, min_df=2, **shared
        )
        # Only to count how many different words a text has, known or not.
        self._words = HashingVectorizer(
            n_features=2**20, norm=None, binary=True, alternate_sign=False, **shared
        )
        try:
            self.labelled = self._pairs.fit_transform(texts)
        except ValueError:  # not one word stands in two tickets
            self.is_empty = True
            return
        self.is_empty = False
        self.words = self._distinct(texts)
        names = self._pairs.get_feature_names_out()
        self.is_word = np.array([" " not in name for name in names])

    def of(self, texts: Sequence[str]) -> tuple[Any, Floats]:
        """Other texts: their counts, and how many different words each has."""
        return self._pairs.transform(texts), self._distinct(texts)

    def _distinct(self, texts: Sequence[str]) -> Floats:
        found: Floats = self._words.transform(texts).getnnz(axis=1).astype(np.float64)
        return found


class _Model:
    """Fitted to counted texts; gives probabilities in the order of the sorted classes."""

    def __init__(self, counts: Any, is_word: NDArray[np.bool_], classes: Words) -> None:
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        frequency = np.asarray((counts > 0).sum(axis=0)).ravel()
        self._kept = np.flatnonzero(frequency >= 2)
        self._is_word = is_word[self._kept]
        self._weights = TfidfTransformer(sublinear_tf=True)
        features = self._weights.fit_transform(counts[:, self._kept])
        self._regression = LogisticRegression(C=10.0, tol=1e-3, max_iter=200)
        # One thread: sums in one order, and no waiting for a processor that others use.
        with threadpool_limits(1):
            self._regression.fit(features, classes)

    def probabilities(self, counts: Any, words: Floats) -> tuple[Floats, Floats]:
        """Per text the probability of each class, and the share of it that is known.

        Known is what a text says: each word weighs as much as it is rare, an unknown one as much
        as the rarest.
        """
        kept = counts[:, self._kept]
        probability = self._regression.predict_proba(self._weights.transform(kept))
        seen = (kept > 0).astype(np.float64)[:, np.flatnonzero(self._is_word)]
        weights = self._weights.idf_[self._is_word]
        familiar = seen @ weights
        unseen = weights.max(initial=0.0) * np.maximum(words - seen.getnnz(axis=1), 0)
        total = familiar + unseen
        shares = np.divide(familiar, total, out=np.zeros(len(words)), where=total > 0)
        return np.asarray(probability, dtype=np.float64), shares


def _held_out(texts: _Counted, classes: Words) -> tuple[Floats, Floats]:
    """Probabilities and known shares of each text, from a model that was trained without it."""
    from sklearn.model_selection import StratifiedKFold

    probability = np.zeros((len(classes), len(np.unique(classes))))
    shares = np.zeros(len(classes))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for train, test in folds.split(np.zeros(len(classes)), classes):
        model = _Model(texts.labelled[train], texts.is_word, classes[train])
        probability[test], shares[test] = model.probabilities(
            texts.labelled[test], texts.words[test]
        )
    return probability, shares


@dataclass(frozen=True, slots=True)
class _Calibration:
    """Makes stated frequencies real: a temperature, and the doubt that labels themselves leave."""

    temperature: float
    doubt: float
    shares: Floats

    def __call__(self, probability: Floats) -> Floats:
        logits = np.log(np.maximum(probability, 1e-12)) / self.temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        tempered = raised / raised.sum(axis=1, keepdims=True)
        mixed: Floats = np.round((1 - self.doubt) * tempered + self.doubt * self.shares, 6)
        return mixed


def _calibrated(probability: Floats, classes: Words, known: Words) -> _Calibration:
    """The two numbers under which held-out tickets are the least surprising."""
    right = np.searchsorted(known, classes)
    rows = np.arange(len(classes))
    shares = np.bincount(right, minlength=len(known)) / len(classes)
    candidates = [
        _Calibration(float(temperature), float(doubt), shares)
        for temperature in _TEMPERATURES
        for doubt in _DOUBTS
    ]
    losses = [
        float(-np.log(np.maximum(each(probability)[rows, right], 1e-12)).mean())
        for each in candidates
    ]
    return candidates[int(np.argmin(np.round(losses, 9)))]


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
