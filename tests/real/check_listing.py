"""After `aic-broker install`, real coding agents from npm list the server, offline. On demand: tests/real/agents/run."""
import json
import socket

from parts import AGENTS, BINARIES
from world import check, ensure

TENANT = {"base_url": "https://openam-acme-dev.id.forgerock.io"}
REGISTERED = ["claude-code", "codex", "gemini", "opencode"]
# Gemini CLI switches servers off in folders that nobody trusts.
TRUSTED = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}


def needs(program):
    return [f"{AGENTS}/node_modules/.bin/{name}" for name in (program, "node")]


def agent(world, program, *arguments):
    """Runs an agent's command without a network."""
    interfaces = [name for _, name in socket.if_nameindex()]
    ensure(interfaces == ["lo"], f"there is a network: {interfaces}")
    environment = {**world.environment, **TRUSTED, "PATH": f"{AGENTS}/node_modules/.bin:{world.environment['PATH']}"}
    done = world.ask(["npx", "--no-install", "--offline", f"--prefix={AGENTS}", program, *arguments], within=100, env=environment)
    ensure(done.returncode == 0, f"{program} ends with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done


def install(world):
    world.configure(TENANT)
    done = world.broker("install", "--tenant", "t", *(word for name in REGISTERED for word in ("--client", name)))
    ensure(done.returncode == 0, f"install says {done.stdout}{done.stderr}")
    return done.stdout


def listed(world, program, *arguments):
    """What the agent lists, in an empty home in which all four were registered."""
    install(world)
    return agent(world, program, "mcp", "list", *arguments)


def is_connected(done, mark):
    said = done.stdout + done.stderr
    line = next((line for line in said.splitlines() if "aic" in line), "")
    ensure(mark in line and "onnected" in line and "isconnected" not in line, f"the agent says {said}")


@check("Claude Code lists the server as connected", needs("claude"))
def claude(world):
    is_connected(listed(world, "claude"), "✔")


@check("Claude Code lists the server where CLAUDE_CONFIG_DIR says, and Codex where CODEX_HOME says", needs("claude") + needs("codex"))
def elsewhere(world):
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        world.environment[name] = str(world.root / name)
        (world.root / name).mkdir()
    is_connected(listed(world, "claude"), "✔")
    servers = json.loads(listed(world, "codex", "--json").stdout)
    ensure([server["name"] for server in servers] == ["aic"], f"Codex lists {servers}")
    ensure(not (world.home / ".claude.json").exists() and not (world.home / ".codex").exists(), "something is in the home directory")


@check("Gemini CLI lists the server as connected", needs("gemini"))
def gemini(world):
    is_connected(listed(world, "gemini"), "✓")


@check("opencode lists the server as connected", needs("opencode"))
def opencode(world):
    is_connected(listed(world, "opencode"), "✓")


@check("Codex lists the server, which it starts only for a conversation", needs("codex"))
def codex(world):
    servers = json.loads(listed(world, "codex", "--json").stdout)
    found = [server for server in servers if server["name"] == "aic"]
    ensure(len(found) == 1 and found[0]["enabled"], f"Codex lists {servers}")
    ensure(found[0]["transport"]["command"] == str(BINARIES / "aic-mcp"), f"Codex would start {found[0]}")


@check("What the agents' own commands registered of the existing server gives way, and comes back", needs("claude") + needs("codex") + needs("gemini"))
def existing_server(world):
    server = ["npx", "-y", "@pingidentity/aic-mcp-server"]
    agent(world, "claude", "mcp", "add", "ping", "-e", "AIC_BASE_URL=x", "--", *server)
    agent(world, "codex", "mcp", "add", "ping", "--env", "AIC_BASE_URL=x", "--", *server)
    agent(world, "gemini", "mcp", "add", "ping", "--scope", "user", "-e", "AIC_BASE_URL=x", *server)
    files = [world.home / place for place in (".claude.json", ".codex/config.toml", ".gemini/settings.json")]
    before = [file.read_bytes() for file in files]
    said = install(world)
    ensure(said.count("in place of the existing server: \"ping\"") == len(files), f"install says {said}")
    ensure(not any(b"@pingidentity" in file.read_bytes() for file in files), "one is still there")
    done = world.broker("uninstall")
    ensure(done.returncode == 0 and [file.read_bytes() for file in files] == before, f"uninstall says {done.stdout}{done.stderr}")
