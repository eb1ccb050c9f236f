"""The demo in a network without a way out: what tries to leave is counted by the kernel.

Run as `unshare -n python -m tests.e2e.offline FOLDER`; prints one JSON object.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def unroutable() -> int:
    """How many packets and connections in this network found no route."""
    found = 0
    lines = Path("/proc/net/snmp").read_text(encoding="utf-8").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    found += int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    for line in Path("/proc/net/snmp6").read_text(encoding="utf-8").splitlines():
        name, value = line.split()
        found += int(value) if name == "Ip6OutNoRoutes" else 0
    return found


def main(folder: Path) -> None:
    """Prove that attempts are counted, run the demo to its dashboard and end it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    before = unroutable()
    with socket.socket() as attempt:
        attempt.connect_ex(("192.0.2.1", 9))
    control = unroutable()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from pipelines.cli import main; main()"),
            *("demo", "--engineers", "3", "--seed", "11"),
        ],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(PROJECT),
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    status = 0
    for line in process.stdout or ():
        if line.startswith("dashboard: "):
            with urllib.request.urlopen(line.split()[1], timeout=60) as page:  # noqa: S310
                status = page.status
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate(timeout=60)
    found = {
        "counted": control - before,
        "page": status,
        "exit": process.returncode,
        "left": unroutable() - control,
        "said": said[-2000:],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
