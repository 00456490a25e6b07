"""The user's units on a real `systemd --user` of an unprivileged user: from `install --service` to nothing being left."""
import json
import os
import re
import subprocess

from manager import UID, UserManager
from parts import PYTHON_OF_DEBIAN, REAL
from sandbox import Sandbox
from session_bus import BARE, PASSWORD
from shim import Shim
from world import check, ensure, eventually

NEEDS = ["root", "systemd", "aic-sandbox"]
SOCKET, SERVICE = "aic-broker.socket", "aic-broker.service"
# The browser: notes what it is, and follows the sign-in after its launcher has ended.
BROWSER = """#!/bin/sh
grep -h NoNewPrivs /proc/self/status >> '{log}'
(sleep 0.1; exec /usr/bin/python3 -c 'import sys, urllib.request as u; u.build_opener(u.ProxyHandler({{}})).open(sys.argv[1], timeout=60).read()' "$1") > /dev/null 2>&1 &
"""


def person(world, **more):
    """A user with a manager, a configuration and a browser."""
    manager = UserManager(world)
    manager.windows = manager.home / "windows"
    browser = manager.home / "browser"
    browser.write_text(BROWSER.format(log=manager.windows))
    browser.chmod(0o755)
    manager.configure(tenant=Sandbox(world, auto_login=True).tenant, browser=[str(browser)], **more)
    return manager


def done(asked):
    ensure(asked.returncode == 0, lambda: f"{asked.args[-4:]} ends with {asked.returncode}: {asked.stdout}{asked.stderr}")
    return asked.stdout


def shim(manager):
    return Shim(manager.world, manager.command(manager.programs / "aic-mcp", "--tenant", "t"))


def call(shim):
    result = shim.end(shim.begin("getLogSources", {}))
    ensure(not result.get("isError"), lambda: f"the call fails: {result}")


def units(manager):
    return sorted(str(path.relative_to(manager.home)) for path in (manager.home / ".config/systemd").rglob("*"))


def main_pid(manager):
    return int(manager.state(SERVICE, "MainPID")["MainPID"])


def is_active(manager, unit):
    return manager.state(unit, "ActiveState")["ActiveState"] == "active"


def gone(manager):
    eventually(lambda: manager.state(SERVICE, "ActiveState")["ActiveState"] == "inactive", lambda: f"the service leaves: {manager.state(SERVICE, 'ActiveState', 'Result')}")


@check("installed once and once more, shown first: the units are there, and the socket waits", NEEDS)
def installed(world):
    manager = person(world)
    shown = done(manager.broker("install", "--service", "--dry-run"))
    ensure("would be written" in shown and "$ systemctl --user enable --now aic-broker.socket" in shown and "+ Type=notify" in shown, shown)
    ensure(units(manager) == [], f"a dry run wrote {units(manager)}")
    done(manager.broker("install", "--service"))
    ensure(is_active(manager, SOCKET) and is_active(manager, SERVICE), "the units are not active")
    ensure(manager.ask("systemctl", "--user", "is-enabled", SOCKET).stdout == "enabled\n", "the socket is not enabled")
    read = manager.ask("systemd-analyze", "--user", "verify", "--man=no", *(manager.home / ".config/systemd/user" / unit for unit in (SOCKET, SERVICE)))
    ensure(read.returncode == 0 and read.stderr == "", f"systemd-analyze says {read.stderr}")
    first = main_pid(manager)
    again = done(manager.broker("install", "--service"))
    ensure(again.count("is right already") >= 2 and main_pid(manager) == first, f"the second time: {again}")
    ensure(not os.path.exists(f"/var/lib/systemd/linger/{UID}"), "lingering was switched on")


