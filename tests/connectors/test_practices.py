"""The practice inventory: rules by their own examples, and scans of real repositories."""

import json
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.connector import SourceError
from connectors.practices import trees
from connectors.practices.matching import File, contradicted, find, select
from connectors.practices.options import PracticeOptions
from connectors.practices.rules import PracticeRule, RuleBook, book, ours
from connectors.practices.trees import CommitTime, at_marks, decoded
from connectors.records import Practice, PracticeScan
from tests.connectors.git_repositories import (
    NOW,
    Reading,
    commit,
    git,
    new_repository,
    reading,
    serve,
)

RULES = [rule for category in ours() for rule in category.rules]
WEEK = 7 * 24 * 3600
RECENT = int(NOW.timestamp()) - 3600


def put(path: Path, name: str, content: str | bytes) -> None:
    """A file of the work tree."""
    target = path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)


def found(world: Reading) -> list[tuple[str, str, str, int]]:
    """What the last scan found."""
    (parsed,) = world.parsed("practices")[-1:]
    return [
        (row["category"], row["approach"], row["path"], row["at_line"])
        for row in map(vars, parsed.records[Practice])
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.category}-{rule.approach}")
def test_a_rule_takes_its_examples_and_no_others(rule: PracticeRule) -> None:
    """Every rule is told by examples on both sides, and gets all of them right."""
    assert rule.yes
    assert rule.no
    assert contradicted(rule) == []


def test_the_inventory_is_as_wide_as_promised() -> None:
    """At least twelve categories and ninety approaches; one title for each approach."""
    approaches = {(rule.category, rule.approach) for rule in RULES}
    assert len(ours()) >= 12
    assert len(approaches) >= 90
    titles = {(rule.category, rule.approach, rule.title) for rule in RULES}
    assert len(titles) == len(approaches)
    critical = {category.category for category in ours() if category.critical}
    assert critical == {"secrets_management", "identity", "ci_permissions", "base_image", "tls"}


def test_a_scan_names_file_and_line_and_keeps_no_contents(tmp_path: Path) -> None:
    """What is kept says where, never what: files of settings hold secrets."""
    path = new_repository(tmp_path / "shop")
    put(path, "Dockerfile", "# syntax\nFROM golang:1.22 AS build\nFROM alpine:3.20\n")
    put(path, ".github/workflows/ci.yml", "on: push\njobs:\n  a:\n    env: ${{ secrets.NPM }}\n")
    put(path, "node_modules/left/Dockerfile", "FROM ubuntu\n")
    put(path, ".env", "DB_PASSWORD=canary-5512\n")
    commit(path, "Begin", at=RECENT)
    world = reading(tmp_path, path)
    (page,) = world.pages("practices")
    assert b"canary" not in page.body
    world.states.clear()
    assert found(world) == [
        ("base_image", "alpine", "Dockerfile", 3),
        ("ci_cd", "github_actions", ".github/workflows/ci.yml", 2),
        ("container_build", "dockerfile", "Dockerfile", 2),
        ("secrets_management", "ci_secrets", ".github/workflows/ci.yml", 4),
        ("secrets_management", "env_file", ".env", 1),
    ]


