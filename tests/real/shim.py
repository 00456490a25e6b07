"""A bare MCP client on the pipes of aic-mcp, for checks whose point is another part."""
import json
import subprocess

from parts import BINARIES
from world import ensure

PROTOCOL = "2025-11-25"


class Shim:
    def __init__(self, world):
        self.world = world
        self.process = world.start([BINARIES / "aic-mcp", "--tenant", "t"], "shim", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None)
        client = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "bare", "version": "1"}}
        self.last = 0
        self.end(self.begin_request("initialize", client))
        self._send({"method": "notifications/initialized"})

    def begin(self, tool, arguments):
        """Starts a call; its number."""
        return self.begin_request("tools/call", {"name": tool, "arguments": arguments})

    def end(self, number):
        """The result of a call."""
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == number and "method" not in message:
                ensure("result" in message, f"the shim answers with {message}")
                return message["result"]
        ensure(False, "the shim left without an answer")

    def end_all(self, numbers):
        """The results of calls, in the order in which they come."""
        left, results = set(numbers), []
        while left:
            message = json.loads(self.process.stdout.readline() or "{}")
            ensure(message, "the shim left without an answer")
            if message.get("id") in left and "method" not in message:
                ensure("result" in message, f"the shim answers with {message}")
                left.remove(message["id"])
                results.append(message["result"])
        return results

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
