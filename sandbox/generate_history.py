"""Turns plans into real commits: branches, merges, squashes, rebases, pushes, back-ports."""

from bisect import bisect_right

from sandbox.forge import Commit, FileChange, Signature
from sandbox.generate_practices import practice_files
from sandbox.generate_services import initial_files
from sandbox.git_objects import EMPTY_TREE, Tree, make_commit
from sandbox.plan import (
    DeployPoint,
    DirectPlan,
    History,
    LineEntry,
    Member,
    RepositoryPlan,
    RequestPlan,
    Simulation,
)
from sandbox.working_time import as_datetime

FOLLOW_UPS = ("Address review comments", "Add a test", "Tidy up", "Fix the build", "Name it better")
OLD_MACHINE_WORDS = "für später"  # what an old machine writes in ISO-8859-1
FORGE_NAME, FORGE_EMAIL = "GitHub", "noreply@github.com"
PUSHED, OPENED, MERGED = 2, 0, 1


class Branch:
    """The state of one branch while history is written."""

    __slots__ = ("files", "position", "sha", "shas", "tree")

    def __init__(self, sha: str, tree: Tree, position: int) -> None:
        self.sha = sha
        self.tree = tree
        self.position = position  # of the line where it left off
        self.files: dict[str, FileChange] = {}  # what it changed against the line
        self.shas: list[str] = []


