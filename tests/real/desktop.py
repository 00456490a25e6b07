"""The desktops that show the broker's notifications: a recording one without a screen, and dunst on a virtual screen."""
import json
import subprocess

from parts import PYTHON_OF_DEBIAN, REAL
from session_bus import SessionBus
from world import eventually


class Recorder:
    """A private bus with a desktop that writes down what it is shown."""

    def __init__(self, world):
        SessionBus(world)
        self.process, _ = world.start_with_line([PYTHON_OF_DEBIAN, REAL / "recorder.py"], "recorder", lambda line: line == "ready\n", stdin=subprocess.PIPE)

    def shown(self):
        """What was shown until now, in order."""
        return [json.loads(line) for line in self.process.log.read_text().splitlines() if line.startswith("{")]

    def titles(self):
        return [notice["title"] for notice in self.shown()]

    def press(self, key):
        """Presses a button of the last notification."""
        self.process.stdin.write(key.encode() + b"\n")
        self.process.stdin.flush()


class Dunst:
    """A private bus and a virtual screen with dunst."""

    def __init__(self, world):
        self.world = world
        SessionBus(world)
        _, number = world.start_with_line(["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "800x400x24"], "xvfb", str.strip)
        settings = world.root / "dunstrc"
        settings.write_text("[global]\n  idle_threshold = 0\n")
        world.start(["dunst", "-conf", settings], "dunst", env={**world.environment, "DISPLAY": f":{number.strip()}"})
        eventually(lambda: self.history() is not None, "dunst is on the bus")

    def put_away(self):
        """Moves what is on the screen into the history."""
        self._dunstctl("close-all")

    def history(self):
        """What was shown and put away, oldest first: title and text; None without dunst."""
        done = self._dunstctl("history")
        if done.returncode or not done.stdout:
            return None
        notices = json.loads(done.stdout)["data"][0]
        return [(notice["summary"]["data"], notice["body"]["data"]) for notice in sorted(notices, key=lambda notice: notice["id"]["data"])]

    def _dunstctl(self, *words):
        return self.world.ask(["dunstctl", *words])