@check("the first connection activates it, it says when it is ready, leaves when idle, and comes back", NEEDS)
def activated(world):
    manager = person(world, session_linger="2s")
    done(manager.broker("install", "--service"))
    done(manager.broker("stop"))
    gone(manager)
    said = manager.broker("status")
    ensure(said.returncode == 3 and main_pid(manager) == 0, lambda: f"`status` says {said}, and {manager.state(SERVICE, 'ActiveState', 'MainPID')}; {manager.process.log.read_text()[-3000:]}")
    with shim(manager) as editor:
        call(editor)
        said = manager.state(SERVICE, "Type", "StatusText", "ActiveState", "MainPID")
        status = json.loads(manager.broker("status", "--json").stdout)
        ensure(said == {"Type": "notify", "StatusText": "waiting for calls", "ActiveState": "active", "MainPID": str(status["pid"])}, f"systemd says {said}")
    gone(manager)
    ensure(is_active(manager, SOCKET), "the socket went with the service")
    with shim(manager) as editor:
        call(editor)
    ensure(len(manager.windows.read_text().splitlines()) == 2, "a fresh start signs in anew")


@check("a restart, a kill and a stop: the same editor goes on each time", NEEDS)
def restarted(world):
    manager = person(world)
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        call(editor)
        pids = [main_pid(manager)]
        for deed in (["restart", SERVICE], ["kill", "--signal=KILL", SERVICE], ["stop", SERVICE]):
            done(manager.ask("systemctl", "--user", *deed))
            eventually(lambda: main_pid(manager) != pids[-1], f"{deed} ends it")
            call(editor)
            pids.append(main_pid(manager))
        ensure(len(set(pids)) == 4, f"the brokers were {pids}")


@check("behind its sandbox: nothing gained, nothing written elsewhere, and the browser is outside", NEEDS)
def sandboxed(world):
    manager = person(world)
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        call(editor)
    pid = main_pid(manager)
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status").read().splitlines() if ":\t" in line)
    ensure((status["NoNewPrivs"], status["Seccomp"], status["CapBnd"]) == ("1", "2", "0" * 16), f"the broker has {status}")
    ensure(manager.windows.read_text() == "NoNewPrivs:\t0\n", f"the browser is {manager.windows.read_text()}")
    mounts = {line.split()[4]: line.split()[5].split(",")[0] for line in open(f"/proc/{pid}/mountinfo")}
    written = [manager.home / ".local/state/aic-broker", f"/run/user/{UID}/aic-broker"]
    ensure(mounts["/"] == "ro" and all(mounts.get(str(place)) == "rw" for place in written), f"it can write to {mounts}")
    lines = [json.loads(line) for line in (written[0] / "audit.jsonl").read_text().splitlines()]
    callers = {line["client"]["executable"] for line in lines if line.get("tool") == "getLogSources"}
    ensure(callers == {f"{manager.programs}/aic-mcp"}, f"the log has the calls of {callers}")
    rated = manager.ask("systemd-analyze", "--user", "security", "--offline=true", manager.home / ".config/systemd/user" / SERVICE)
    score = float(re.search(r"exposure level for \S+: ([0-9.]+)", rated.stdout).group(1))
    ensure(score <= 2.0, f"systemd-analyze rates the unit {score}")


HOLDER = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('ready', flush=True); time.sleep(60)"


@check("behind its sandbox it says how to learn who holds the redirect port", NEEDS)
def port_taken(world):
    manager = person(world)
    world.start_with_line(manager.command("/usr/bin/python3", "-c", HOLDER, world.redirect_port), "holder", lambda line: line == "ready\n")
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        said = json.dumps(editor.end(editor.begin("signIn", {})))
        ensure(f"port {world.redirect_port} is used by another program (aic-broker doctor names it)" in said, f"the sign-in says {said}")
        named = manager.broker("doctor").stdout
        ensure("python3 (pid " in named, f"the doctor says {named}")


