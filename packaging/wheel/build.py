#!/usr/bin/env python3
"""Builds the Python wheel: the program with its models, ONNX Runtime's library and manual pages.

    python3 packaging/wheel/build.py          # target/wheel/dist/headroom_proxy-….whl

The library and the sentence encoder's weights are those that the crate's build script obtained and checked; cargo says
where they lie. They are put where the program looks for what was installed with it: `share/headroom` beside `bin`.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
STAGE = ROOT / "target/wheel"
MATURIN = "maturin==1.16.0"


def main() -> None:
    obtained = build()
    program = TARGET / "release" / "headroom"
    data = STAGE / "data"
    shutil.rmtree(data, ignore_errors=True)
    lay_out(data / "data/share/headroom", obtained)
    subprocess.run([program, "man", "--dir", data / "data/share/man/man1"], check=True)
    dist = STAGE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    subprocess.run([maturin(), "build", "--release", "--locked", "--out", dist], cwd=ROOT, check=True)
    for wheel in dist.glob("*.whl"):
        print(f"{wheel}: {wheel.stat().st_size / 1e6:.0f} MB")


def build() -> dict[str, str]:
    """Builds the program; what its build script told the compiler."""
    command = ["cargo", "build", "--release", "--locked", "--bin", "headroom", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for message in map(json.loads, built.stdout.splitlines()):
        if message["reason"] == "build-script-executed" and "HEADROOM_ORT_IN_CACHE" in dict(message["env"]):
            return dict(message["env"])
    sys.exit("the build script obtained no ONNX Runtime: is ORT_DYLIB_PATH set?")


def lay_out(folder: Path, obtained: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for model in ("headroom-t5-small", "sentence-encoder"):
        shutil.copytree(ROOT / "models" / model, folder / "models" / model)
    shutil.copytree(obtained["HEADROOM_SENTENCE_ENCODER_BAKED"], folder / "sentence-encoder")
    runtime = Path(obtained["HEADROOM_ORT_BAKED"])
    (library,) = runtime.glob("libonnxruntime*")
    # The name under which the program looks for it has no release.
    shutil.copy(library, folder / f"libonnxruntime{'.dylib' if sys.platform == 'darwin' else '.so'}")
    notices = folder / "onnxruntime"
    notices.mkdir()
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        shutil.copy(runtime / name, notices / name)
    shutil.copy(ROOT / "config.example.toml", folder / "config.example.toml")


def maturin() -> Path:
    folder = STAGE / "maturin"
    program = folder / "bin/maturin"
    if not program.is_file():
        venv.create(folder, with_pip=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MATURIN]
        subprocess.run(pip, check=True)
    return program


if __name__ == "__main__":
    main()