class HistoryWriter:
    """Writes the history of one repository, event by event in the order of time."""

    def __init__(
        self, simulation: Simulation, repository: RepositoryPlan, cuts: dict[str, int]
    ) -> None:
        """`cuts`: release branches by name, with the moments they leave the line."""
        self._repository = repository
        self._random = simulation.random("history", repository.id)
        has_tools = simulation.profile.tools is not None
        self._practices = practice_files(simulation, repository) if has_tools else None
        self._cuts = cuts
        self._requests: dict[int, Branch] = {}
        self._releases: dict[str, Branch] = {}
        self._line: list[Branch] = []  # the default branch after each step
        self._line_files: list[tuple[FileChange, ...]] = []
        self._line_shas: list[list[str]] = []  # every commit a step brought in
        self._main = Branch("", EMPTY_TREE, -1)  # of a promoted repository
        self._commits: dict[str, Commit] = {}
        self._history = History()

    def write(
        self,
        *,
        requests: list[RequestPlan],
        direct: list[DirectPlan],
        team_slug: str,
        root: Member,
        mapped: list[Member],
    ) -> History:
        """Writes everything and returns the finished history."""
        files = initial_files(self._repository, team_slug, mapped, self._practices)
        self._write_root(root, files)
        events: list[tuple[int, int, int, RequestPlan | DirectPlan]] = []
        for request in requests:
            events.append((request.branched, OPENED, request.number, request))
            if request.merged is not None:
                events.append((request.merged, MERGED, request.number, request))
        events += [(plan.committed, PUSHED, index, plan) for index, plan in enumerate(direct)]
        last = self._repository.created
        for at, step, _, plan in sorted(events, key=lambda event: event[:3]):
            if isinstance(plan, DirectPlan):
                last = max(at, last + 1)
                self._push(plan, last)
            elif step == OPENED:
                self._open(plan)
            else:
                last = max(at, last + 1)  # two merges never share a second
                plan.merged = last
                self._merge(plan, last)
        return self._finish(requests)

    @property
    def _tip(self) -> Branch:
        return self._line[-1]

    def _write_root(self, author: Member, files: tuple[FileChange, ...]) -> None:
        at = self._repository.created
        signature = author.signature(at, author.emails[0])
        tree = EMPTY_TREE.with_files(files)
        sha = self._add(
            tree, (), (signature, signature), "Begin", files=files, people=(author, author)
        )
        self._step(at, f"commit:{self._repository.id}:{sha}", [sha], tree, files)
        self._main = Branch(sha, tree, 0)
        if self._repository.is_promoted:
            self._history.points.append(DeployPoint(at, sha, 0))

    def _open(self, plan: RequestPlan) -> None:
        if plan.carrier is not None:
            base = self._requests[plan.carrier.id]
        elif plan.original is not None:
            base = self._release_branch(plan.base_branch)
        else:
            base = self._tip
        plan.base_sha, plan.base_position = base.sha, base.position
        branch = self._requests[plan.id] = Branch(base.sha, base.tree, base.position)
        if plan.kind == "promotion":
            plan.base_sha = self._main.sha
            landed = self._line_shas[self._main.position + 1 : base.position + 1]
            branch.shas = [sha for step in landed for sha in step]
        elif plan.original is not None:
            self._pick(plan, branch, plan.original)
        else:
            self._grow(plan, branch)
        plan.commit_shas, plan.head_sha = branch.shas, branch.sha

    def _release_branch(self, name: str) -> Branch:
        if name not in self._releases:
            times = [entry.at for entry in self._history.entries]
            at = self._line[bisect_right(times, self._cuts[name]) - 1]
            self._releases[name] = Branch(at.sha, at.tree, at.position)
        return self._releases[name]

    def _grow(self, plan: RequestPlan, branch: Branch) -> None:
        """Adds the request's own commits to its branch."""
        email = plan.author.email(self._random)
        last = len(plan.authored) - 1
        for index, authored in enumerate(plan.authored):
            paths = plan.paths[index:] if index == last else plan.paths[index : index + 1]
            files = tuple(
                FileChange(path, _content(path, f"#{plan.number} step {index + 1}"))
                for path in (paths or plan.paths[:1])
            )
            subject = plan.title if index == 0 else self._random.choice(FOLLOW_UPS)
            if plan.reverts is not None:
                subject += f"\n\n{self._revert_words(plan.reverts)}"
            if plan.author.is_latin and self._random.random() < 0.3:
                subject += f" {OLD_MACHINE_WORDS}"
            signatures = (
                plan.author.signature(authored, email),
                plan.author.signature(plan.committed[index], email),
            )
            self._extend(branch, subject, files, signatures, (plan.author, plan.author))

    def _pick(self, plan: RequestPlan, branch: Branch, original: RequestPlan) -> None:
        """Cherry-picks a landed commit onto a release branch."""
        picked = self._commits[original.merge_sha or ""]
        files = tuple(
            FileChange(path, _content(path, f"#{original.number}")) for path in plan.paths
        )
        text = f"{picked.text.rstrip()}\n\n(cherry picked from commit {picked.sha})"
        committer = plan.author.signature(plan.committed[0], plan.author.emails[0])
        people = (original.author, plan.author)
        self._extend(branch, text, files, (picked.author, committer), people)
        plan.authored = [int(picked.author.at.timestamp())]

    def _extend(
        self,
        branch: Branch,
        text: str,
        files: tuple[FileChange, ...],
        signatures: tuple[Signature, Signature],
        people: tuple[Member, Member],
    ) -> None:
        branch.tree = branch.tree.with_files(files)
        branch.sha = self._add(
            branch.tree, (branch.sha,), signatures, text, files=files, people=people
        )
        branch.shas.append(branch.sha)
        branch.files.update((file.path, file) for file in files)

    def _merge(self, plan: RequestPlan, at: int) -> None:
        branch = self._requests[plan.id]
        if plan.kind == "promotion":
            self._promote(plan, branch, at)
        elif plan.carrier is not None:
            self._join(plan, self._requests[plan.carrier.id], branch, at)
            plan.carrier.head_sha = self._requests[plan.carrier.id].sha
        elif plan.original is not None:
            self._join(plan, self._releases[plan.base_branch], branch, at)
        else:
            if plan.is_updated:
                self._take_in(plan, branch, at - 30)
            self._land(plan, branch, at)

    def _join(self, plan: RequestPlan, target: Branch, branch: Branch, at: int) -> None:
        """Merges a request into a branch that is not the line."""
        files = tuple(branch.files.values())
        target.tree = target.tree.with_files(files)
        merger = plan.merger or plan.author
        target.sha = self._add(
            target.tree,
            (target.sha, branch.sha),
            (merger.signature(at, merger.emails[0]), _forge_signature(at)),
            self._merge_message(plan),
            files=files,
            people=(merger, None),
        )
        target.shas += [*branch.shas, target.sha]
        target.files.update(branch.files)
        plan.merge_sha = target.sha

    def _take_in(self, plan: RequestPlan, branch: Branch, at: int) -> None:
        """Merges the line into a request's branch, as its "update branch" button does."""
        missed: dict[str, FileChange] = {}
        for files in self._line_files[branch.position + 1 :]:
            missed.update((file.path, file) for file in files if file.path not in branch.files)
        if branch.position == self._tip.position:
            return
        files = tuple(missed.values())
        branch.tree = branch.tree.with_files(files)
        default = self._repository.default_branch
        branch.sha = self._add(
            branch.tree,
            (branch.sha, self._tip.sha),
            (plan.author.signature(at, plan.author.emails[0]), _forge_signature(at)),
            f"Merge branch '{default}' into {plan.branch}",
            files=files,
            people=(plan.author, None),
        )
        branch.shas.append(branch.sha)
        plan.head_sha = branch.sha

    def _land(self, plan: RequestPlan, branch: Branch, at: int) -> None:
        """Merges a request into the default branch by its method."""
        tip = self._tip
        files = tuple(branch.files.values())
        tree, sha = tip.tree.with_files(files), tip.sha
        brought: list[str] = []
        merger = plan.merger or plan.author
        if plan.method == "rebase":
            tree = tip.tree
            for commit in (self._commits[sha] for sha in branch.shas):
                tree = tree.with_files(commit.files)
                signatures = (commit.author, merger.signature(at, merger.emails[0]))
                people = (plan.author, merger)
                sha = self._add(
                    tree, (sha,), signatures, commit.text, files=commit.files, people=people
                )
                brought.append(sha)
        else:
            is_squash = plan.method == "squash"
            author = plan.author if is_squash else merger
            signatures = (author.signature(at, author.emails[0]), _forge_signature(at))
            parents = (sha,) if is_squash else (sha, branch.sha)
            text = self._squash_message(plan) if is_squash else self._merge_message(plan)
            sha = self._add(tree, parents, signatures, text, files=files, people=(author, None))
            brought += [sha] if is_squash else [*branch.shas, sha]
        plan.merge_sha = sha
        plan.position = len(self._line)
        self._step(at, plan.key, brought, tree, files)

    def _promote(self, plan: RequestPlan, branch: Branch, at: int) -> None:
        merger = plan.merger or plan.author
        files: dict[str, FileChange] = {}
        for step in self._line_files[self._main.position + 1 : branch.position + 1]:
            files.update((file.path, file) for file in step)
        sha = self._add(
            branch.tree,
            (self._main.sha, branch.sha),
            (merger.signature(at, merger.emails[0]), _forge_signature(at)),
            self._merge_message(plan),
            files=tuple(files.values()),
            people=(merger, None),
        )
        self._main = Branch(sha, branch.tree, branch.position)
        plan.merge_sha = sha
        self._history.points.append(DeployPoint(at, sha, branch.position))

    def _push(self, plan: DirectPlan, at: int) -> None:
        email = plan.author.email(self._random)
        files = tuple(FileChange(path, _content(path, f"pushed {at}")) for path in plan.paths)
        tree = self._tip.tree.with_files(files)
        signatures = (plan.author.signature(plan.authored, email), plan.author.signature(at, email))
        people = (plan.author, plan.author)
        if plan.author.is_latin:
            # Bytes of another encoding that the commit does not declare.
            message = f"{plan.subject} à côté\n".encode("latin-1")
            sha = self._add(tree, (self._tip.sha,), signatures, message, files=files, people=people)
        else:
            sha = self._add(
                tree, (self._tip.sha,), signatures, plan.subject, files=files, people=people
            )
        self._step(at, f"commit:{self._repository.id}:{sha}", [sha], tree, files)

    def _step(
        self, at: int, change_key: str, shas: list[str], tree: Tree, files: tuple[FileChange, ...]
    ) -> None:
        position, sha = len(self._line), shas[-1]
        self._line_shas.append(shas)
        self._line.append(Branch(sha, tree, position))
        self._line_files.append(files)
        paths = tuple(file.path for file in files)
        self._history.entries.append(LineEntry(at, change_key, paths))
        if not self._repository.is_promoted:
            self._history.points.append(DeployPoint(at, sha, position))

    def _add(
        self,
        tree: Tree,
        parents: tuple[str, ...],
        signatures: tuple[Signature, Signature],
        text: str | bytes,
        *,
        files: tuple[FileChange, ...],
        people: tuple[Member, Member | None],
    ) -> str:
        encoding = _encoding(text, signatures)
        commit = make_commit(
            tree=tree,
            parents=parents,
            author=signatures[0],
            committer=signatures[1],
            message=text
            if isinstance(text, bytes)
            else (text.rstrip() + "\n").encode(encoding or "utf-8"),
            encoding=encoding,
            files=files,
            author_account_id=people[0].shown_account_id,
            committer_account_id=people[1].shown_account_id if people[1] else None,
        )
        self._commits[commit.sha] = commit
        return commit.sha

    def _merge_message(self, plan: RequestPlan) -> str:
        owner = self._repository.owner
        return f"Merge pull request #{plan.number} from {owner}/{plan.branch}\n\n{plan.title}"

    def _revert_words(self, reverted: RequestPlan) -> str:
        """What git writes when it reverts a commit, and what it adds for a merge."""
        commit = self._commits[reverted.merge_sha or ""]
        if commit.is_merge:
            return (
                f"This reverts commit {commit.sha}, reversing\nchanges made to {commit.parents[0]}."
            )
        return f"This reverts commit {commit.sha}."

    def _squash_message(self, plan: RequestPlan) -> str:
        shas = self._requests[plan.id].shas
        if len(shas) == 1:
            body = self._commits[shas[0]].text.partition("\n")[2].strip()
            return f"{plan.title} (#{plan.number})\n" + (f"\n{body}" if body else "")
        subjects = [self._commits[sha].text.split("\n", 1)[0] for sha in shas]
        bullets = "".join(f"\n* {subject}" for subject in subjects)
        return f"{plan.title} (#{plan.number})\n{bullets}"

    def _finish(self, requests: list[RequestPlan]) -> History:
        history = self._history
        history.commits = list(self._commits.values())
        history.branches[self._repository.default_branch] = self._tip.sha
        if self._repository.is_promoted:
            history.branches["main"] = self._main.sha
        history.branches.update((name, branch.sha) for name, branch in self._releases.items())
        for plan in requests:
            branch = self._requests[plan.id]
            plan.commit_shas = branch.shas
            if plan.merged is None and plan.closed is None:
                history.branches[plan.branch] = branch.sha
        return history


def _encoding(text: str | bytes, signatures: tuple[Signature, Signature]) -> str | None:
    if isinstance(text, bytes) or OLD_MACHINE_WORDS not in text:
        return None
    names = text + "".join(signature.name for signature in signatures)
    return "ISO-8859-1" if all(ord(letter) < 256 for letter in names) else None


def _content(path: str, revision: str) -> bytes:
    return f"// {path}\n// revision {revision}\n".encode()


def _forge_signature(at: int) -> Signature:
    return Signature(FORGE_NAME, FORGE_EMAIL, as_datetime(at), 0)
