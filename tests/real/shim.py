"""A bare MCP client on the pipes of aic-mcp, for checks whose point is another part."""
import json
import subprocess

from parts import BINARIES
from world import ensure

PROTOCOL = "2025-11-25"


class Shim:
    """`command` starts the program, with the world's environment or another."""

    def __init__(self, world, command=(BINARIES / "aic-mcp", "--tenant", "t"), env=None):
        self.process = world.start(command, "shim", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, env=env or world.environment)
        client = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "bare", "version": "1"}}
        self.last = 0
        self.end(self.begin_request("initialize", client))
        self._send({"method": "notifications/initialized"})

    def begin(self, tool, arguments):
        """Starts a call; its number."""
        return self.begin_request("tools/call", {"name": tool, "arguments": arguments})

    def end(self, number):
        """The result of a call."""
        return self.end_all([number])[0]

    def begin_waiting(self, tool, count):
        """Starts calls, and reads until each has told of its progress: all wait for the sign-in then."""
        begun = [self.begin_request("tools/call", {"name": tool, "arguments": {}, "_meta": {"progressToken": token}}) for token in range(count)]
        silent = set(range(count))
        while silent:
            message = self._next()
            ensure("id" not in message, f"a call did not wait: {message}")
            silent.discard(message.get("params", {}).get("progressToken"))
        return begun

    def end_all(self, numbers):
        """The results of calls, in the order in which they come."""
        left, results = set(numbers), []
        while left:
            message = self._next()
            if message.get("id") in left and "method" not in message:
                ensure("result" in message, f"the shim answers with {message}")
                left.remove(message["id"])
                results.append(message["result"])
        return results

    def _next(self):
        line = self.process.stdout.readline()
        ensure(line, "the shim left without an answer")
        return json.loads(line)

    def begin_request(self, method, params):
        self.last += 1
        self._send({"id": self.last, "method": method, "params": params})
        return self.last

    def _send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
