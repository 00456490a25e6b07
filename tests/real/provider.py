"""The identity provider of tests/real/idp, and a person who signs in there by posting its forms."""
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request

from parts import REAL, node
from world import Failed, ensure

# What stands in config.toml for it.
PATHS = {"authorize_path": "/auth", "token_path": "/token", "device_path": "/device/auth", "revoke_path": "/token/revocation"}


class Provider:
    def __init__(self, world):
        self.process, line = world.start_with_line([node(), REAL / "idp/idp.mjs"], "provider", lambda line: '"issuer"' in line)
        self.issuer = json.loads(line)["issuer"]
        self.tenant = {"base_url": self.issuer, **PATHS}

    def tokens(self):
        """The tokens that it gave out, in order, with their `grant` and `client`."""
        lines = self.process.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"grant"')]

    def primary(self):
        """The token of the last sign-in."""
        return next(given["token"] for given in reversed(self.tokens()) if not given["grant"].endswith("token-exchange"))

    def is_active(self, token):
        """What introspection says (RFC 7662)."""
        request = urllib.request.Request(f"{self.issuer}/token/introspection", urllib.parse.urlencode({"token": token}).encode())
        credentials = urllib.parse.urlencode({"client_id": "resource-server", "client_secret": "resource-server-secret"})
        request.data += b"&" + credentials.encode()
        with direct().open(request, timeout=10) as answer:
            return json.load(answer)["active"]


def direct(*handlers):
    """An opener that uses no proxy."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)


def person(url):
    """Signs in and consents at the provider, as a browser without scripts would; ends on the broker's last page."""
    browser = direct(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(url, timeout=10)
    for answers in ({"prompt": "login", "login": "ada", "password": "x"}, {"prompt": "consent"}):
        text = page.read().decode()
        action = re.search(r'action="([^"]+)"', text)
        ensure(action, f"the provider shows no form: {text[:300]}")
        target = urllib.parse.urljoin(page.url, action.group(1))
        try:
            page = browser.open(target, urllib.parse.urlencode(answers).encode(), timeout=30)
        except urllib.error.HTTPError as error:
            if urllib.parse.urlsplit(error.url).path not in ("", "/"):
                raise Failed(f"{error.url}: {error}") from error
            return error.read().decode()  # the broker's page, which may tell a failure
    return page.read().decode()
