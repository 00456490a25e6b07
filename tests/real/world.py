"""A temporary world for one check: folders, configuration, the product's programs, and everything else it starts.

Whatever is started here carries the world's folder in its environment, and nothing of it is left when the world ends.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from parts import BINARIES

# How long something that is about to happen may take on a busy machine.
SOON = 20.0
LOGIN_SCOPES = {"fr:idm:*", "fr:idc:monitoring:*", "fr:idc:esv:update", "fr:idc:esv:read", "fr:am:*"}


class Failed(Exception):
    """A check's promise does not hold."""


def check(sentence, needs=()):
    """Makes a function a check: it gets a world, and fails by raising."""
    def mark(function):
        function.sentence, function.needs = sentence, list(needs)
        return function
    return mark


def ensure(holds, what):
    if not holds:
        raise Failed(what() if callable(what) else what)


def eventually(look, what, within=SOON):
    """The first true answer of `look`, asked again and again."""
    end = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"within {within:g} s: {what() if callable(what) else what}")
        time.sleep(0.01)


def free_port():
    """A port that is free on both loopbacks."""
    for _ in range(50):
        with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
            four.bind(("127.0.0.1", 0))
            try:
                six.bind(("::1", four.getsockname()[1]))
            except OSError as error:
                if error.errno != 99:  # no IPv6 here: the broker does without, too
                    continue
            return four.getsockname()[1]
    raise Failed("no port is free on both loopbacks")


