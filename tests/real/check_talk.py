"""Real coding agents from npm call a tool for a model on loopback, and a person signs in meanwhile. On demand: tests/real/agents/talk."""
import json
import re
import sys

from check_clients import prepare
from parts import AGENTS, BINARIES, REAL
from world import check, ensure

TOOL = "getLogSources"


def needs(program):
    return [f"{AGENTS}/node_modules/.bin/{program}", f"{AGENTS}/node_modules/.bin/node", "aic-sandbox"]


def model(world):
    _, line = world.start_with_line([sys.executable, REAL / "model.py", TOOL], "model", lambda line: "http://" in line)
    return line.strip()


def heard(world):
    """What the tool's results were, as the model got them from the agent."""
    lines = (world.root / "model.log").read_text().splitlines()
    return [said["result"] for said in map(json.loads, filter(lambda line: line.startswith("{"), lines)) if said["result"]]


def talk(world, *command, **variables):
    bins = AGENTS / "node_modules/.bin"
    nobody = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
    environment = {**world.environment, **nobody, **variables, "PATH": f"{bins}:{world.environment['PATH']}", "XDG_CONFIG_HOME": str(world.root / "config")}
    done = world.ask([bins / command[0], *command[1:]], within=100, env=environment)
    ensure(done.returncode == 0, f"{command[0]} ends with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def claude(world, *arguments):
    servers = {"aic": {"command": str(BINARIES / "aic-mcp"), "args": arguments, "env": ours(world)}}
    (world.home / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    flags = ["--mcp-config", "mcp.json", "--strict-mcp-config", "--allowedTools", f"mcp__aic__{TOOL}"]
    return talk(world, "claude", "-p", "which logs are there?", *flags, ANTHROPIC_BASE_URL=model(world), ANTHROPIC_API_KEY="none", ENABLE_TOOL_SEARCH="false")


def opencode(world):
    provider = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": f"{model(world)}/v1", "apiKey": "none"}, "models": {"m": {}}}
    server = {"type": "local", "command": [str(BINARIES / "aic-mcp")], "enabled": True, "environment": ours(world)}
    settings = {"model": "loopback/m", "provider": {"loopback": provider}, "mcp": {"aic": server}, "autoupdate": False}
    (world.home / "opencode.json").write_text(json.dumps(settings))
    return talk(world, "opencode", "run", "which logs are there?")


def ours(world):
    return {name: value for name, value in world.environment.items() if name.startswith("AIC_")}


def signs_in(world, agent):
    prepare(world)
    said = agent(world)
    ensure("am-access" in said, f"the agent says {said}")
    ensure(any("am-access" in result for result in heard(world)), f"the model hears {heard(world)}")
    ensure(len(world.opened()) == 1, f"{len(world.opened())} windows were opened")


def is_told_the_code(world, agent):
    """Nobody enters the code: the model hears where and which, and no window opens."""
    sandbox = prepare(world)
    world.configure({**sandbox.tenant, "login": "device"})
    world.environment["AIC_ANSWER_WITHIN"] = "6"
    agent(world)
    ensure(re.search(r"Sign-in needed for t\. .*enter the code \w+", "\n".join(heard(world)), re.S), f"the model hears {heard(world)}")
    ensure(not world.opened(), f"these were opened: {world.opened()}")


@check("Claude Code calls a tool, and a person signs in in the browser meanwhile", needs("claude"))
def claude_browser(world):
    signs_in(world, claude)


@check("Claude Code hears the code of a sign-in that nobody finishes, where its dialogs are off", needs("claude"))
def claude_device(world):
    is_told_the_code(world, lambda world: claude(world, "--elicitation", "off"))


@check("Claude Code without a screen closes its own dialog, which is a decline", needs("claude"))
def claude_dialog(world):
    sandbox = prepare(world)
    world.configure({**sandbox.tenant, "login": "device"})
    claude(world)
    ensure(any("declined to sign in" in result for result in heard(world)), f"the model hears {heard(world)}")
    ensure(world.session()["state"] == "signed_out" and not world.opened(), f"the session is {world.session()}")


@check("opencode calls a tool, and a person signs in in the browser meanwhile", needs("opencode"))
def opencode_browser(world):
    signs_in(world, opencode)


@check("opencode hears the code of a sign-in that nobody finishes", needs("opencode"))
def opencode_device(world):
    is_told_the_code(world, opencode)
