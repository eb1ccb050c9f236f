"""What kind of deployment each is, in small stories whose outcome is known."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import Account, Commit, CommitPath, Reference
from tests.pipelines.stories import (
    KEY,
    Story,
    commit,
    deployment,
    full,
    line,
    live,
    main_at,
    repository,
    request,
    tell,
)


def kinds(story: Story) -> list[str]:
    """The kinds of all deployments, by their start."""
    return [kind for (kind,) in story.ask("select kind from deployment_fact order by started_at")]


def one_by_one(*merges: str) -> list[Commit | Reference]:
    """Main with one squash commit a request, ten hours apart, from hour 10 on."""
    commits = [commit("base", at=0)]
    for number, name in enumerate(merges, 1):
        parent = merges[number - 2] if number > 1 else "base"
        commits.append(commit(name, parent, at=10 * number))
    return [*commits, main_at(merges[-1])]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"ref": "hotfix/login"}, "hotfix"),
        ({"ref": "refs/heads/hotfix-12"}, "hotfix"),
        ({"release": "v1.2-hotfix.1"}, "hotfix"),
        ({"ref": "fix/hotfixes"}, "normal"),
        ({"ref": "main"}, "normal"),
    ],
)
def test_a_hotfix_is_known_by_its_ref_or_release(
    tmp_path: Path, more: dict[str, str], kind: str
) -> None:
    """Whole words of the branch, the tag or the release."""
    story = tell(tmp_path, repository(), line("a", "b"), live(1, "a", 2), live(2, "b", 9, **more))
    assert kinds(story) == ["normal", kind]


def test_a_deployment_of_hotfixes_only_is_a_hotfix(tmp_path: Path) -> None:
    """By label or head branch of all people's changes; a bot's change beside them is no matter."""
    marked: dict[int, dict[str, Any]] = {
        1: {"labels": ["Hotfix"]},
        2: {"head_branch": "hotfix/2"},
        3: {"author": "forge:ci"},
    }
    story = tell(
        tmp_path,
        repository(),
        one_by_one("a", "b", "c", "d"),
        *(
            request(i, f"t{i}", opened=10 * i - 1, merged=10 * i, merge=s, **marked.get(i, {}))
            for i, s in enumerate("abcd", 1)
        ),
        live(1, "base", 1),
        live(2, "a", 15),
        live(3, "c", 35),
        live(4, "d", 45),
        Account(account_id="forge:ci", login="ci", is_bot=True),
    )
    assert kinds(story) == ["normal", "hotfix", "hotfix", "normal"]


def test_one_ordinary_change_makes_a_deployment_ordinary(tmp_path: Path) -> None:
    """A hotfix that ships with other work was no hurry; what ships nothing is none either."""
    story = tell(
        tmp_path,
        repository(),
        one_by_one("a", "b"),
        request(1, "t1", opened=9, merged=10, merge="a", labels=["hotfix"]),
        request(2, "t2", opened=19, merged=20, merge="b"),
        live(1, "base", 1),
        live(2, "b", 25),
    )
    assert kinds(story) == ["normal", "normal"]


CONFIG = '[deployments]\nconfig_paths = ["config/", "deploy/values.yaml"]\n'


def test_a_deployment_of_configuration_only_is_config(tmp_path: Path) -> None:
    """Every path of everything it ships lies under the configured ones."""
    touched = {"b": "config/x", "c": "deploy/values.yaml", "d": "config/y", "e": "src/x"}
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d", "e", "f"),
        *(CommitPath(repository_key=KEY, sha=full(s), path=p) for s, p in touched.items()),
        live(1, "a", 1),
        live(2, "c", 10),
        live(3, "e", 20),
        live(4, "f", 30),
        settings=CONFIG,
    )
    assert kinds(story) == ["normal", "config", "normal", "normal"], "paths of f are not known"
    assert story.ask("select count(*) from release_live where kind = 'config'") == [(1,)]


def test_rollback_comes_before_hotfix_and_hotfix_before_config(tmp_path: Path) -> None:
    """The order of the kinds, where several would fit."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        CommitPath(repository_key=KEY, sha=full("b"), path="config/x"),
        live(1, "a", 1),
        live(2, "b", 10, ref="hotfix/b"),
        live(3, "a", 20, ref="hotfix/a"),
        live(4, "a", 30, ref="hotfix/a"),
        settings=CONFIG,
    )
    assert kinds(story) == ["normal", "hotfix", "rollback", "redeploy"]


def test_each_environment_has_kinds_of_its_own(tmp_path: Path) -> None:
    """What is a hotfix alone in one region arrives with other work in the other."""
    story = tell(
        tmp_path,
        repository(),
        one_by_one("a", "b"),
        request(1, "t1", opened=9, merged=10, merge="a"),
        request(2, "t2", opened=19, merged=20, merge="b", labels=["hotfix"]),
        live(1, "base", 1, environment="prod-eu"),
        live(2, "base", 2, environment="prod-us"),
        live(3, "a", 12, environment="prod-eu"),
        live(4, "b", 22, environment="prod-eu"),
        deployment(5, "b", ("succeeded", 23), at=22.5, environment="prod-us"),
    )
    assert kinds(story) == ["normal", "normal", "normal", "hotfix", "normal"]
