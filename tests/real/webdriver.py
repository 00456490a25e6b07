"""Headless Chromium, driven over WebDriver (https://www.w3.org/TR/webdriver2/) with nothing but the standard library."""
import json
import re
import urllib.error
import urllib.request

from provider import direct
from world import SOON, Failed, eventually

PARTS = ["chromium", "chromedriver"]
# Chromium talks to nobody but the pages that a check opens.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Chromium:
    def __init__(self, world):
        _, line = world.start_with_line(["chromedriver", "--port=0"], "chromedriver", lambda line: "successfully on port" in line)
        self.driver = f"http://127.0.0.1:{re.search(r'on port ([0-9]+)', line).group(1)}"
        self.session = ""
        options = {"args": [*FLAGS, f"--user-data-dir={world.root / 'chromium'}"]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options}
        started = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{started['sessionId']}"
        world.closers.append(self.close)

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    def url(self):
        return self._ask("GET", "/url")

    def text(self):
        return self._ask("POST", "/execute/sync", {"script": "return document.body ? document.body.innerText : ''", "args": []})

    def resources(self):
        """The addresses that the page loaded besides itself."""
        return self._ask("POST", "/execute/sync", {"script": "return performance.getEntriesByType('resource').map(entry => entry.name)", "args": []})

    def has(self, selector):
        return bool(self._find(selector))

    def fill(self, selector, text):
        self._ask("POST", f"/element/{self._wait(selector)}/value", {"text": text})

    def click(self, selector):
        self._ask("POST", f"/element/{self._wait(selector)}/click", {})

    def shows(self, words, within=SOON):
        """Waits for a page with these words."""
        eventually(lambda: words in self.text(), lambda: f"the page says \"{words}\"; {self.url()} says: {self.text()[:400]}", within)

    def close(self):
        if self.session:
            self._ask("DELETE", "")
            self.session = ""

    def _wait(self, selector):
        found = eventually(lambda: self._find(selector), lambda: f"{self.url()} has {selector}; it says: {self.text()[:400]}")
        return found[0][ELEMENT]

    def _find(self, selector):
        return self._ask("POST", "/elements", {"using": "css selector", "value": selector})

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.driver + self.session + path, data, {"content-type": "application/json"}, method=method)
        try:
            with direct().open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            said = json.load(error)["value"]
            raise Failed(f"WebDriver {method} {path}: {said['error']}: {said['message'].splitlines()[0]}") from error
