"""`make bench`: every measurement in a process of its own, one table in the end.

`python -m benchmarks [NAME…]` runs some. Figures depend on the machine; where a limit is a ratio,
both sides are measured in the same run.
"""

import importlib
import json
import pkgutil
import resource
import subprocess
import sys
from dataclasses import asdict

import benchmarks
from benchmarks.result import Result, pace


def names() -> list[str]:
    """Every benchmark found in this folder."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if name.startswith("bench_"))


def measure(name: str) -> None:
    """Run one benchmark here and print its results as JSON lines."""
    for result in importlib.import_module(f"benchmarks.{name}").run():
        print(json.dumps(asdict(result)), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak}), flush=True)


def main(wanted: list[str]) -> int:
    """Run the benchmarks and print the table; 1 if a limit is broken or a benchmark fails."""
    rows: list[tuple[Result, int]] = []
    failed: list[str] = []
    paces = [pace()]
    for name in wanted or names():
        print(f"{name} …", file=sys.stderr, flush=True)
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks", "--one", name],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
        peak = next((line["peak"] for line in lines if "peak" in line), 0)
        rows += [(Result(**line), peak) for line in lines if "peak" not in line]
        if ran.returncode:
            failed.append(name)
        paces.append(pace())
    width = max((len(result.what) for result, _ in rows), default=10)
    print(f"{'what':{width}}  {'measured':>16}  {'limit':>16}  {'':5}  {'peak memory':>11}")
    for result, peak in rows:
        kept = "ok" if result.is_kept else "BROKEN"
        limit = result.limit_text() or "–"
        print(
            f"{result.what:{width}}  {result.text():>16}  {limit:>16}  {kept:5}"
            f"  {peak / 1e6:>8.0f} MB"
        )
    print(
        f"pace of this machine meanwhile: {min(paces):.1f} to {max(paces):.1f} million additions/s"
    )
    for name in failed:
        print(f"{name} failed, see above")
    return int(bool(failed) or any(not result.is_kept for result, _ in rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
