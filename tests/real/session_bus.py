"""A private D-Bus session with or without a real gnome-keyring, and a look into it with secret-tool."""
import signal
import subprocess

from world import end, ensure, eventually, send

# A session bus that starts no services by itself, so that what is on it is what a check put there.
BARE = """<busconfig><type>session</type><listen>unix:dir={root}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""
NAME = "org.freedesktop.secrets"
PASSWORD = "correct horse"


class SessionBus:
    """`activating`: the distribution's session bus, which starts services by itself when they are asked for."""

    def __init__(self, world, activating=False):
        self.world = world
        configuration = world.root / "bus.conf"
        configuration.write_text(BARE.format(root=world.root))
        which = ["--session"] if activating else [f"--config-file={configuration}"]
        _, line = world.start_with_line(["dbus-daemon", *which, "--nofork", "--nopidfile", "--print-address"], "dbus", lambda line: "unix:" in line)
        world.environment["DBUS_SESSION_BUS_ADDRESS"] = line.strip()
        self.daemon = None

    def unlocked(self):
        """Starts the keyring with an open default collection."""
        self._start("--unlock", password=PASSWORD)
        stored = self._secret_tool("store", "--label=probe", "probe", "1", input=b"probe")
        ensure(stored.returncode == 0, f"the keyring stays locked: {stored.stderr}")
        self._secret_tool("clear", "probe", "1")
        return self

    def locked(self):
        """Starts the keyring with a default collection that is locked, and nobody to ask for its password."""
        self.unlocked()
        end(self.daemon)
        eventually(lambda: not self.has_owner(), "the first keyring leaves the bus")
        self._start("--unlock", password="wrong")
        return self

    def stopped(self):
        """Starts the keyring and stops it: it is there and never answers."""
        self.unlocked()
        send(self.daemon.pid, signal.SIGSTOP)
        return self

    def die(self):
        """The keyring ends as by a crash, and nothing starts it again."""
        send(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait()
        eventually(lambda: not self.has_owner(), "the keyring is off the bus")

    def begin_empty(self):
        """A keyring that has lost all that it held."""
        self.die()
        for file in (self.world.data / "keyrings").iterdir():
            file.unlink()
        self.unlocked()

    def go_on(self):
        send(self.daemon.pid, signal.SIGCONT)

    def _start(self, *flags, password):
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets", *flags]
        self.daemon = self.world.start(command, "keyring", stdin=subprocess.PIPE)
        self.daemon.stdin.write(password.encode())
        self.daemon.stdin.close()
        eventually(self.has_owner, "the keyring is on the bus")

    def has_owner(self):
        asked = ["gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/org/freedesktop/DBus", "-m", "org.freedesktop.DBus.NameHasOwner", NAME]
        return "true" in self.world.ask(asked).stdout

    def items(self):
        """The broker's items, as secret-tool prints them: attributes and content."""
        found = self._secret_tool("search", "--all", "service", self.service())
        printed = found.stdout + found.stderr
        return [b"[" + item for item in printed.split(b"[/")[1:]]

    def overwrite(self, content, *more):
        """Another program of the user writes into the broker's item, or, with `more` attributes, beside it."""
        done = self._secret_tool("store", "--label=x", *self.named(), *more, input=content)
        ensure(done.returncode == 0, f"secret-tool store: {done.stderr}")

    def remove(self):
        """Another program of the user removes the broker's item."""
        done = self._secret_tool("clear", *self.named())
        ensure(done.returncode == 0 and not self.items(), f"secret-tool clear: {done.stderr}")

    def content(self):
        """What the broker's item holds."""
        return self._secret_tool("lookup", *self.named()).stdout

    def named(self):
        return ["service", self.service(), "username", self.account()]

    def account(self):
        attribute = next(line for line in self.items()[0].decode("utf-8", "replace").splitlines() if line.startswith("attribute.username"))
        return attribute.split("=", 1)[1].strip()

    def service(self):
        return f"aic-broker in {self.world.run_dir}"

    def _secret_tool(self, *arguments, **options):
        return self.world.ask(["secret-tool", *arguments], text=False, **options)
