"""Recorded answers of real servers, from a source distribution that the registry has."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PERCEVAL = "perceval==1.6.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "leadline-tests"


def perceval(kind: str) -> dict[str, bytes]:
    """The bodies that perceval recorded of a kind of server, by name; skips where they are not.

    They are read at test time and never kept in this repository.
    """
    folder = CACHE / "perceval"
    if not list(folder.glob("*.tar.gz")):
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command = [*pip, "--no-binary", ":all:", "--dest", str(folder), PERCEVAL]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{PERCEVAL} cannot be fetched here: {error}")
    bodies = {}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:
            if f"tests/data/{kind}/" in member.name and member.isfile():
                file = archive.extractfile(member)
                assert file is not None
                bodies[Path(member.name).name] = file.read()
    return bodies
