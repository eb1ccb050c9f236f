"""Which tags are releases, where the settings do not say: those that look like a version.

Both expressions are for Python and for DuckDB, which knows no look-around.
"""

import re

# shop/v1.2.3, @shop/cart@1.2, REL_16_2, OpenSSL_1_1_1w, 2026.11.29, 1.2.3-hotfix.1, 1.2.3+build …
_VERSION = (
    r"(?:.*[-/@_])?[vrn]?\d+(?:[._]\d+)+[a-z]?"
    r"(?:[-._]?(?:final|ga|release|hotfix|patch|post|p|sp|lts|ee|ce)(?:[-._]?\d+)?|-\d+)?"
    r"(?:\+[\w.-]+)?"
)
# v1350, release-123, shop-release_2026-11-29 …
_NUMBERED = (
    r"(?:.*[-/@_])?(?:v|rel|releases?|deploy(?:ed|ment)?|prod(?:uction)?|live)[-_/.]?"
    r"\d+(?:[-._T]?\d+)*"
)
# 2026-11-29, 20261129.2 …
_DATE = r"\d{4}-\d\d-\d\d(?:[-._T]?\d+)*|20\d{6}(?:[-._T]?\d+)*"
_RELEASE = rf"(?i)^(?:{_VERSION}|{_NUMBERED}|{_DATE})$"
# rc-8_22_0, nightly-2026-11-29, 1.2.0-beta-2 …; other words behind a version are in none of these.
_WORDS = "rc|alpha|beta|pre|preview|dev|nightly|snapshot|canary|test"
_UNFINISHED = rf"(?i)(?:^|[-/@_.])(?:{_WORDS})[-_/.]?v?\d"
_NOTHING = r"[^\s\S]"


def patterns(given: str | None) -> tuple[str, str]:
    """What a release's tag matches, and what it does not; with a pattern given that one decides."""
    return (_RELEASE, _UNFINISHED) if given is None else (given, _NOTHING)


def is_release(tag: str, given: str | None) -> bool:
    """Whether a tag is a release, by the pattern of the settings or by its look."""
    release, unfinished = patterns(given)
    return re.search(release, tag) is not None and re.search(unfinished, tag) is None