@check("uninstalled: no unit, no link, no process, no lock, and an editor still gets its answer", NEEDS)
def uninstalled(world):
    manager = person(world)
    before = units(manager)
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        call(editor)
        done(manager.broker("uninstall", "--dry-run"))
        ensure(is_active(manager, SOCKET), "a dry run took it away")
        done(manager.broker("uninstall"))
        ensure(units(manager) == before and not (manager.home / ".config/systemd").exists(), f"left: {units(manager)}")
        known = done(manager.ask("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "aic-broker*"))
        ensure(known.strip() == "", f"systemd still knows {known}")
        ensure(not manager.brokers(), f"left running: {manager.brokers()}")
        left = manager.runtime()
        ensure(not left.exists(), lambda: f"left in {left}: {list(left.iterdir())}")
        call(editor)
        ensure(main_pid(manager) == 0 and len(manager.brokers()) == 1, "the editor did not start a broker of its own")
        done(manager.broker("uninstall"))
    ensure(not manager.brokers() and not left.exists(), f"left at last: {manager.brokers()}, {left}")


# The hello of another release, said by a process of the user.
NEWER = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(bytes.fromhex(sys.argv[2])); s.recv(100)"


def newer(manager):
    """Another build of the broker is installed, and a client of that release comes by."""
    hello = bytes.fromhex((REAL.parent.parent / "proto/tests/frames/v1/hello.hello_command.hex").read_text())
    manager.put("aic-broker")
    done(manager.ask("/usr/bin/python3", "-c", NEWER, f"/run/user/{UID}/aic-broker/broker.sock", hello.replace(b"0.1.0", b"9.9.9").hex()))


@check("upgraded: the old program makes way at a quiet moment, and the manager starts the new one", NEEDS)
def upgraded(world):
    manager = person(world)
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        call(editor)
        old = main_pid(manager)
        newer(manager)
        eventually(lambda: main_pid(manager) != old, "the old broker leaves")
        call(editor)
        ensure(main_pid(manager) not in (0, old), "the manager did not start the new one")
    stops = [line for line in (manager.home / ".local/state/aic-broker/audit.jsonl").read_text().splitlines() if '"stop"' in line]
    ensure(len(stops) == 1 and "its program was replaced" in stops[0], f"the log says {stops}")


@check("doctor finds each thing that can be wrong with the service, and nothing once its fix was typed", NEEDS)
def examined(world):
    manager = person(world)
    done(manager.broker("install", "--service"))
    unit = manager.home / ".config/systemd/user" / SERVICE

    def starts(program):
        unit.write_text(unit.read_text().replace(f"{manager.programs}/aic-broker", program))
        done(manager.ask("systemctl", "--user", "daemon-reload"))

    def findings():
        checks = json.loads(manager.broker("doctor", "--json").stdout)["checks"]
        return {line["finding"]: line["fix"] for line in checks if line["check"] == "service" and line["finding"]}

    causes = {
        "service-program-missing": lambda: starts("/nowhere/aic-broker"),
        "service-program-other": lambda: starts("/usr/bin/true"),
        "service-not-enabled": lambda: done(manager.ask("systemctl", "--user", "disable", SOCKET)),
        "service-inactive": lambda: done(manager.ask("systemctl", "--user", "stop", SOCKET, SERVICE)),
    }
    ensure(findings() == {}, f"at first it finds {findings()}")
    for finding, cause in [*causes.items(), ("service-inactive", manager.socket().unlink)]:
        cause()
        found = findings()
        ensure(list(found) == [finding], f"instead of {finding} it finds {found}")
        typed = manager.ask("sh", "-c", found[finding])
        ensure(findings() == {}, lambda: f"after {found[finding]!r} it finds {findings()}: {typed.stdout}{typed.stderr}")
    with shim(manager) as editor:
        call(editor)
    ensure(main_pid(manager) != 0, "the service does not serve any more")


@check("a link in the place of systemd's directory is the user's own, and stays", NEEDS)
def linked(world):
    manager = person(world)
    kept = manager.home / "dotfiles"
    kept.mkdir()
    link = manager.home / ".config/systemd"
    link.symlink_to(kept)
    os.chown(kept, UID, UID)
    done(manager.broker("install", "--service"))
    ensure((kept / "user" / SERVICE).exists(), "the units are not behind the link")
    done(manager.broker("uninstall"))
    ensure(link.is_symlink() and list(kept.rglob("*")) == [], f"left: {link}, {list(kept.rglob('*'))}")


@check("behind its sandbox it reaches the keyring and the desktop", NEEDS + ["dbus-daemon", "gnome-keyring-daemon", "secret-tool", "python3-dbus"])
def at_home(world):
    manager = person(world, keychain="os", notifications=True)
    bus = f"unix:path=/run/user/{UID}/bus"
    settings = world.root / "bus.conf"
    settings.write_text(BARE.format(root=world.root).replace(f"unix:dir={world.root}", bus))
    for path in (world.root, settings):
        path.chmod(0o755)
    world.start_with_line(manager.command("dbus-daemon", f"--config-file={settings}", "--nofork", "--nopidfile", "--print-address"), "dbus", lambda line: "unix:" in line)
    at_bus = ["env", f"DBUS_SESSION_BUS_ADDRESS={bus}"]
    keyring = world.start(manager.command(*at_bus, "gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock"), "keyring", stdin=subprocess.PIPE)
    keyring.stdin.write(PASSWORD.encode())
    keyring.stdin.close()
    desktop, _ = world.start_with_line(manager.command(*at_bus, PYTHON_OF_DEBIAN, REAL / "recorder.py"), "recorder", lambda line: line == "ready\n", stdin=subprocess.PIPE)
    stored = lambda: manager.ask(*at_bus, "secret-tool", "store", "--label=probe", "probe", "1", input="probe").returncode == 0
    eventually(stored, "the keyring is open")
    done(manager.broker("install", "--service"))
    with shim(manager) as editor:
        call(editor)
        kept = json.loads(manager.broker("status", "--json").stdout)["keychain"]
        ensure(kept["backend"] != "memory" and kept["state"] == "ok", f"the session is kept in {kept}")
        found = manager.ask(*at_bus, "secret-tool", "search", "--all", "service", "aic-broker", errors="replace")
        ensure("service = aic-broker" in found.stdout + found.stderr, f"the keyring has {found.stdout}{found.stderr}")
        newer(manager)
    eventually(lambda: "updated" in desktop.log.read_text(), lambda: f"the desktop showed {desktop.log.read_text()}")
    shown = [json.loads(line)["title"] for line in desktop.log.read_text().splitlines() if line.startswith("{")]
    ensure([title.split(" to ")[0] for title in shown] == ["Sign in", "Signed in", "aic-broker was updated"], f"the desktop showed {shown}")


@check("a service that cannot start: `install` takes it back, and an editor starts a broker of its own", NEEDS)
def failing(world):
    manager = person(world)
    more = manager.home / f".config/systemd/user/{SERVICE}.d/more.conf"

    def broken():
        more.parent.mkdir(parents=True)
        more.write_text("[Service]\nExecStartPre=/bin/false\n")
        done(manager.ask("systemctl", "--user", "daemon-reload"))

    broken()
    for folder in (manager.home / ".config").rglob("*"):
        os.chown(folder, UID, UID)
    asked = manager.broker("install", "--service")
    ensure(asked.returncode == 1 and "taken back" in asked.stderr and "journalctl --user -u aic-broker" in asked.stderr, f"it says {asked}")
    ensure([path for path in units(manager) if "more" not in path and not path.endswith(".d")] == [".config/systemd/user"], f"left: {units(manager)}")
    more.unlink()
    more.parent.rmdir()
    done(manager.broker("install", "--service"))
    done(manager.broker("stop"))
    gone(manager)
    broken()
    with shim(manager) as editor:
        call(editor)
        ensure(main_pid(manager) == 0 and len(manager.brokers()) == 1, "who answered?")
        done(manager.broker("stop"))