def test_nothing_is_read_while_the_head_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second pull asks for the head alone; other rules or excluded paths ask again."""
    path = new_repository(tmp_path / "shop")
    put(path, "Dockerfile", "FROM alpine\n")
    commit(path, "Begin", at=RECENT)
    world = reading(tmp_path, path)
    assert len(world.pages("practices")) == 1
    state = dict(world.states)
    with monkeypatch.context() as patch:
        patch.setattr("connectors.practices.stream.listing", lambda *_: pytest.fail("listed"))
        assert world.pages("practices") == []
    for practices in (
        {"exclude": ["Dockerfile"]},
        {"rules": [{"category": "house", "approach": "file", "paths": ["file"]}]},
    ):
        other = reading(tmp_path, path, practices=practices)
        other.states = dict(state)
        assert len(other.pages("practices")) == 1


def test_a_push_that_changes_no_practice_leaves_the_scan_as_it_was(tmp_path: Path) -> None:
    """The state moves on with a page that says so, and no second scan is recorded."""
    path = new_repository(tmp_path / "shop")
    put(path, "Dockerfile", "FROM alpine\n")
    commit(path, "Begin", at=RECENT)
    world = reading(tmp_path, path)
    world.pages("practices")
    commit(path, "Go on", at=RECENT + 60, file="main.go")
    (parsed,) = world.parsed("practices")
    assert not parsed.seen
    assert world.pages("practices") == []


def test_the_first_scan_looks_back_at_every_fourth_week(tmp_path: Path) -> None:
    """A change of approach months ago is known with the time of its commit."""
    path = new_repository(tmp_path / "shop")
    put(path, "Dockerfile", "FROM debian:12\n")
    commit(path, "Begin", at=RECENT - 40 * WEEK)
    put(path, "Dockerfile", "FROM alpine\n")
    commit(path, "Move", at=RECENT - 20 * WEEK)
    commit(path, "Go on", at=RECENT, file="main.go")
    rows = []
    for parsed in reading(tmp_path, path).parsed("practices"):
        scans, practices = parsed.records[PracticeScan], parsed.records[Practice]
        images = [
            row["approach"] for row in map(vars, practices) if row["category"] == "base_image"
        ]
        rows += [(vars(scan)["committed_at"].timestamp(), images) for scan in scans]
    assert rows == [(RECENT - 40 * WEEK, ["debian"]), (RECENT - 20 * WEEK, ["alpine"])]
    none = reading(tmp_path, path, practices={"history_days": 0})
    assert len([parsed for parsed in none.parsed("practices") if parsed.seen]) == 1


def test_the_commit_at_a_mark_is_the_newest_that_is_not_after_it() -> None:
    """Clocks that ran wrong do not hide what stood there."""
    line = [CommitTime("c", 30), CommitTime("late", 99), CommitTime("b", 20), CommitTime("a", 10)]
    assert [each.sha for each in at_marks(line, [5, 15, 25, 26])] == ["a", "b", "c"]
    assert [each.sha for each in at_marks(line, [])] == ["c"]


def test_a_partial_clone_asks_once_for_what_it_lacks(tmp_path: Path) -> None:
    """All contents of all looked-at commits come in one request, and only selected ones."""
    path = new_repository(tmp_path / "work")
    for number in range(6):
        put(path, f"service-{number}/Dockerfile", f"FROM alpine:3.{number}\n")
        put(path, f"service-{number}/large.bin", "x" * 1000 * (number + 1))
        commit(path, f"Change {number}", at=RECENT - (6 - number) * 5 * WEEK)
    (tmp_path / "served").mkdir()
    git(tmp_path, "clone", "-q", "--mirror", "work", "served/shop.git")
    with serve(tmp_path / "served") as server:
        world = reading(tmp_path, f"{server.address}/shop.git")
        pull = world.pull()
        world.rows("commits", pull)
        before = server.fetches
        rows = world.rows("practices", pull)
        assert len(rows) == 6
        assert server.fetches - before <= 3
        (clone,) = world.clones.glob("*.git")
        listed = git(clone, "rev-list", "--objects", "--all", "--missing=print")
        missing = [row for row in listed.splitlines() if row.startswith("?")]
        assert len(missing) == 12  # the large files, and the file each commit changes
        again = server.fetches
        assert world.pages("practices", pull) == []
        assert server.fetches == again


def test_odd_files_are_read_or_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other encodings are read; binary, large and too many files are counted."""
    monkeypatch.setattr(trees, "MOST_BYTES", 2_000)
    path = new_repository(tmp_path / "shop")
    put(path, "a/Dockerfile", "FROM alpine\n".encode("utf-16"))
    put(path, "b/Dockerfile", b"\xef\xbb\xbfFROM alpine\r\n# caf\xe9\r\n")
    put(path, "c/Dockerfile", b"FROM alpine\0\1\2\n")
    put(path, "d/Dockerfile", "FROM alpine\n" + "#" * 3_000)
    put(path, "e\tü/Dockerfile", "FROM alpine\n")
    (path / "Dockerfile").symlink_to("a/Dockerfile")
    put(path, "k8s/long.yaml", "kind: " + "x" * 1_990)
    commit(path, "Begin", at=RECENT)
    world = reading(tmp_path, path)
    (page,) = world.pages("practices")
    told = json.loads(page.body)
    assert (told["files"], told["left"]) == (4, 2)
    taken = {path for category, _, path, _ in told["found"] if category == "base_image"}
    assert taken == {"a/Dockerfile", "b/Dockerfile", "e\tü/Dockerfile"}
    monkeypatch.setattr(trees, "MOST_FILES", 2)
    world.states.clear()
    (page,) = world.pages("practices")
    assert json.loads(page.body)["left"] == 4


def test_texts_are_told_from_binaries() -> None:
    """A byte order mark or plain bytes decide; what is no UTF-8 is read as Latin-1."""
    assert decoded("käse".encode("utf-16-be")) is None
    assert decoded("käse".encode("utf-16")) == "käse"
    assert decoded("käse".encode("latin-1")) == "käse"
    assert decoded(b"") == ""


def test_an_empty_repository_has_no_scan(tmp_path: Path) -> None:
    """Without a commit there is nothing to read, and no error."""
    world = reading(tmp_path, new_repository(tmp_path / "shop"))
    assert world.pages("practices") == []


