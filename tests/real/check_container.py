"""The root file system of the image, made as its Containerfile makes it and run without an engine (the contract's section 3)."""
import os
import pathlib
import re
import signal
import subprocess

from parts import REAL, STATIC
from sandbox import Sandbox
from shim import Shim
from world import check, ensure, eventually, send

PACKAGING = REAL.parent.parent / "packaging/container"
PARTS = ["root", "static programs", "aic-sandbox"]
# What an engine does: a process namespace whose first process is the program. Not even /dev is given.
ENGINE = """set -eu
mount --bind "$ROOT" "$ROOT"
{more}
exec env -i {variables} "$(command -v chroot)" --userspec={user} "$ROOT" {entry} --answer-within 4"""
READ_ONLY = """mount -o remount,bind,ro "$ROOT"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp\""""


class Container:
    def __init__(self, world, more=""):
        self.root = world.root / "image"
        made = world.ask([PACKAGING / "root", STATIC, self.root])
        ensure(made.returncode == 0, f"the root file system is not made: {made.stderr}")
        self.sandbox = Sandbox(world, auto_login=True)
        self.sandbox.switch(device_interval_seconds=1)
        self.configure()
        facts = (PACKAGING / "Containerfile").read_text().partition("FROM scratch")[2]
        self.user = re.search(r"^USER (\d+:\d+)$", facts, re.M).group(1)
        variables = re.search(r"^ENV (.*)$", facts, re.M).group(1)
        entry = re.search(r'^ENTRYPOINT \["(.*)"\]$', facts, re.M).group(1)
        script = ENGINE.format(more=more, variables=f"{variables} AIC_BASE_URL=t", user=self.user, entry=entry)
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script]
        self.shim = Shim(world, command, env={**world.environment, "ROOT": str(self.root)})
        world.closers.append(self.end)

    def configure(self):
        """A tenant on loopback must stand in config.toml, which a person would mount there."""
        file = self.root / "home/aic/.config/aic-broker/config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(f'[tenants.t]\nbase_url = "{self.sandbox.base_url}"\nenvironment = "sandbox"\n')
        for made, mode in ((file.parent.parent, 0o755), (file.parent, 0o755), (file, 0o644)):
            made.chmod(mode)

    def call(self, tool, arguments=None):
        return self.shim.end(self.shim.begin(tool, arguments or {}))

    def processes(self):
        """What runs in it: name to state and process id."""
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
                if os.readlink(folder / "root") == str(self.root):
                    found[stat.partition("(")[2].rpartition(")")[0]] = (stat.rpartition(")")[2].split()[0], int(folder.name))
            except OSError:
                continue
        return found

    def end(self):
        for _, number in self.processes().values():
            send(number, signal.SIGKILL)


def sign_in_and_read(container):
    """A whole device flow in one program's conversation, and a tool that needed it."""
    told = container.call("getLogSources")
    marker = told["_meta"]["aic-broker/login"]
    ensure(told["isError"] and marker["user_code"] in told["content"][0]["text"], f"the call is answered with {told}")
    container.sandbox.control("approve-devices", b"{}")

    def answered():
        result = container.call("getLogSources")
        return None if result.get("isError") else result
    result = eventually(answered, "the call succeeds")
    ensure("am-access" in result["content"][0]["text"], f"the call answers {result}")
    status = container.call("getSessionStatus")["structuredContent"]
    ensure((status["state"], status["user"]) == ("signed_in", "admin@example.com"), f"the session is {status}")


def leaves(container):
    """The end of the input ends the program, and with it everything in the container."""
    container.shim.process.stdin.close()
    code = container.shim.process.wait(10)
    ensure(code == 0, f"aic-mcp ends with {code}")
    eventually(lambda: not container.processes(), lambda: f"nothing is left in the container: {container.processes()}")


@check("the image's root file system: sign-in by device flow and a tool call, as a user without a name", PARTS)
def image(world):
    container = Container(world)
    programs = [path for path in container.root.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    ensure(sorted(path.name for path in programs) == ["aic-broker", "aic-mcp"], f"these run in the image: {programs}")
    tools = container.shim.end(container.shim.begin_request("tools/list", {}))["tools"]
    ensure("createJourney" not in {tool["name"] for tool in tools}, "tools are listed that a device flow cannot serve")
    sign_in_and_read(container)
    owners = {f"{path.stat().st_uid}:{path.stat().st_gid}" for path in (container.root / "tmp").rglob("*")}
    ensure(owners == {container.user}, f"what was written belongs to {owners}")
    leaves(container)


@check("the image with a read-only root and one tmpfs", PARTS)
def read_only(world):
    container = Container(world, READ_ONLY)
    sign_in_and_read(container)
    written = container.call("setVariable", {"variableId": "esv-colour", "value": "green", "type": "string"})
    ensure(not written.get("isError"), f"a write needs its audit line, and fails: {written}")
    ensure(not list((container.root / "tmp").iterdir()), "something was written outside the tmpfs")
    leaves(container)


@check("aic-mcp as the first process: a broker that died is reaped, and a new one started", PARTS)
def first_process(world):
    container = Container(world)
    sign_in_and_read(container)
    before = container.processes()
    inside = (pathlib.Path("/proc") / str(before["aic-mcp"][1]) / "status").read_text()
    ensure(re.search(r"^NSpid:.*\t1$", inside, re.M), "aic-mcp is not the first process")
    send(before["aic-broker"][1], signal.SIGKILL)
    eventually(lambda: "aic-broker" not in container.processes(), lambda: f"the broker is reaped: {container.processes()}")
    sign_in_and_read(container)
    ensure(container.processes()["aic-broker"][1] != before["aic-broker"][1], "the same broker answers")
    leaves(container)


@check("without certificates of authorities a call says what is missing", PARTS)
def no_authorities(world):
    container = Container(world, 'mount -t tmpfs tmpfs "$ROOT/etc/ssl/certs"')
    file = container.root / "home/aic/.config/aic-broker/config.toml"
    file.write_text('[tenants.t]\nbase_url = "https://127.0.0.1:1"\nenvironment = "sandbox"\n')
    result = container.call("getLogSources")
    text = result["content"][0]["text"]
    ensure(result["isError"] and "CA certificates" in text and "ca_file" in text, f"the call says {text}")
