"""What `leadline doctor` asks of GitLab: token, scopes, groups and projects, limits, clock."""

from collections.abc import Iterator
from datetime import date, timedelta

from connectors.answer import Answer
from connectors.clock_skew import clock_skew
from connectors.connector import Finding, Pull, SourceError
from connectors.failures import ForbiddenError, NotFoundError, UnauthorisedError
from connectors.gitlab_graphql import Asker, UnknownFieldError
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_rest import path_id, value_of
from connectors.reading import dig
from connectors.secret import SecretMissingError

_SOON = timedelta(days=14)
_FEW_LEFT = 100
_SIZE = """
query($path: ID!) { group(fullPath: $path) { projects(includeSubgroups: true) { count } } }
"""
_SCANNED = """
query($path: ID!) { group(fullPath: $path) { vulnerabilities(first: 1) { nodes { id } } } }
"""


def diagnose(options: GitlabOptions, pull: Pull) -> Iterator[Finding]:
    """Three requests, and one for each group or project of the settings."""
    try:
        answer = pull.client.get("user")
    except (SourceError, SecretMissingError) as error:
        yield Finding("error", "credential", str(error))
        return
    who = dig(value_of(answer), "username")
    yield Finding("ok", "credential", f"{options.root} knows it as {who}")
    yield from _scopes(pull)
    for group in options.groups:
        yield _group(pull, group)
    for project in options.projects:
        yield _project(pull, project)
    if options.vulnerabilities:
        for group in options.groups:
            yield _vulnerabilities(pull, group)
    yield _limits(answer)
    yield clock_skew(answer, pull.now())


def _scopes(pull: Pull) -> Iterator[Finding]:
    try:
        token = value_of(pull.client.get("personal_access_tokens/self"))
    except (UnauthorisedError, ForbiddenError, NotFoundError):
        yield Finding("ok", "scopes", "an OAuth token; it needs read_api and read_repository")
        return
    except SourceError as error:
        yield Finding("warning", "scopes", str(error))
        return
    scopes = set(dig(token, "scopes") or ())
    for needed, without in (
        ("read_api", "projects, merge requests, pipelines and people stay invisible"),
        ("read_repository", "commits, references and practices are missing"),
    ):
        if not scopes & {needed, "api"}:
            yield Finding(
                "error",
                "scopes",
                f"the token has no scope {needed}: {without}; make one with read_api and "
                "read_repository",
            )
    yield Finding("ok", "scopes", f"the token has {', '.join(sorted(scopes)) or 'none'}")
    until = dig(token, "expires_at")
    if until is not None and date.fromisoformat(until) - pull.now().date() < _SOON:
        yield Finding("warning", "credential", f"the token ends on {until}; rotate it before")


def _group(pull: Pull, path: str) -> Finding:
    asker = Asker(pull.client, 1)
    try:
        told = asker.ask(_SIZE, {"path": path})
    except SourceError as error:
        return Finding("error", "group", str(error))
    if told.data.get("group") is None:
        return Finding(
            "error",
            "group",
            f"there is no group {path}, or the token may not know of it; give its user at least "
            "the role Reporter in it",
        )
    count = dig(told.data, "group", "projects", "count")
    if not count:
        return Finding("warning", "group", f"{path} shows no project to this token")
    return Finding("ok", "group", f"{path} shows {count} projects")


def _vulnerabilities(pull: Pull, path: str) -> Finding:
    """GitLab shows none to whom it has none to show: by licence, by role, or for good."""
    try:
        told = Asker(pull.client, 1).ask(_SCANNED, {"path": path})
    except UnknownFieldError:
        listed = None
    except SourceError as error:
        return Finding("error", "vulnerabilities", str(error))
    else:
        listed = dig(told.data, "group", "vulnerabilities", "nodes")
    if listed:
        return Finding("ok", "vulnerabilities", f"those of {path} can be read")
    return Finding(
        "warning",
        "vulnerabilities",
        f"{path} shows none: they need GitLab Ultimate and the role Developer; set "
        "vulnerabilities = false where that is not to be",
    )


def _project(pull: Pull, path: str) -> Finding:
    try:
        answer = pull.client.get(f"projects/{path_id(path)}")
    except SourceError as error:
        return Finding("error", "project", str(error))
    now = dig(value_of(answer), "path_with_namespace")
    if answer.moved_to is not None:
        return Finding("warning", "project", f"{path} has moved to {now}; correct the settings")
    return Finding("ok", "project", f"{path} can be read")


def _limits(answer: Answer) -> Finding:
    left, most = answer.headers.get("ratelimit-remaining"), answer.headers.get("ratelimit-limit")
    if left is None or not left.isdigit():
        return Finding("ok", "rate limit", "none is told, as on most GitLabs of one's own")
    level = "warning" if int(left) < _FEW_LEFT else "ok"
    return Finding(level, "rate limit", f"{left} of {most} requests left this minute")