def test_switched_off_there_are_no_scopes(tmp_path: Path) -> None:
    """The stream stays, so that earlier scans can be read, but pulls nothing."""
    path = new_repository(tmp_path / "shop")
    commit(path, "Begin")
    world = reading(tmp_path, path, practices={"scan": False})
    assert list(world.connector.scopes(world.stream("practices"))) == []


def test_rules_of_users_stand_beside_ours(tmp_path: Path) -> None:
    """A folder of rules and rules of the settings find what ours do not know."""
    folder = tmp_path / "rules"
    put(folder, "house.toml", 'category = "house"\ntitle = "House"\n[[rules]]\n'
        'approach = "lamp"\npaths = ["**/*.lamp"]\n')  # fmt: skip
    more = PracticeRule(category="secrets_management", approach="safe", paths=("safe.txt",))
    path = new_repository(tmp_path / "shop")
    put(path, "a/b.lamp", "")
    put(path, "safe.txt", "x")
    commit(path, "Begin", at=RECENT)
    options = {"folder": folder, "rules": [more.model_dump()]}
    assert found(reading(tmp_path, path, practices=options)) == [
        ("house", "lamp", "a/b.lamp", 1),
        ("secrets_management", "safe", "safe.txt", 1),
    ]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("", "cannot be read as rules"),
        ('[{approach = "b"}]', "rules.0: Value error, a rule needs paths"),
        ('[{approach = "b", paths = ["x"], pattern = "("}]', "this regular expression cannot"),
        ('[{approach = "b", paths = ["{x"]}]', "does not close"),
    ],
)
def test_bad_rules_say_what_is_wrong_with_them(tmp_path: Path, rules: str, told: str) -> None:
    """The file and the place in it are named, and the pull goes on with other streams."""
    put(tmp_path, "bad.toml", f'category = "a"\ntitle = "A"\nrules = {rules}\n')
    with pytest.raises(SourceError, match=r"bad\.toml") as caught:
        PracticeOptions(folder=tmp_path).book()
    assert told in str(caught.value)
    with pytest.raises(SourceError, match="there is no folder"):
        PracticeOptions(folder=tmp_path / "none").book()


@pytest.mark.parametrize(
    "rule",
    [
        {"approach": "Vault", "category": "a", "paths": ["x"]},
        {"approach": "a", "category": "a", "packages": {"cobol": ["x"]}},
        {"approach": "a", "category": "a", "packages": {"npm": ["x"]}, "pattern": "x"},
        {"approach": "a", "category": "a", "paths": ["x"], "pattern": "(?=x)"},
        {"approach": "a", "category": "a", "paths": ["x"], "pattern": "(a{1000}){1000}"},
    ],
)
def test_rules_that_cannot_run_are_refused(rule: dict[str, object]) -> None:
    """Look-ahead and expressions of unbearable size are told when the settings are read."""
    with pytest.raises(ValidationError):
        PracticeRule.model_validate(rule)


def test_a_hostile_expression_takes_no_time() -> None:
    """What makes a backtracking engine run for ever is linear here, in lines and in paths."""
    rule = PracticeRule(
        category="a", approach="b", paths=("**/*a*a*a*a*a*a*a*a*b",), pattern="(a+)+(a+)+(a+)+$"
    )
    path = "a" * 4_000 + "b"
    started = time.perf_counter()
    own = RuleBook((), (rule,))
    assert select(own, [path, "a" * 4_000]) == [path]
    assert find(own, [File(path, ("a" * 1_999 + "!\n") * 200)]) == [[]]
    assert time.perf_counter() - started < 60


@pytest.mark.parametrize(
    ("glob", "taken"),
    [
        ("**/Chart.yaml", ["Chart.yaml", "x/y/Chart.yaml"]),
        ("a/*.{yml,yaml}", ["a/b.yaml"]),
        ("b/**", ["b/c/d"]),
        ("?.txt", ["q.txt"]),
    ],
)
def test_path_patterns_mean_what_they_mean_elsewhere(glob: str, taken: list[str]) -> None:
    """`*` stays in its folder, `**/` is any depth and none, braces are alternatives."""
    paths = ["Chart.yaml", "x/y/Chart.yaml", "a/b.yaml", "a/b/c.yaml", "b/c/d", "q.txt", "qq.txt"]
    rule = PracticeRule(category="a", approach="b", paths=(glob,))
    assert select(RuleBook((), (rule,)), paths) == taken


def test_one_file_is_reported_once_an_approach() -> None:
    """The first line that shows an approach is its evidence."""
    (hits,) = find(book(), [File("k8s/a.yaml", "kind: Deployment\n---\nkind: Deployment\n")])
    assert hits == [("kubernetes_packaging", "plain_manifests", "k8s/a.yaml", 1)]
