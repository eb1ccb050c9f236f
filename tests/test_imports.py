"""The rooms' one-way imports: connectors ← pipelines ← dashboards, and the sandbox apart."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("connectors", "pipelines", "dashboards", "sandbox")
ALLOWED = {
    "connectors": {"connectors"},
    "pipelines": {"connectors", "pipelines"},
    "dashboards": {"pipelines", "dashboards"},
    "sandbox": {"sandbox"},
}
# What starts the dashboard or the sandbox as a process needs to know how; it reads nothing of it.
STARTERS = {
    "pipelines/supervisor.py": {"dashboards"},
    "pipelines/commands/serving.py": {"dashboards"},
    "pipelines/commands/demo.py": {"sandbox"},
}


def imported(path: Path) -> set[str]:
    """The rooms a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add((node.module or "").split(".")[0])
    return found & set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    """Data enters at the left and never turns back; neither does knowledge."""
    wrong = []
    for path in sorted((ROOT / room).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        extra = imported(path) - ALLOWED[room] - STARTERS.get(name, set())
        wrong += [f"{name} imports {other}" for other in sorted(extra)]
    assert wrong == []


def test_only_the_client_speaks_http() -> None:
    """Retries, limits and trust are in one place."""
    speakers = [
        path.name
        for path in (ROOT / "connectors").rglob("*.py")
        if "httpx" in path.read_text(encoding="utf-8")
        and any("import httpx" in line for line in path.read_text(encoding="utf-8").splitlines())
    ]
    assert speakers == ["client.py"]


def test_connectors_know_no_database() -> None:
    """Nor Dagster, nor metrics."""
    for path in (ROOT / "connectors").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import duckdb" not in text, path
        assert "import dagster" not in text, path
