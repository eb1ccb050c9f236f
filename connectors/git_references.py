"""Branches, tags and HEAD: as git lists them, and as records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from connectors.clones import head_commit
from connectors.connector import Line, Parsed
from connectors.git_command import Git
from connectors.git_log import possible_time
from connectors.records import Reference

_FIELDS = (
    *("refname", "objecttype", "objectname", "*objecttype", "*objectname"),
    *("taggerdate:unix", "committerdate:unix", "*committerdate:unix", "symref"),
)
_FORMAT = "%00".join(f"%({name})" for name in _FIELDS)
# What people push and fetch; stashes, notes and replacements are nobody's history.
_LISTED = ("refs/heads", "refs/tags", "refs/remotes", "refs/pull", "refs/merge-requests")
_BRANCHES = ("refs/heads/", "refs/remotes/origin/")


@dataclass(frozen=True, slots=True)
class _Ref:
    name: str
    kind: str
    sha: str
    tagger_seconds: str
    commit_seconds: str
    symref: str


def list_references(git: Git) -> bytes:
    """Every listed reference, one a line, and HEAD first; tags of tags peeled to the end."""
    body = git.run("for-each-ref", f"--format={_FORMAT}", *_LISTED)
    nested = {ref.sha for ref in _refs(body.decode("utf-8", "replace")) if ref.kind == "tag"}
    if nested:
        names = sorted(nested)
        asked = "".join(f"{name}^{{}}\n" for name in names)
        for name, told in zip(
            names,
            git.run("cat-file", "--batch-check", stdin=asked.encode()).splitlines(),
            strict=True,
        ):
            target, kind, *_ = told.split()
            body = body.replace(
                b"\0tag\0" + name.encode() + b"\0", b"\0" + kind + b"\0" + target + b"\0"
            )
    head = head_commit(git)
    if head is None:
        return body
    branch = git.run("rev-parse", "--symbolic-full-name", "HEAD").strip()
    symref = branch if branch.startswith(b"refs/") else b""
    return b"HEAD\0commit\0" + head.encode() + b"\0" * 6 + symref + b"\n" + body


def tips(body: bytes) -> list[str]:
    """The commits that a listing points at, each once, sorted."""
    refs = _refs(body.decode("utf-8", "replace"))
    return sorted({ref.sha for ref in refs if ref.kind == "commit"})


def default_branch(body: bytes) -> str | None:
    """The branch the remote calls its default, else the one HEAD is on."""
    symrefs = {ref.name: ref.symref for ref in _refs(body.decode("utf-8", "replace"))}
    remote = symrefs.get("refs/remotes/origin/HEAD", "")
    if remote.startswith("refs/remotes/origin/"):
        return remote.removeprefix("refs/remotes/origin/")
    return symrefs.get("HEAD", "").removeprefix("refs/heads/") or None


def parse_references(line: Line) -> Parsed:
    """The branches, tags and HEAD of one listing, the repository's whole set.

    A branch both here and at the remote `origin` is listed once, where its newer commit is. A
    branch named like a tag is `heads/<name>`. What points at no commit is rejected.
    """
    parsed = Parsed()
    key = line.attributes["repository_key"]
    parsed.whole(Reference, key)
    refs = list(_refs(line.body.decode("utf-8", "replace")))
    tags = {ref.name.removeprefix("refs/tags/") for ref in refs if _is_tag(ref)}
    named: dict[str, tuple[str, _Ref]] = {}
    for ref in refs:
        if ref.symref and ref.name != "HEAD":
            continue
        if ref.kind != "commit":
            parsed.reject(Reference, ref.name, f"points at a {ref.kind}, not at a commit", ref.sha)
            continue
        name, kind = _shown(ref, tags)
        held = named.get(name)
        if held is None or _seconds(ref) >= _seconds(held[1]):
            named[name] = (kind, ref)
    for name, (kind, ref) in named.items():
        seconds = ref.tagger_seconds or ref.commit_seconds
        tagged_at = possible_time(seconds, line.requested_at) if kind == "tag" else None
        if kind == "tag" and tagged_at is None:
            parsed.mended[Reference.table] += 1
        parsed.add(
            Reference(
                repository_key=key,
                name=name,
                kind=kind,
                sha=ref.sha,
                tagged_at=tagged_at,
                seen_at=line.requested_at,
            )
        )
    return parsed


def _refs(text: str) -> Iterator[_Ref]:
    for row in text.split("\n"):
        fields = row.split("\0")
        if len(fields) != len(_FIELDS):
            continue  # the empty rest behind the last line
        name, kind, sha, peeled_kind, peeled, tagger, committed, peeled_committed, symref = fields
        ref = _Ref(name, kind, sha, tagger, committed, symref)
        if kind == "tag" and peeled:
            ref = replace(ref, kind=peeled_kind, sha=peeled, commit_seconds=peeled_committed)
        yield ref


def _is_tag(ref: _Ref) -> bool:
    return ref.name.startswith("refs/tags/")


def _shown(ref: _Ref, tags: set[str]) -> tuple[str, str]:
    """The name people use, and the kind."""
    if ref.name == "HEAD":
        return "HEAD", "head"
    if _is_tag(ref):
        name = ref.name.removeprefix("refs/tags/")
        return (f"tags/{name}" if name == "HEAD" else name), "tag"
    for prefix in _BRANCHES:
        if ref.name.startswith(prefix):
            name = ref.name.removeprefix(prefix)
            return (f"heads/{name}" if name in tags or name == "HEAD" else name), "branch"
    name = ref.name.removeprefix("refs/remotes/").removeprefix("refs/")
    return (f"remotes/{name}" if name in tags else name), "branch"


def _seconds(ref: _Ref) -> int:
    return int(ref.commit_seconds) if ref.commit_seconds.isdigit() else -1
