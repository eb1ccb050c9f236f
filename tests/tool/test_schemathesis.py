"""Schemathesis makes requests from the description of the push API; none breaks it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.pipelines.test_listening_process import SETTINGS, listening, token

pytestmark = pytest.mark.tool

# Outside of the lock: the product does not need it.
SCHEMATHESIS = "schemathesis==4.32.5"
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "unsupported_method"),
    "ignored_auth",
)
SCOPES = ("deployments", "incidents", "tickets", "self-service-actions", "setup-events")


def test_what_is_made_from_the_description_is_answered_as_described(tmp_path: Path) -> None:
    """No 5xx, no answer that the description does not have, whatever is sent; some is kept."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not installed: it runs Schemathesis in an environment of its own")
    (tmp_path / "leadline.toml").write_text(SETTINGS, encoding="utf-8")
    secret = token(tmp_path, *SCOPES)
    with listening(tmp_path) as (_, url):
        told = subprocess.run(
            [
                *(uv, "tool", "run", "--quiet", "--from", SCHEMATHESIS, "schemathesis"),
                *("run", f"{url}/openapi.json", "--checks", ",".join(CHECKS)),
                *("--header", f"Authorization: Bearer {secret}", "--max-examples", "40"),
                *("--phases", "examples,coverage,fuzzing", "--seed", "7", "--no-color"),
                *("--generation-database", "none"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        health = httpx.get(f"{url}/health", trust_env=False).json()
    assert told.returncode == 0, told.stdout[-6_000:] + told.stderr[-2_000:]
    tested = re.search(r"(\d+) generated", told.stdout)
    assert tested is not None, told.stdout[-2_000:]
    assert int(tested[1]) > 500
    assert health["counts"]["kept"] > 50
    assert not [status for status in health["answers"] if status.startswith("5")]
