"""Checkov really runs on sample repositories, and what it writes is read."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Pull, State
from connectors.files import Files
from connectors.files_options import FilesOptions
from connectors.records import ScanFinding

pytestmark = pytest.mark.tool

# Outside of the lock: it pins many packages, and the product does not need it.
CHECKOV = "checkov==3.2.533"
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  containers:
    - name: app
      image: {image}
      securityContext:
        privileged: {privileged}
"""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SARIF of two repositories, as Checkov wrote it."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not installed: it runs Checkov in an environment of its own")
    folder = tmp_path_factory.mktemp("scans")
    for name, privileged in (("shop", "true"), ("billing", "false")):
        source = folder / name
        source.mkdir()
        (source / "pod.yaml").write_text(
            POD.format(name=name, image="shop:1", privileged=privileged), encoding="utf-8"
        )
        subprocess.run(
            [
                *(uv, "tool", "run", "--quiet", "--from", CHECKOV, "checkov"),
                *("--directory", str(source), "--framework", "kubernetes", "--skip-download"),
                *("--output", "sarif", "--output-file-path", str(source)),
                *("--soft-fail", "--quiet", "--compact"),
            ],
            check=True,
            capture_output=True,
            timeout=500,
        )
        shutil.copy(source / "results_sarif.sarif", folder / f"{name}.sarif")
    return folder


def findings(scans: Path, name: str) -> dict[str, dict[str, Any]]:
    """By rule what the import makes of a scan."""
    key = f"forge.test/acme/{name}"
    table = {
        "path": str(scans / f"{name}.sarif"),
        "record": "sarif",
        "values": {"repository_key": key},
    }
    connector = Files("files", FilesOptions.model_validate({"tables": [table]}))
    stream = next(each for each in connector.streams() if each.name == "sarif")
    (scope,) = connector.scopes(stream)
    rows = []
    for page in stream.pages(Pull(None, scans, lambda: datetime.now(UTC)), scope, State()):
        parsed = stream.parse(page.line("files", scope))
        assert parsed.rejects == []
        rows += [vars(row) for row in parsed.records[ScanFinding]]
    assert {row["tool"] for row in rows} == {"Checkov"}
    assert {row["repository_key"] for row in rows} == {key}
    return {row["rule"]: row for row in rows}


def test_findings_have_rule_place_and_verdict(scans: Path) -> None:
    """A privileged container is a failure at its file and line."""
    found = findings(scans, "shop")["CKV_K8S_16"]
    assert found["is_pass"] is False
    assert found["path"].endswith("pod.yaml")
    assert found["at_line"] > 0
    assert found["message"]


def test_what_checkov_does_not_list_is_no_pass(scans: Path) -> None:
    """Its SARIF lists only rules with results: of a rule that passed it says nothing at all."""
    found = findings(scans, "billing")
    assert "CKV_K8S_16" not in found
    assert found
