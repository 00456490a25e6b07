"""The sandbox tenant, run as the program that people try things out with."""
import json
import re
import subprocess
import urllib.request

from parts import BINARIES
from provider import direct


# What every fresh sandbox tenant holds.
USER = {"userName": "alpha.user03", "mail": "alpha.user03@example.com"}


class Sandbox:
    """It lives as long as its standard input. `auto_login`: the authorization endpoint signs in by itself."""

    def __init__(self, world, auto_login=False):
        flags = ["--redirect-uri", f"http://localhost:{world.redirect_port}"] + ["--auto-login"] * auto_login
        command = [BINARIES / "aic-sandbox", *flags]
        self.process, line = world.start_with_line(command, "sandbox", lambda line: "http://127.0.0.1:" in line, stdin=subprocess.PIPE)
        self.base_url = re.search(r"http://127\.0\.0\.1:[0-9]+", line).group()
        self.tenant = {"base_url": self.base_url}

    def switch(self, **switches):
        """Sets switches of the tenant."""
        self.control("switches", json.dumps(switches).encode())

    def control(self, what, data=None):
        """What the tenant tells and does for tests alone; with `data` it is a POST."""
        request = urllib.request.Request(f"{self.base_url}/__sandbox/{what}", data, {"content-type": "application/json"})
        with direct().open(request, timeout=10) as answer:
            return json.load(answer)
