"""How GitLab's lists are walked and its addresses written, and where its token never goes."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.client import Client
from connectors.connector import Pull, SourceError, State
from connectors.failures import ElsewhereError
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_rest import KEYSET, by_time, listed, path_id
from connectors.secret import Secret
from tests.connectors.web import Asked, Reply, serving

TOKEN = "glpat-never-elsewhere"
START = datetime(2026, 5, 1, tzinfo=UTC)


Clients = Callable[..., Client]


@pytest.fixture
def client() -> Iterator[Clients]:
    """Makes clients that do not wait, and closes them."""
    with ExitStack() as stack:
        yield lambda url, **more: stack.enter_context(
            Client(base_url=f"{url}/api/v4", backoff_seconds=0.0, **more)
        )


def connector(url: str, folder: Path, **options: object) -> GitlabConnector:
    """A connection to a project on a server."""
    token = folder / "token"
    token.write_text(TOKEN, encoding="utf-8")
    settings = {"base_url": url, "token": Secret(file=token), "projects": ("acme/shop",)}
    return GitlabConnector("gitlab", GitlabOptions.model_validate({**settings, **options}))


@pytest.mark.parametrize("authentication", ["private-token", "bearer"])
def test_the_token_goes_to_no_other_host(tmp_path: Path, authentication: str) -> None:
    """A redirect to another host is refused before anything is sent there."""
    with serving(lambda _: Reply(body=[])) as elsewhere:
        target = f"{elsewhere.url}/api/v4/projects/1"
        with serving(lambda _: Reply(302, headers={"location": target})) as gitlab:
            one = connector(gitlab.url, tmp_path, authentication=authentication)
            with one.client() as reached, pytest.raises(ElsewhereError, match="goes nowhere else"):
                reached.get("projects/acme%2Fshop")
            sent = gitlab.asked[0].headers
        assert elsewhere.asked == []
    expected = {
        "private-token": ("private-token", TOKEN),
        "bearer": ("authorization", f"Bearer {TOKEN}"),
    }
    name, value = expected[authentication]
    assert sent[name] == value
    assert len({"private-token", "authorization"} & sent.keys()) == 1


def test_a_link_to_another_host_is_not_followed(client: Clients) -> None:
    """The next page of a list stays where the list began."""
    other = '<https://elsewhere.test/api/v4/projects?page=2>; rel="next"'
    with serving(lambda _: Reply(body=[], headers={"link": other})) as gitlab:
        pages = listed(client(gitlab.url), "projects")
        next(pages)
        with pytest.raises(ElsewhereError):
            next(pages)


def test_paths_are_one_part_of_an_address(client: Clients) -> None:
    """Slashes are written as %2F on the wire, dots and dashes as they are."""
    with serving(lambda _: Reply(body={})) as gitlab:
        client(gitlab.url).get(f"projects/{path_id('acme/tools.x/shop-ui')}", {"with": "a b"})
        assert gitlab.asked[0].path == "/api/v4/projects/acme%2Ftools.x%2Fshop-ui?with=a+b"


def test_a_plus_in_a_time_is_escaped(client: Clients) -> None:
    """GitLab reads a bare + as a space, and the time then as nonsense."""
    with serving(lambda _: Reply(body=[])) as gitlab:
        list(by_time(client(gitlab.url), "merge_requests", {}, START))
        assert "updated_after=2026-05-01T00%3A00%3A00%2B00%3A00" in gitlab.asked[0].path


class Table:
    """A list that GitLab orders by time of update, 50 a page, with a change while it is read."""

    def __init__(self, count: int, *, step: timedelta = timedelta(minutes=1)) -> None:
        self.rows = {number: START + number * step for number in range(count)}
        self.touched = False

    def answer(self, asked: Asked) -> Reply:
        """One page; after the first, a row of it is updated and moves to the end."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        after = datetime.fromisoformat(query.get("updated_after", "2000-01-01T00:00:00Z"))
        number, size = int(query.get("page", "1")), 50
        rows = sorted((at, one) for one, at in self.rows.items() if at >= after)
        part = rows[(number - 1) * size : number * size]
        if not self.touched:
            self.touched = True
            self.rows[3] = max(self.rows.values()) + timedelta(hours=1)
        headers = {"x-next-page": str(number + 1)} if number * size < len(rows) else {}
        return Reply(
            body=[{"id": one, "updated_at": at.isoformat()} for at, one in part], headers=headers
        )


