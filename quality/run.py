#!/usr/bin/env python3
"""Measures what arrives: one command, with a Python environment of its own in target/quality.

    cargo build --release
    python3 quality/run.py facts --kinds rag,blind --ratios 2,5,10   # quality.py over quality/dev
    python3 quality/run.py facts --sound                             # also whole and broken sentences (spaCy)
    python3 quality/run.py truth --ratios 2,5                        # truth/truth.py
    python3 quality/run.py files --ratios auto,5                     # files.py over this machine's files
    python3 quality/run.py restarts --turns 40,100                   # restarts.py: whether prefixes hold
    python3 quality/run.py sessions                                  # sessions.py: what whole sessions cost
    python3 quality/run.py conversation                              # conversation.py: memory and time of a long one
    python3 quality/run.py cost --plot cost.svg                      # cost.py: CPU beside a pass over all tokens

Further arguments go to the program; HEADROOM_BIN names another binary.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "target"
PROGRAMS = {
    "facts": HERE / "quality.py",
    "truth": HERE / "truth" / "truth.py",
    "files": HERE / "files.py",
    "restarts": HERE / "restarts.py",
    "sessions": HERE / "sessions.py",
    "conversation": HERE / "conversation.py",
    "cost": HERE / "cost.py",
}
MORE = {"cost": "cost"}  # programs with a list of requirements of their own
STAND_INS = {"--floors", "--identity", "--toy", "--drop", "--empty", "--head", "--base-url"}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:
        sys.exit(__doc__.strip())
    what, given = sys.argv[1], sys.argv[2:]
    if what in ("restarts", "conversation"):
        sys.exit(subprocess.run([sys.executable, str(PROGRAMS[what]), *given]).returncode)
    if what in MORE or what == "sessions":
        sys.exit(subprocess.run([str(python(MORE.get(what))), str(PROGRAMS[what]), *given]).returncode)
    arguments = list(given)
    if not STAND_INS & set(given):
        binary = os.environ.get("HEADROOM_BIN", str(TARGET / "release" / "headroom"))
        arguments += ["--proxy", f"{binary} serve --listen {{listen}} --upstream {{upstream}}"]
    if what == "facts" and "--data" not in given:
        arguments += ["--data", str(HERE / "dev")]
    environment = dict(os.environ, HEADROOM_ENGINE__DECISIONS_FILE="off", HEADROOM_ENGINE__TIME_BUDGET_MS="0")
    with tempfile.TemporaryDirectory() as state:
        environment["XDG_STATE_HOME"] = state
        program = [str(python("sound" if "--sound" in given else None)), str(PROGRAMS[what]), *arguments]
        sys.exit(subprocess.run(program, env=environment).returncode)


def python(more):
    """An interpreter that has what the programs need, `more` included; made again where the lists changed."""
    venv, lists = TARGET / "quality", [HERE / "requirements.txt"]
    if more:
        lists.append(HERE / f"requirements-{more}.txt")
    wanted = "".join(file.read_text() for file in lists)
    known = venv / "requirements.txt"
    if not known.is_file() or wanted not in known.read_text():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        command = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(command + [part for file in lists for part in ("--requirement", str(file))], check=True)
        known.write_text(wanted)
    return venv / "bin/python"


if __name__ == "__main__":
    main()
