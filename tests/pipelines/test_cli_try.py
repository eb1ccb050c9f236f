"""`leadline try`: a real clone in, the answer out, nothing to configure."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.commands import folders
from tests.pipelines.command_line import leadline, work_in

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the command and its cache."""
    folder = tmp_path / "here"
    folder.mkdir()
    work_in(folder, monkeypatch)
    # The command names settings and data for its children; both go away with the test.
    monkeypatch.setenv("LEADLINE_DATA", "")
    return folder


def git(folder: Path, *arguments: str, at: datetime = NOW) -> None:
    date = {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()}
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", **date},
        timeout=30,
    )


def repository(folder: Path, tag: str | None = "v1.{}") -> Path:
    """A commit every three days until yesterday; every fourth one is released by a tag."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for number in range(1, 41):
        at = NOW - timedelta(days=1 + 3 * (40 - number))
        git(folder, "commit", "--quiet", "--allow-empty", "-m", f"change {number}", at=at)
        if tag is not None and number % 4 == 0:
            git(folder, "tag", tag.format(number), at=at)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with version-like tags, shared by tests that only read it."""
    return repository(tmp_path_factory.mktemp("clones") / "shop")


def asked(sql: str) -> list[dict[str, object]]:
    """Rows of the build that the last `try` has made."""
    found: list[dict[str, object]] = json.loads(leadline("query", sql, "-f", "json").stdout)
    return found


def test_answer_is_right_and_repeatable(shop: Path, here: Path) -> None:
    """Ten releases of four changes: frequency, lead time, counts; the clone is untouched."""
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*")}
    result = leadline("try", str(shop), "--no-serve")
    assert result.exit_code == 0, result.output
    # The changes wait 0, 3, 6 and 9 days for their release; the eight of 91 days are 12 days apart.
    assert "shop, up to " in result.stdout
    assert "deployments  0.62 a week (n = 8 in 91 days)" in result.stdout
    assert "lead time    4.5 days median" in result.stdout
    assert "10 deployments; 40 changes" in result.stdout
    assert "leadline serve" in result.stdout
    assert str(here / "cache" / "leadline" / "try") in result.stderr
    again = leadline("try", str(shop), "--no-serve")
    assert again.stdout == result.stdout
    assert "pulling: 0 items" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*")} == before


def test_subfolder_and_bare_clone(shop: Path, tmp_path: Path) -> None:
    """Any folder of a work tree will do, and so does a bare clone; each gives the same answer."""
    (shop / "src").mkdir(exist_ok=True)
    bare = tmp_path / "shop.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), str(bare))
    for target in (shop / "src", bare):
        result = leadline("try", str(target), "--no-serve")
        assert result.exit_code == 0, result.output
        assert "10 deployments; 40 changes" in result.stdout


def test_several_repositories(shop: Path, tmp_path: Path) -> None:
    """All of them come into one build, each as a service."""
    other = repository(tmp_path / "payments")
    result = leadline("try", str(shop), str(other), str(shop), "--no-serve")
    assert result.exit_code == 0, result.output
    assert "2 repositories, up to " in result.stdout
    assert "20 deployments; 80 changes" in result.stdout
    names = [row["name"] for row in asked("select name from service order by name")]
    assert names == ["payments", "shop"]


def test_without_tags_the_way_out_is_told(tmp_path: Path) -> None:
    """No tags: no deployments, and what to do in either case; the exit code is 0."""
    clone = repository(tmp_path / "untagged", tag=None)
    result = leadline("try", str(clone), "--no-serve")
    assert result.exit_code == 0, result.output
    assert "no tags found" in result.stdout
    assert "git fetch --tags" in result.stdout
    assert 'origin = "merge"' in result.stdout


def test_tags_unlike_versions(tmp_path: Path) -> None:
    """Tags of another shape are named, and --tag-pattern makes them releases."""
    clone = repository(tmp_path / "named", tag="ship-it-{}")
    result = leadline("try", str(clone), "--no-serve")
    assert result.exit_code == 0, result.output
    assert "no version-like tags found: 10 tags (ship-it-40, ship-it-36" in result.stdout
    told = leadline("try", str(clone), "--no-serve", "--tag-pattern", "^ship-it-")
    assert told.exit_code == 0, told.output
    assert "10 deployments; 40 changes" in told.stdout
    wrong = leadline("try", str(clone), "--no-serve", "--tag-pattern", "(")
    assert wrong.exit_code == 2
    assert "no regular expression" in wrong.stderr


def test_what_cannot_be_measured(shop: Path, tmp_path: Path) -> None:
    """Each wrong target gets its message; nothing is kept of it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    plain = tmp_path / "plain"
    plain.mkdir()
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    cases = {
        str(tmp_path / "none"): (2, f"there is no folder {tmp_path / 'none'}"),
        "github.com/psf/requests": (2, "did you mean https://github.com/psf/requests?"),
        str(plain): (2, f"{plain} is no Git repository; name a folder that holds a clone"),
        str(file): (2, f"{file} is no Git repository; name the folder of a clone"),
        str(shop.parent): (2, "but holds 1 clone (shop); name those"),
        str(empty): (1, f"{empty} has no commits yet"),
        "ext::sh -c touch% stolen": (2, "is refused"),
        "--upload-pack=touch stolen": (2, ""),
        "https://ada:canary-1@host/x.git": (2, "carries a credential"),
    }
    for target, (code, message) in cases.items():
        result = leadline("try", target, "--no-serve")
        assert (result.exit_code, result.stdout) == (code, ""), (target, result.output)
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert "canary" not in result.stderr
    assert not (Path.cwd() / "cache").exists()


def test_address_that_does_not_answer() -> None:
    """A host that cannot be reached fails with 1 and the reason."""
    result = leadline("try", "http://127.0.0.1:9/team/shop.git", "--no-serve")
    assert result.exit_code == 1
    assert "127.0.0.1" in result.stderr
    assert "check the network" in result.stderr
    assert "Traceback" not in result.stderr


def test_two_at_once(shop: Path, here: Path) -> None:
    """A second `try` on the same repositories is told who is at it."""
    assert leadline("try", str(shop), "--no-serve").exit_code == 0
    (folder,) = (here / "cache" / "leadline" / "try").glob("*/")
    with folders.alone(folder, "a test"):
        result = leadline("try", str(shop), "--no-serve")
    assert result.exit_code == 1
    assert "is running already (process" in result.stderr
