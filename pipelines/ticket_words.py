"""Groups of titles that are alike, with names a person can read; equal titles, equal groups."""

import re
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

OTHERS = "Other requests"
SMALLEST_GROUP = 5
# Grouping takes the square of this in memory; rarer titles join the nearest group.
MOST_TITLES = 2_500
DISTANCE = 0.75
# Within one category the words that most titles share are what is repeated, and must count; what
# fewer than one title in twenty has (who, which service) fills the gaps of it.
DISTANCE_WITHIN = 0.5
_SHARED_BY = 0.05

_NAME_WORDS = 3
_NOISE = re.compile(r"\S*\d\S*|https?://\S+|[^\w\s'-]|_")
_WORD = r"\S{2,}"
_SAYING_NOTHING = """
    a an and are as at be by can could do does for from get has have help hi hello how i in into is
    it me my need needs new no not of on or our please pls request requesting so that the their
    there this to up us want we what when where which who why will with would you your
    bitte der die das den dem des ein eine einen für im ist mit und von wir zu zum zur
"""
_STOP_WORDS = frozenset(_SAYING_NOTHING.split())


def groups(titles: list[str]) -> list[str]:
    """The name of each title's group; titles like no others are `OTHERS`."""
    plain = [_plain(title) for title in titles]
    counts = Counter(text for text in plain if text)
    ordered = sorted(counts, key=lambda text: (-counts[text], text))
    if not ordered:
        return [OTHERS] * len(titles)
    labels = _labels(ordered)
    sizes: Counter[int] = Counter()
    for text, label in zip(ordered, labels, strict=True):
        sizes[label] += counts[text]
    members: dict[int, list[str]] = {}
    for text, label in zip(ordered, labels, strict=True):
        if label >= 0 and sizes[label] >= SMALLEST_GROUP:
            members.setdefault(label, []).append(text)
    names: dict[str, str] = {}
    for texts in members.values():
        name = _name(texts, counts)
        names |= dict.fromkeys(texts, name)
    return [names.get(text, OTHERS) for text in plain]


def largest(titles: list[str]) -> tuple[str, list[bool]] | None:
    """The largest group of like titles, of any size: its name, and which titles are in it.

    None where no title has words. Of groups of one size, the one with the most usual title.
    """
    plain = _without_rare([_plain(title) for title in titles])
    counts = Counter(text for text in plain if text)
    ordered = sorted(counts, key=lambda text: (-counts[text], text))
    if not ordered:
        return None
    members: dict[int, list[str]] = {}
    for place, (text, label) in enumerate(zip(ordered, _labels(ordered, is_one=True), strict=True)):
        # Titles near no group stand for themselves.
        members.setdefault(label if label >= 0 else -1 - place, []).append(text)
    texts = max(members.values(), key=lambda group: sum(counts[text] for text in group))
    return _name(texts, counts), [text in texts for text in plain]


def _plain(title: str) -> str:
    """The words of a title, without numbers, addresses and signs."""
    words = _NOISE.sub(" ", title.casefold()).split()
    return " ".join(word.strip("'-") for word in words if word.strip("'-"))


def _without_rare(plain: list[str]) -> list[str]:
    """Titles reduced to the words that several of them share; those that share none stay whole."""
    found = Counter(word for text in plain for word in set(text.split()))
    least = max(2, _SHARED_BY * len(plain))
    shared = [" ".join(word for word in text.split() if found[word] >= least) for text in plain]
    return [
        part if set(part.split()) - _STOP_WORDS else text
        for part, text in zip(shared, plain, strict=True)
    ]


def _labels(ordered: list[str], *, is_one: bool = False) -> list[int]:
    """A group's number for each distinct title; −1 for those near no group.

    `is_one`: the titles are of one category, where a word that all share is no less telling.
    """
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(ordered) == 1:
        return [0]
    vectorizer = TfidfVectorizer(
        stop_words=sorted(_STOP_WORDS),
        token_pattern=_WORD,
        sublinear_tf=True,
        use_idf=not is_one,
    )
    distance = DISTANCE_WITHIN if is_one else DISTANCE
    try:
        matrix = vectorizer.fit_transform(ordered)
    except ValueError:  # nothing but words that say nothing
        return [-1] * len(ordered)
    head = matrix[:MOST_TITLES]
    is_empty = np.asarray(head.getnnz(axis=1)) == 0
    labels = np.full(len(ordered), -1)
    kept = np.flatnonzero(~is_empty)
    if len(kept) < 2:
        return [0 if place in kept else -1 for place in range(len(ordered))]
    distances = np.clip(1 - (head[kept] @ head[kept].T).toarray().round(12), 0, None)
    labels[kept] = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=distance
    ).fit_predict(distances)
    if matrix.shape[0] > MOST_TITLES:
        labels[MOST_TITLES:] = _nearest(head[kept], labels[kept], matrix[MOST_TITLES:], distance)
    return [int(label) for label in labels]


def _nearest(
    known: Any, labels: NDArray[np.int64], others: Any, distance: float
) -> NDArray[np.int64]:
    """The group whose mean direction is nearest; −1 where none is near enough."""
    from sklearn.preprocessing import normalize

    numbers = np.unique(labels)
    member = (labels[None, :] == numbers[:, None]).astype(np.float64)
    centres = normalize(member @ known)
    likeness = np.asarray(others @ centres.T).round(12)
    best = likeness.argmax(axis=1)
    near = likeness[np.arange(len(best)), best] > 1 - distance
    found: NDArray[np.int64] = np.where(near, numbers[best], -1)
    return found


def _name(texts: list[str], counts: Counter[str]) -> str:
    """The words most of the titles share, in the order of the most usual title that has them."""
    words: Counter[str] = Counter()
    for text in texts:
        for word in set(text.split()) - _STOP_WORDS:
            words[word] += counts[text]
    common = sorted(words, key=lambda word: (-words[word], word))[:_NAME_WORDS]
    half = sum(counts[text] for text in texts) / 2
    common = [word for word in common if words[word] >= half] or common[:1]
    model = max(texts, key=lambda text: (sum(w in text.split() for w in common), counts[text]))
    told = [word for word in dict.fromkeys(model.split()) if word in common]
    return " ".join(told or common).capitalize()
