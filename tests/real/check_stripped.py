"""An editor that strips the environment: socket, configuration, desktop and browser are found all the same (the contract's section 3)."""
import json
import os
import shutil
import signal
import subprocess
import sys

from parts import BINARIES, PYTHON_OF_DEBIAN, REAL
from sandbox import Sandbox
from session_bus import BARE
from shim import Shim
from world import check, ensure, eventually, send

KEPT = ("HOME", "PATH", "USER", "SHELL", "TERM", "LOGNAME")
# A mount namespace with a login session of its own at the usual places, and nobody else's.
PLACES = """set -eu
mkdir -p /run/user /tmp/.X11-unix
mount -t tmpfs tmpfs /run/user
mount -t tmpfs tmpfs /tmp/.X11-unix
mkdir -m 700 "$SESSION"
: > /tmp/.X11-unix/X0
echo ready
exec sleep 600"""


def prepare(world):
    """The session's bus and desktop; returns what is put before a command to run it there, and the session's directory."""
    session = f"/run/user/{os.getuid()}"
    holder, _ = world.start_with_line(["unshare", "--mount", "sh", "-c", PLACES], "session", env={**world.environment, "SESSION": session})
    inside = ["nsenter", "--mount", "--target", str(holder.pid)]
    settings = world.root / "bus.conf"
    settings.write_text(BARE.format(root=world.root).replace(f"unix:dir={world.root}", f"unix:path={session}/bus"))
    world.start_with_line([*inside, "dbus-daemon", f"--config-file={settings}", "--nofork", "--nopidfile", "--print-address"], "dbus", lambda line: "unix:" in line)
    bus = {**world.environment, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={session}/bus"}
    desktop, _ = world.start_with_line([*inside, PYTHON_OF_DEBIAN, REAL / "recorder.py"], "recorder", lambda line: line == "ready\n", stdin=subprocess.PIPE, env=bus)
    return inside, session, desktop


@check("an editor that strips the environment: one broker, one window on the found display, two notifications", ["root", "python3-dbus", "dbus-daemon", "aic-sandbox"])
def stripped(world):
    inside, session, desktop = prepare(world)
    seen = world.root / "seen"
    world.browser.write_text(f"#!/bin/sh\nenv > '{seen}'\nprintf '%s\\n' \"$1\" >> '{world.opened_log}'\nexec '{sys.executable}' '{REAL}/follow.py' \"$1\"\n")
    world.configure(Sandbox(world, auto_login=True).tenant, notifications=True)
    place = world.home / ".config/aic-broker"
    place.mkdir(parents=True)
    shutil.copy(world.config, place / "config.toml")
    usual = {"USER": "someone", "LOGNAME": "someone", "SHELL": "/bin/sh", "TERM": "dumb"}
    left = {name: {**world.environment, **usual}[name] for name in KEPT}
    with Shim(world, [*inside, BINARIES / "aic-mcp", "--tenant", "t"], env=left) as shim:
        world.closers.append(lambda: end_brokers(world))
        for _ in range(2):
            result = shim.end(shim.begin("getLogSources", {}))
            ensure(not result.get("isError"), f"the call fails: {result}")
    ensure(len(world.opened()) == 1, f"{len(world.opened())} windows were opened")
    environment = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    wanted = {"DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": f"unix:path={session}/bus", "XDG_RUNTIME_DIR": session}
    ensure(wanted.items() <= environment.items(), f"the browser's environment is {environment}")
    shown = lambda: [json.loads(line)["title"] for line in desktop.log.read_text().splitlines() if line.startswith("{")]
    eventually(lambda: shown() == ["Sign in to t", "Signed in to t"], lambda: f"shown is {shown()}")
    ensure((world.home / ".local/state/aic-broker/audit.jsonl").exists(), "the audit log is not at its usual place")


def end_brokers(world):
    for number in world.processes("aic-broker"):
        send(number, signal.SIGTERM)
    eventually(lambda: not world.processes("aic-broker"), "the broker leaves")
