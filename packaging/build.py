#!/usr/bin/env python3
"""Builds what people install: the program with its models, ONNX Runtime's library and manual pages.

    python3 packaging/build.py wheel          # target/wheel/dist/headroom_proxy-….whl
    python3 packaging/build.py archive        # target/archive/headroom-….tar.gz

The library and the sentence encoder's weights are those that the crate's build script obtained and checked; cargo says
where they lie. They are put where the program looks for them: beside itself, or in `share/headroom` beside `bin`.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
PROGRAM = TARGET / "release/headroom"
STAGE = ROOT / "target/wheel"
MATURIN = "maturin==1.16.0"


def main() -> None:
    made = {"wheel": wheel, "archive": archive}.get(" ".join(sys.argv[1:]))
    if made is None:
        sys.exit("usage: build.py wheel|archive")
    for path in made(build()):
        print(f"{path}: {path.stat().st_size / 1e6:.0f} MB")


def wheel(obtained: dict[str, str]) -> list[Path]:
    data = STAGE / "data/data"
    shutil.rmtree(data, ignore_errors=True)
    lay_out(data / "share/headroom", obtained)
    manual(data / "share/man/man1")
    dist = STAGE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    subprocess.run([maturin(), "build", "--release", "--locked", "--out", dist], cwd=ROOT, check=True)
    return list(dist.glob("*.whl"))


def archive(obtained: dict[str, str]) -> list[Path]:
    version = run([PROGRAM, "--version"]).split()[-1]
    host = next(line.split()[-1] for line in run(["rustc", "-vV"]).splitlines() if line.startswith("host:"))
    base = ROOT / "target/archive"
    folder = base / f"headroom-{version}-{host}"
    shutil.rmtree(base, ignore_errors=True)
    lay_out(folder, obtained)
    shutil.copy(PROGRAM, folder)
    manual(folder / "man")
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "packaging/systemd/headroom.service"):
        shutil.copy(ROOT / name, folder)
    (folder / "completions").mkdir()
    for shell in ("bash", "zsh", "fish"):
        (folder / "completions" / f"headroom.{shell}").write_text(run([PROGRAM, "completions", shell]))
    return [Path(shutil.make_archive(str(folder), "gztar", base, folder.name))]


def manual(folder: Path) -> None:
    run([PROGRAM, "man", "--dir", folder])


def run(command: list[str | Path]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


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
