"""A real `systemd --user` of a user of its own, beside whatever runs this machine. Needs root, which makes its places.

It starts only where /run/systemd/system exists, so it gets one in a private mount namespace; /run is a mount there, as on
every machine with systemd, because a unit's sandbox would hide a /run that is none. The user has a name there: D-Bus
speaks with nobody else.
"""
import os
import pathlib
import shutil
import signal
import tempfile

from parts import BINARIES
from world import end, ensure, eventually, send

UID = 61009
SYSTEMD = "/lib/systemd/systemd"
RUNTIME = f"/run/user/{UID}"
# The hierarchies of control groups in which systemd makes its own: version 1, both versions, version 2.
HIERARCHIES = ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
AS_USER = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "env", "-i"]
PLACES = f"""set -eu
mount --bind /run /run
mount -t tmpfs tmpfs /run/systemd || {{ mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; }}
mkdir -p /run/systemd/system /run/user
mount -t tmpfs tmpfs /run/user
mkdir -m 700 {RUNTIME}
chown {UID}:{UID} {RUNTIME}
mount --bind "$USERS" /etc/passwd
for group in $GROUPS_OF_IT; do echo $$ > $group/cgroup.procs; done
exec "$@"
"""


class UserManager:
    """The user's home lies outside of /tmp: a unit's PrivateTmp would hide it."""

    def __init__(self, world):
        self.world = world
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="aic-person-", dir="/run"))
        world.closers.append(self.close)
        os.chown(self.home, UID, UID)
        self.programs = self.home / "bin"
        self.programs.mkdir()
        for name in ("aic-broker", "aic-mcp"):
            self.put(name)
        users = self.home / "passwd"
        users.write_text(pathlib.Path("/etc/passwd").read_text() + f"aic-person:x:{UID}:{UID}::{self.home}:/bin/sh\n")
        self.groups = [pathlib.Path(place) / f"aic-real.{os.getpid()}" for place in HIERARCHIES if os.path.exists(f"{place}/cgroup.procs")]
        for group in self.groups:
            group.mkdir(exist_ok=True)
            for file in [group, *group.glob("cgroup.*")]:
                os.chown(file, UID, UID)
        self.variables = [f"HOME={self.home}", f"XDG_RUNTIME_DIR={RUNTIME}", "LANG=C.UTF-8", f"WORLD={world.root}", f"PATH={self.programs}:/usr/bin:/bin"]
        start = ["unshare", "--mount", "--propagation", "private", "sh", "-c", PLACES, "sh", *AS_USER, *self.variables, SYSTEMD, "--user", "--log-target=console"]
        self.process = world.start(start, "systemd", env={**world.environment, "GROUPS_OF_IT": " ".join(map(str, self.groups)), "USERS": str(users)})
        eventually(lambda: self.process.poll() is not None or self.ask("systemctl", "--user", "is-system-running").stdout.strip() in ("running", "degraded"), "systemd --user runs")
        ensure(self.process.poll() is None, lambda: f"systemd ended: {self.process.log.read_text()[-2000:]}")

    def put(self, name):
        """Puts a program of the product into the user's directory, as an installer does: under another inode."""
        arriving = self.programs / f".{name}"
        shutil.copy(BINARIES / name, arriving)
        arriving.rename(self.programs / name)

    def configure(self, **more):
        """config.toml at its usual place."""
        self.world.configure(more.pop("tenant"), **more)
        place = self.home / ".config/aic-broker/config.toml"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.world.config, place)
        for path in (place, place.parent, place.parent.parent):
            os.chown(path, UID, UID)

    def command(self, *words):
        """A command line that is run by this user, beside this manager."""
        return ["nsenter", "--mount", "--target", str(self.process.pid), *AS_USER, *self.variables, *map(str, words)]

    def ask(self, *words, **options):
        return self.world.ask(self.command(*words), **options)

    def broker(self, *words):
        return self.ask(self.programs / "aic-broker", *words)

    def runtime(self):
        """The broker's directory, as it is seen from here."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{RUNTIME}/aic-broker")

    def socket(self):
        """The broker's socket, likewise."""
        return self.runtime() / "broker.sock"

    def state(self, unit, *properties):
        """What systemd says of a unit."""
        done = self.ask("systemctl", "--user", "show", unit, f"--property={','.join(properties)}")
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def brokers(self):
        """The daemons of this user, whoever started them."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "cmdline").read_bytes().startswith(f"{self.programs}/aic-broker\0serve\0".encode()):
                    found.append(int(folder.name))
            except OSError:
                pass
        return found

    def close(self):
        end(self.process)
        for pid in self.brokers():
            send(pid, signal.SIGKILL)
        for group in self.groups:
            for folder in sorted(group.rglob("*"), reverse=True):
                if folder.is_dir():
                    folder.rmdir()
            group.rmdir()
        shutil.rmtree(self.home, ignore_errors=True)