class World:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="aic-real-"))
        self.home, self.run_dir, self.state, self.data = (self.root / name for name in ("home", "run", "state", "data"))
        for folder in (self.home, self.run_dir, self.state, self.data):
            folder.mkdir(mode=0o700)
        self.config = self.root / "config.toml"
        self.opened_log = self.root / "opened"
        self.browser = self.root / "open-url"
        self.browser.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{self.opened_log}'\n")
        self.browser.chmod(0o700)
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.home), "TMPDIR": str(self.root),
            "XDG_DATA_HOME": str(self.data), "XDG_RUNTIME_DIR": str(self.root / "xdg"),
            "AIC_BROKER_RUNTIME_DIR": str(self.run_dir), "AIC_BROKER_STATE_DIR": str(self.state), "AIC_BROKER_CONFIG": str(self.config),
            # for tests/coverage
            **{name: value for name, value in os.environ.items() if name == "LLVM_PROFILE_FILE"},
        }
        (self.root / "xdg").mkdir(mode=0o700)
        self.started, self.closers, self.words, self.brokers = [], [], [], set()
        self.redirect_port = free_port()
        self.serving = None

    # -- processes ---------------------------------------------------------------------------

    def start(self, command, name, **options):
        """Starts a process whose output goes to a file; it ends with the world."""
        log = self.root / f"{name}.log"
        if log not in self.words:
            self.words.append(log)
        with open(log, "ab") as output:
            options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT, "env": self.environment, **options}
            process = subprocess.Popen([str(part) for part in command], cwd=self.home, **options)
        self.started.append(process)
        process.log = log
        return process

    def start_with_line(self, command, name, wanted=lambda line: line, **options):
        """Starts a process and waits for the line of its output that `wanted` likes."""
        process = self.start(command, name, **options)

        def first():
            ensure(process.poll() is None, lambda: f"{name} ended: {process.log.read_text(errors='replace')[-2000:]}")
            return next((line for line in process.log.read_text(errors="replace").splitlines(True) if line.endswith("\n") and wanted(line)), None)
        return process, eventually(first, f"{name} says that it is ready")

    def ask(self, command, within=60, **options):
        """Runs a command to its end."""
        options = {"env": self.environment, "text": True, **options}
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        try:
            return subprocess.run([str(part) for part in command], cwd=self.home, capture_output=True, timeout=within, **options)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{pathlib.Path(str(command[0])).name} {' '.join(map(str, command[1:3]))} hangs") from late

    # -- the product -------------------------------------------------------------------------

    def configure(self, tenant, keychain="memory", **more):
        """Writes config.toml with one tenant named `t`; `tenant` maps keys to values."""
        top = {"keychain": keychain, "browser": [str(self.browser)], "notifications": False, **more}
        entry = {"environment": "sandbox", "redirect_uri": f"http://localhost:{self.redirect_port}", **tenant}
        lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
        lines += ["[tenants.t]"] + [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o600)

    def serve(self, more=None):
        """Starts the broker, with so much more in its environment, and waits until it answers."""
        self.serving = self.start([BINARIES / "aic-broker", "serve"], "broker", env={**self.environment, **(more or {})})
        eventually(lambda: self.serving.poll() is not None or self.status().get("running"), "the broker answers")
        ensure(self.serving.poll() is None, lambda: f"the broker ended: {self.serving.log.read_text()[-2000:]}")

    def broker(self, *arguments, **options):
        return self.ask([BINARIES / "aic-broker", *arguments], **options)

    def status(self):
        done = self.broker("status", "--json")
        status = json.loads(done.stdout) if done.stdout else {}
        self.brokers |= {status["pid"]} if "pid" in status else set()
        return status

    def session(self):
        return next((session for session in self.status().get("sessions", []) if session["tenant"] == "t"), {"state": "signed_out"})

    def token(self, scope):
        """A scoped token."""
        done = self.broker("token", "--tenant", "t", "--scope", scope, "--json")
        ensure(done.returncode == 0, f"token --scope {scope}: {done.stderr}")
        return json.loads(done.stdout)

    def logout(self):
        done = self.broker("logout", "--tenant", "t")
        ensure(done.returncode == 0, f"logout: {done.stderr}")
        return done.stdout

    def login(self, browse, *flags):
        """`aic-broker login`, with `browse` at the URL that the broker opens; returns the ended command and how long it took."""
        before, began = len(self.opened()), time.monotonic()
        process = self.start([BINARIES / "aic-broker", "login", "--tenant", "t", *flags], "login")
        said = process.log.stat().st_size
        eventually(lambda: len(self.opened()) > before or process.poll() is not None, "the browser is opened")
        if process.poll() is None:
            browse(self.opened()[-1])
        eventually(lambda: process.poll() is not None, lambda: f"login ends; it said {process.log.read_text()}")
        process.words = process.log.read_text()[said:]
        return process, time.monotonic() - began

    def opened(self):
        """The URLs that the broker opened."""
        return self.opened_log.read_text().splitlines() if self.opened_log.exists() else []

    # -- the end -----------------------------------------------------------------------------

    def keep_words(self):
        """Shows what the processes said, for a check that failed."""
        for log in self.words:
            lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
            for line in lines[-12:]:
                print(f"     | {log.stem}: {line[:400]}", flush=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for close in reversed(self.closers):
            close()
        self._leave_orderly()
        for process in reversed(self.started):
            end(process)
        left = self.processes()
        for pid in left:
            send(pid, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)
        if kind is None and left:
            raise Failed(f"processes were left behind: {', '.join(left.values())}")

    def _leave_orderly(self):
        """A broker that a shim started is no child of ours: it is told to leave."""
        if (self.run_dir / "broker.sock").exists() or (self.serving and self.serving.poll() is None):
            try:
                self.broker("stop", within=15)
                eventually(lambda: not self.processes("aic-broker"), "the broker leaves", 10)
            except Failed:
                pass  # seen below, as a process that was left behind

    def processes(self, name=""):
        """What runs of this world: pid and name. The world's folder stands in the environment or the arguments of each.

        A broker hides its environment from all but root, so brokers are known by their own word, too.
        """
        found = {}
        mark = str(self.root).encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "comm").read_text().strip()
                said = command == "aic-broker" and int(folder.name) in self.brokers
                mine = said or mark in (folder / "cmdline").read_bytes() or mark in environment_of(folder)
                alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            except OSError:
                continue
            if mine and alive and name in command and int(folder.name) != os.getpid():
                found[int(folder.name)] = command
        return found


def environment_of(folder):
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


def send(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


def end(process, within=10):
    """Ends a child: asked first, by its standard input and by a signal, then forced."""
    if process.poll() is None:
        send(process.pid, signal.SIGCONT)
        if process.stdin:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