def test_a_list_by_time_misses_nothing_that_moves(client: Clients) -> None:
    """A row that moves to the end while earlier pages are read takes no other with it."""
    table = Table(230)
    with serving(table.answer) as gitlab:
        parts = list(by_time(client(gitlab.url), "things", {}, None))
        seen = [item["id"] for part, _ in parts for item in part.items]
        assert set(seen) == set(range(230))
        assert all("page=1&" in f"{asked.path}&" for asked in gitlab.asked)
        moments = [reached for _, reached in parts]
        assert moments == sorted(moments, key=str)
        assert moments[-1] == table.rows[3]


def test_a_whole_page_of_one_moment_is_turned_over(client: Clients) -> None:
    """An import gives thousands of rows one time: pages by number get past it."""
    table = Table(230, step=timedelta(0))
    with serving(table.answer) as gitlab:
        parts = list(by_time(client(gitlab.url), "things", {}, None))
        assert {item["id"] for part, _ in parts for item in part.items} == set(range(230))
        assert len(gitlab.asked) < 12


def test_keyset_goes_by_links_alone(client: Clients) -> None:
    """The last page is the one without a link, whatever totals say."""

    def answer(asked: Asked) -> Reply:
        if "cursor=2" in asked.path:
            return Reply(body=[{"id": 3}], headers={"x-total": "900"})
        link = f'<{gitlab.url}/api/v4/projects?cursor=2>; rel="next"'
        return Reply(body=[{"id": 1}, {"id": 2}], headers={"link": link})

    with serving(answer) as gitlab:
        parts = list(listed(client(gitlab.url), "projects", KEYSET))
        assert [item["id"] for part in parts for item in part.items] == [1, 2, 3]
        assert "pagination=keyset" in gitlab.asked[0].path


def test_a_limit_in_plain_text_is_waited_for(client: Clients) -> None:
    """`Retry later` is no JSON; the header says how long."""
    waited: list[float] = []
    now = [1_780_000_000.0]

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    replies = [
        Reply(429, b"Retry later\n", {"retry-after": "7", "content-type": "text/plain"}),
        Reply(body=[{"id": 1}]),
    ]
    with serving(lambda _: replies.pop(0)) as gitlab:
        reached = client(gitlab.url, clock=lambda: now[0], sleep=sleep)
        assert len(list(listed(reached, "projects"))) == 1
    assert sum(waited) == pytest.approx(7.0)


def test_a_limit_used_up_holds_the_next_request_back(client: Clients) -> None:
    """The last answer before the limit tells when it is full again."""
    waited: list[float] = []
    now = [1_780_000_000.0]

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    headers = {"ratelimit-remaining": "0", "ratelimit-reset": "1780000012"}
    with serving(lambda _: Reply(body=[], headers=headers)) as gitlab:
        reached = client(gitlab.url, clock=lambda: now[0], sleep=sleep)
        reached.get("projects")
        assert waited == []
        reached.get("projects")
    assert sum(waited) == pytest.approx(12.0)


def test_a_project_that_has_moved_keeps_its_former_key(tmp_path: Path) -> None:
    """GitLab answers a former path with 301 to the number; the record knows both keys."""
    project = {
        "id": 7,
        "path_with_namespace": "acme/new/shop",
        "web_url": "https://git.test/acme/new/shop",
        "created_at": "2026-01-01T00:00:00.000Z",
    }

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/graphql"):
            return Reply(body={"data": {"projects": {"nodes": []}}})
        if asked.path.endswith("/projects/7"):
            return Reply(body=project)
        return Reply(301, headers={"location": f"{gitlab.url}/api/v4/projects/7"})

    with serving(answer) as gitlab:
        one = connector(gitlab.url, tmp_path)
        stream = one.streams()[0]
        pull = Pull(one.client(), tmp_path, lambda: START)
        scope = next(iter(one.scopes(stream)))
        pages = list(stream.pages(pull, scope, State()))
        pull.close()
    [record] = next(iter(stream.parse(pages[0].line("gitlab", scope)).records.values()))
    assert record.model_dump()["repository_key"] == "git.test/acme/new/shop"
    assert record.model_dump()["former_keys"] == ["git.test/acme/shop"]


def test_what_is_no_list_is_told(client: Clients) -> None:
    """A page for people, or an object, in the place of a list."""
    with serving(lambda _: Reply(body={"message": "moved"})) as gitlab:
        with pytest.raises(SourceError, match="where a list was expected"):
            list(listed(client(gitlab.url), "projects"))
        assert json.loads(gitlab.asked[0].body or b"0") == 0
