"""The doctor and a real gnome-keyring: locked, and slow behind a bus that takes its time."""
import json
import os
import socket
import threading
import time

from check_keychain import KEYRING
from session_bus import PASSWORD, SessionBus
from world import check, ensure

# What a bus that takes its time adds to each message: three round trips are slow, and far from hanging.
PAUSE = 0.12


def findings(world):
    done = world.broker("doctor", "--json")
    said = json.loads(done.stdout)
    return {line["finding"]: line for line in said["checks"] if line["finding"]}


def configure(world):
    world.configure({"base_url": "https://localhost:1"}, "auto")


@check("doctor finds a locked keyring, and nothing once it is unlocked", KEYRING)
def locked(world):
    bus = SessionBus(world).locked()
    configure(world)
    line = findings(world).get("keychain-locked")
    ensure(line, "the doctor does not find that the keyring is locked")
    ensure(line["fix"].startswith("gnome-keyring-daemon --unlock"), f"the fix is {line['fix']}")
    done = world.ask(["gnome-keyring-daemon", "--unlock"], input=PASSWORD)
    if "keychain-locked" in findings(world):
        # the daemon that holds the bus's name is another one than the command found: it is unlocked by a fresh start
        bus.daemon.terminate()
        bus.daemon.wait()
        bus.unlocked()
    ensure("keychain-locked" not in findings(world), f"the keyring stays locked: {done.stdout}{done.stderr}")


class SlowBus:
    """Passes a bus on, each message with a pause."""

    def __init__(self, world, onward):
        self.onward = onward.split("path=", 1)[1].split(",")[0]
        self.path = str(world.root / "slow-bus")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.onward)
            for source, target, pause in ((near, far, PAUSE), (far, near, 0)):
                threading.Thread(target=self.carry, args=(source, target, pause), daemon=True).start()

    @staticmethod
    def carry(source, target, pause):
        try:
            while part := source.recv(65536):
                time.sleep(pause)
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@check("doctor finds a keyring that answers slowly, and nothing once it is quick", KEYRING)
def slow(world):
    SessionBus(world).unlocked()
    configure(world)
    quick = world.environment["DBUS_SESSION_BUS_ADDRESS"]
    world.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={SlowBus(world, quick).path}"
    ensure("keychain-slow" in findings(world), f"the doctor finds {sorted(findings(world))}")
    world.environment["DBUS_SESSION_BUS_ADDRESS"] = quick
    ensure("keychain-slow" not in findings(world), "the doctor still finds it slow")
    ensure(os.path.exists(world.config), "the configuration is gone")
