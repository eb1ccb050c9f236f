"""Git's object ids, computed in Python, so that SHAs are known before a repository is written."""

from collections.abc import Iterable
from hashlib import sha1

from sandbox.forge import Commit, FileChange, Signature, Tag


def object_id(kind: bytes, body: bytes) -> bytes:
    """The binary SHA-1 of one Git object."""
    return sha1(b"%s %d\0%s" % (kind, len(body), body), usedforsecurity=False).digest()


class Tree:
    """An immutable directory; adding a file makes new directories along its path only."""

    __slots__ = ("_files", "_id", "_trees")

    def __init__(
        self, files: dict[bytes, bytes] | None = None, trees: "dict[bytes, Tree] | None" = None
    ) -> None:
        self._files = files or {}
        self._trees = trees or {}
        self._id: bytes | None = None

    def with_file(self, path: bytes, blob_id: bytes) -> "Tree":
        """This directory with one file added or replaced."""
        name, _, rest = path.partition(b"/")
        if rest:
            below = self._trees.get(name, EMPTY_TREE).with_file(rest, blob_id)
            return Tree(self._files, {**self._trees, name: below})
        return Tree({**self._files, name: blob_id}, self._trees)

    def with_files(self, files: Iterable[FileChange]) -> "Tree":
        """This directory with several files added or replaced."""
        tree = self
        for file in files:
            tree = tree.with_file(file.path.encode(), object_id(b"blob", file.content))
        return tree

    @property
    def id(self) -> bytes:
        """The binary SHA-1 of the directory."""
        if self._id is None:
            # Git sorts directories as if their names ended in a slash.
            entries = [(name, b"100644 %s\0%s" % (name, id_)) for name, id_ in self._files.items()]
            entries += [
                (name + b"/", b"40000 %s\0%s" % (name, tree.id))
                for name, tree in self._trees.items()
            ]
            self._id = object_id(b"tree", b"".join(entry for _, entry in sorted(entries)))
        return self._id


EMPTY_TREE = Tree()


def signature_bytes(signature: Signature, encoding: str | None) -> bytes:
    """Name, address and time as they stand in a commit or tag."""
    sign = "-" if signature.offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(signature.offset_minutes), 60)
    text = f"{signature.name} <{signature.email}> {int(signature.at.timestamp())}"
    return f"{text} {sign}{hours:02d}{minutes:02d}".encode(encoding or "utf-8")


def tag_id(tag: Tag) -> str:
    """The hexadecimal SHA-1 of an annotated tag's own object."""
    head = f"object {tag.sha}\ntype commit\ntag {tag.name}\ntagger ".encode()
    message = tag.message.encode() + b"\n"
    return object_id(b"tag", head + signature_bytes(tag.tagger, None) + b"\n\n" + message).hex()


def commit_id(
    *,
    tree: Tree,
    parents: tuple[str, ...],
    author: Signature,
    committer: Signature,
    message: bytes,
    encoding: str | None,
) -> str:
    """The hexadecimal SHA-1 of one commit."""
    lines = [b"tree " + tree.id.hex().encode()]
    lines += [b"parent " + parent.encode() for parent in parents]
    lines.append(b"author " + signature_bytes(author, encoding))
    lines.append(b"committer " + signature_bytes(committer, encoding))
    if encoding:
        lines.append(b"encoding " + encoding.encode())
    return object_id(b"commit", b"\n".join(lines) + b"\n\n" + message).hex()


def make_commit(
    *,
    tree: Tree,
    parents: tuple[str, ...],
    author: Signature,
    committer: Signature,
    message: bytes,
    encoding: str | None,
    files: tuple[FileChange, ...],
    author_account_id: int | None,
    committer_account_id: int | None,
) -> Commit:
    """A commit with its real SHA; `tree` is the whole content after `files` were written."""
    sha = commit_id(
        tree=tree,
        parents=parents,
        author=author,
        committer=committer,
        message=message,
        encoding=encoding,
    )
    return Commit(
        sha=sha,
        tree_sha=tree.id.hex(),
        parents=parents,
        author=author,
        committer=committer,
        message=message,
        encoding=encoding,
        files=files,
        author_account_id=author_account_id,
        committer_account_id=committer_account_id,
    )
