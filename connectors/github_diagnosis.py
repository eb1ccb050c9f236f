"""What `leadline doctor` asks of GitHub: token, scopes, organisation, limits, clock."""

import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from connectors.answer import Answer
from connectors.connector import Finding, Pull, SourceError
from connectors.failures import ForbiddenError, NotFoundError
from connectors.github_alerts import ORGANISATION_ALERTS, REPOSITORY_ALERTS
from connectors.github_graphql import Asker
from connectors.github_options import GithubOptions
from connectors.github_queries import DIAGNOSIS
from connectors.reading import dig

_SKEW = timedelta(seconds=60)
_FEW_LEFT = 500


def diagnose(options: GithubOptions, pull: Pull) -> Iterator[Finding]:
    """Four requests, of which the limit's own costs nothing."""
    try:
        limits = pull.client.get("rate_limit")
    except SourceError as error:
        yield Finding("error", "credential", str(error))
        return
    yield Finding("ok", "credential", f"{pull.client.base_url} accepts it")
    yield from _scopes(options, limits)
    yield from _limits(limits)
    yield from _clock(limits)
    try:
        yield from _organisation(options, pull)
    except SourceError as error:
        yield Finding("error", "organisation", str(error))
        return
    if options.code_scanning:
        yield from _code_scanning(options, pull)


def _code_scanning(options: GithubOptions, pull: Pull) -> Iterator[Finding]:
    """Whether alerts may be read; a repository without code scanning refuses in the same words."""
    paths = [REPOSITORY_ALERTS.format(name) for name in options.repositories[:1]] or [
        ORGANISATION_ALERTS.format(options.organisation)
    ]
    try:
        pull.client.get(paths[0], {"per_page": 1})
    except (ForbiddenError, NotFoundError) as error:
        yield Finding(
            "warning",
            "code scanning",
            f"alerts cannot be read: {error}; either code scanning is off, or the credential lacks "
            "security_events (an App: Code scanning alerts, read), or for the organisation's list "
            "its owner is neither owner nor security manager; set code_scanning = false to be "
            "asked no more",
        )
    except SourceError as error:
        yield Finding("error", "code scanning", str(error))
    else:
        yield Finding("ok", "code scanning", "alerts can be read")


def _scopes(options: GithubOptions, answer: Answer) -> Iterator[Finding]:
    told = answer.headers.get("x-oauth-scopes")
    if options.app is not None or told is None:
        yield Finding(
            "ok",
            "permissions",
            "an App or fine-grained token; GitHub does not say what it may read, what it needs is "
            "listed below",
        )
        return
    scopes = {scope.strip() for scope in told.split(",") if scope.strip()}
    if "repo" not in scopes:
        yield Finding(
            "warning",
            "scopes",
            "the token has no scope repo: private repositories stay invisible; add it in the "
            "token's settings",
        )
    if options.organisation is not None and not scopes & {"read:org", "write:org", "admin:org"}:
        yield Finding(
            "warning",
            "scopes",
            "the token has no scope read:org: teams and members stay empty; add it in the "
            "token's settings",
        )
    if not scopes & {"user", "read:user", "user:email"}:
        yield Finding(
            "warning",
            "scopes",
            "the token has no scope read:user: accounts are matched to commits without their "
            "public e-mail addresses; add it in the token's settings",
        )
    yield Finding("ok", "scopes", f"the token has {', '.join(sorted(scopes)) or 'none'}")


def _limits(answer: Answer) -> Iterator[Finding]:
    told = json.loads(answer.body)
    resources = told.get("resources") if isinstance(told, dict) else None
    for name in ("core", "graphql"):
        left, most = dig(resources, name, "remaining"), dig(resources, name, "limit")
        if left is None:
            continue
        level = "warning" if left < min(_FEW_LEFT, most or _FEW_LEFT) else "ok"
        remedy = "; a sync waits until the hour is over" if level == "warning" else ""
        yield Finding(level, "rate limit", f"{name}: {left} of {most} left this hour{remedy}")


def _clock(answer: Answer) -> Iterator[Finding]:
    told = answer.headers.get("date")
    if told is None:
        return
    skew = answer.requested_at - parsedate_to_datetime(told)
    if abs(skew) > _SKEW:
        side = "ahead of" if skew > timedelta() else "behind"
        yield Finding(
            "warning",
            "clock",
            f"this machine's clock is {abs(skew).total_seconds():.0f} s {side} GitHub's; set it "
            "by NTP, or changes are asked for too early or too late",
        )
    else:
        yield Finding("ok", "clock", "agrees with GitHub's within a minute")


def _organisation(options: GithubOptions, pull: Pull) -> Iterator[Finding]:
    if options.organisation is None:
        return
    told = Asker(pull.client).ask(DIAGNOSIS, {"login": options.organisation})
    count = dig(told.data, "organization", "repositories", "totalCount")
    if not count:
        yield Finding(
            "warning",
            "organisation",
            f"{options.organisation} shows no repository to this credential; give it access to "
            "them, or install the App on them",
        )
        return
    yield Finding("ok", "organisation", f"{options.organisation} shows {count} repositories")
