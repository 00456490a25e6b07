"""Real MCP clients start aic-mcp, which starts the broker (the contract's sections 4 and 6)."""
import json
import pathlib
import sys

from parts import BINARIES, PYTHON, REAL, node
from sandbox import USER, Sandbox
from world import check, ensure, eventually

TOOLS = 54
INSPECTOR = ["node", "clients/node_modules/@modelcontextprotocol/inspector", "aic-sandbox"]
PYTHON_CLIENT = ["venv", "aic-sandbox"]
NPM_CLIENT = ["node", "clients/node_modules/@modelcontextprotocol/client", "aic-sandbox"]
CONFORMANCE = ["node", "clients/node_modules/@modelcontextprotocol/conformance"]
FILTER = f'userName eq "{USER["userName"]}"'


def prepare(world):
    """A tenant that signs in by itself, a browser that needs no hands, and no broker yet."""
    sandbox = Sandbox(world, auto_login=True)
    world.browser.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{world.opened_log}'\nexec '{sys.executable}' '{REAL}/follow.py' \"$1\"\n")
    world.configure(sandbox.tenant)
    world.environment["AIC_BASE_URL"] = sandbox.base_url
    return sandbox


def judge_tools(tools):
    names = [tool["name"] for tool in tools]
    ensure(len(names) == len(set(names)) == TOOLS, f"{len(names)} tools are listed")
    ensure({"getLogSources", "queryManagedObjects", "signIn", "getSessionStatus"} <= set(names), f"the tools are {names}")
    for tool in tools:
        hints = tool.get("annotations", {})
        ensure({"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= set(hints), f"{tool['name']} has the hints {hints}")
        ensure(tool["inputSchema"].get("additionalProperties") is False, f"{tool['name']} takes any argument")


def judge_sources(result):
    ensure(not result.get("isError"), f"getLogSources fails: {result}")
    ensure("am-access" in result["structuredContent"]["result"], f"getLogSources answers {result['structuredContent']}")
    ensure("am-access" in result["content"][0]["text"], f"getLogSources says {result['content']}")


def judge_found(result):
    ensure(not result.get("isError"), f"queryManagedObjects fails: {result}")
    found = result["structuredContent"]["result"]
    ensure(len(found) == 1 and USER.items() <= found[0].items(), f"queryManagedObjects finds {found}")


def judge_world(world):
    """One sign-in, by one broker that a shim started."""
    ensure(len(world.opened()) == 1, f"the browser was opened {len(world.opened())} times")
    status = world.status()
    ensure(status["running"] and world.session()["state"] == "signed_in", f"status says {status}")
    ensure(len(world.processes("aic-broker")) == 1, f"these run: {world.processes()}")
    eventually(lambda: not world.processes("aic-mcp"), lambda: f"the shim leaves with its client: {world.processes()}")


def inspect(world, *arguments):
    program = REAL / "clients/node_modules/.bin/mcp-inspector"
    settings = [part for key, value in world.environment.items() if key.startswith("AIC_") for part in ("-e", f"{key}={value}")]
    environment = {**world.environment, "PATH": f"{pathlib.Path(node()).parent}:{world.environment['PATH']}"}
    done = world.ask([node(), program.resolve(), "--cli", *settings, BINARIES / "aic-mcp", *arguments], env=environment)
    ensure(done.returncode == 0, f"the inspector ends with {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return json.loads(done.stdout)


@check("the MCP inspector lists the tools and calls them, one process a call, with one sign-in", INSPECTOR)
def inspector(world):
    prepare(world)
    judge_tools(inspect(world, "--method", "tools/list")["tools"])
    ensure(not world.opened() and not world.status().get("pid"), "listing the tools started something")
    call = ["--method", "tools/call", "--tool-name"]
    judge_sources(inspect(world, *call, "getLogSources"))
    judge_found(inspect(world, *call, "queryManagedObjects", "--tool-arg", "objectType=alpha_user", "--tool-arg", f"queryFilter={FILTER}"))
    judge_world(world)


def python_client(world, era, protocol):
    client(world, [PYTHON, REAL / "clients/session.py"], era, protocol)


def npm_client(world, era, protocol):
    client(world, [node(), REAL / "clients/session.mjs"], era, protocol)


def client(world, program, era, protocol):
    prepare(world)
    done = world.ask([*program, era, BINARIES / "aic-mcp", "alpha_user", FILTER])
    ensure(done.returncode == 0, f"the client ends with {done.returncode}: {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    ensure(said["protocol"] == protocol, f"the protocol is {said['protocol']}")
    judge_tools(said["tools"])
    judge_sources(said["sources"])
    judge_found(said["found"])
    judge_world(world)


@check("the Python client calls tools after an initialize handshake (2025-11-25)", PYTHON_CLIENT)
def python_handshake(world):
    python_client(world, "handshake", "2025-11-25")


@check("the Python client calls tools after server/discover (2026-07-28)", PYTHON_CLIENT)
def python_discover(world):
    python_client(world, "discover", "2026-07-28")


@check("fastmcp, another Python client, calls tools", PYTHON_CLIENT)
def fastmcp(world):
    python_client(world, "fastmcp", "2026-07-28")


@check("the npm client calls tools after an initialize handshake (2025-11-25)", NPM_CLIENT)
def npm_handshake(world):
    npm_client(world, "handshake", "2025-11-25")


@check("the npm client calls tools after server/discover (2026-07-28)", NPM_CLIENT)
def npm_discover(world):
    npm_client(world, "discover", "2026-07-28")


def conformance(world, revision):
    """The official suite, through a bridge. Every scenario that is expected to fail has a reason in the file."""
    world.environment["AIC_BASE_URL"] = "https://openam-example-dev.id.forgerock.io"
    clients = REAL / "clients"
    _, port = world.start_with_line([node(), clients / "bridge.mjs", BINARIES / "aic-mcp"], "bridge", str.strip)
    program = clients / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    expected = clients / f"conformance-{revision}.yml"
    done = world.ask([node(), program, "server", "--url", f"http://127.0.0.1:{port.strip()}/mcp", "--requirements", revision, "--expected-failures", expected])
    ensure(done.returncode == 0, f"the suite ends with {done.returncode}: {done.stdout[-3000:]}{done.stderr[-1000:]}")


@check("the official conformance suite finds what it should (2025-11-25)", CONFORMANCE)
def conformance_handshake(world):
    conformance(world, "2025-11-25")


@check("the official conformance suite finds what it should (2026-07-28)", CONFORMANCE)
def conformance_discover(world):
    conformance(world, "2026-07-28")
