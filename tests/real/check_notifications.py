"""What the desktop shows of a sign-in, and that a sign-in needs no desktop (the contract's sections 5 and 10)."""
import contextlib
import glob
import json
import signal
import urllib.error
import urllib.parse
import urllib.request

from desktop import Dunst, Recorder
from provider import direct
from sandbox import Sandbox
from session_bus import SessionBus
from shim import Shim
from world import check, ensure, eventually, send

RECORDED = ["python3-dbus", "dbus-daemon", "aic-sandbox"]
ON_SCREEN = ["dunst", "dunstctl", "busctl", "Xvfb", "dbus-daemon", "aic-sandbox"]
USER = "admin@example.com"
NEEDED = {"title": "Sign in to t", "text": "127.0.0.1 waits for you in the browser."}
DONE = {"title": "Signed in to t", "text": f"AI clients act as {USER}."}
FAILED = {"title": "Not signed in to t", "text": "The sign-in did not succeed. See: aic-broker status"}
ENDS = {"title": "The session of t ends in 5 minutes", "text": "Renew it now, and no call has to wait for you later."}
# A thousand calls of many clients, because one may have 32 under way.
CLIENTS, CALLS_EACH = 40, 25
# A desktop that is missing or never answers costs a sign-in nothing; the number is what a busy machine may add.
COSTS_AT_MOST = 1.0
# A session of an hour, with the clock set forward to four minutes before its end, and far past it.
FORWARD, SLEPT = "+3360s", "+28800s"
# Beyond the rest after a refused sign-in.
RESTED = "+31s"


class Visit:
    """A browser without hands that remembers where it was led."""

    def __init__(self):
        self.addresses = []

    def __call__(self, url):
        self.addresses.append(url)
        try:
            with direct(Follow(self.addresses)).open(url, timeout=30) as page:
                page.read()
        except urllib.error.HTTPError as page:
            page.read()  # the broker's page, which tells a failure

    def secrets(self):
        """The values in the addresses that only the two ends may know."""
        queries = [urllib.parse.parse_qs(urllib.parse.urlsplit(address).query) for address in self.addresses]
        found = {value for query in queries for name in ("code", "state", "code_challenge", "nonce") for value in query.get(name, [])}
        ensure(found, f"the addresses {self.addresses} have neither code nor state")
        return found


class Follow(urllib.request.HTTPRedirectHandler):
    def __init__(self, addresses):
        self.addresses = addresses

    def redirect_request(self, request, answer, status, words, headers, url):
        self.addresses.append(url)
        return super().redirect_request(request, answer, status, words, headers, url)


def prepare(world, desktop, notifications=True):
    """A desktop, a tenant that signs in by itself, and a broker."""
    shown = desktop(world)
    sandbox = Sandbox(world, auto_login=True)
    world.configure(sandbox.tenant, notifications=notifications)
    world.serve()
    return sandbox, shown


def sign_in(world, code=0):
    visit = Visit()
    done, took = world.login(visit)
    ensure(done.returncode == code, f"login ends with {done.returncode}: {done.words}")
    return visit, took


def shows(recorder, *wanted):
    """Exactly these notifications were shown when the last of them is there."""
    eventually(lambda: len(recorder.shown()) >= len(wanted), lambda: f"{len(wanted)} notifications are shown: {recorder.shown()}")
    found = [{"title": notice["title"], "text": notice["text"]} for notice in recorder.shown()]
    ensure(found == list(wanted), f"shown is {found}")
    ensure({notice["program"] for notice in recorder.shown()} <= {"aic-broker"}, "another name than aic-broker is shown")


def tells_nothing(world, recorder, visit, sandbox):
    """No notification holds an address, a code, a state, or the mark that is in every token."""
    said = recorder.process.log.read_text()
    ensure("://" not in said, f"an address is shown: {said}")
    for secret in [*visit.secrets(), sandbox.control("canary")["canary"]]:
        ensure(secret not in said, "a secret is shown")


def the_last_word(world, *wanted, recorder):
    """Nothing more comes: the broker has left, and with it what it had still to show."""
    ensure(world.broker("stop").returncode == 0, "aic-broker stop fails")
    world.serving.wait(20)
    shows(recorder, *wanted)


@check("a sign-in is two notifications, which name tenant and user and no secret", RECORDED)
def one_sign_in(world):
    sandbox, recorder = prepare(world, Recorder)
    visit, _ = sign_in(world)
    shows(recorder, NEEDED, DONE)
    ensure(not any(notice["actions"] for notice in recorder.shown()), f"a button is shown: {recorder.shown()}")
    tells_nothing(world, recorder, visit, sandbox)
    world.token("fr:idm:*")
    the_last_word(world, NEEDED, DONE, recorder=recorder)


@check("a declined sign-in is two notifications: asked for, failed", RECORDED)
def declined(world):
    sandbox, recorder = prepare(world, Recorder)
    sandbox.switch(authorize="deny")
    visit, _ = sign_in(world, code=4)
    shows(recorder, NEEDED, FAILED)
    tells_nothing(world, recorder, visit, sandbox)
    the_last_word(world, NEEDED, FAILED, recorder=recorder)


@check("notifications = false shows none", RECORDED)
def switched_off(world):
    _, recorder = prepare(world, Recorder, notifications=False)
    sign_in(world)
    the_last_word(world, recorder=recorder)


@check(f"{CLIENTS * CALLS_EACH} calls during one sign-in: one window, one notification of each kind", RECORDED)
def many_calls(world):
    sandbox, recorder = prepare(world, Recorder)
    sandbox.switch(logs_per_minute=CLIENTS * CALLS_EACH)
    with contextlib.ExitStack() as stack:
        shims = [stack.enter_context(Shim(world)) for _ in range(CLIENTS)]
        calls = [shim.begin_waiting("getLogSources", CALLS_EACH) for shim in shims]
        shows(recorder, NEEDED)
        Visit()(world.opened()[-1])
        results = [result for shim, begun in zip(shims, calls) for result in shim.end_all(begun)]
    failures = [result for result in results if result.get("isError")]
    ensure(len(results) == CLIENTS * CALLS_EACH and not failures, lambda: f"of {len(results)} calls {len(failures)} fail: {failures[:2]}")
    ensure(len(world.opened()) == 1, f"{len(world.opened())} windows were opened")
    the_last_word(world, NEEDED, DONE, recorder=recorder)


class Clock:
    """A wall clock that a check sets, for the broker alone; what takes time takes as long as ever."""

    def __init__(self, world):
        self.file = world.root / "clock"
        self.set("+0s")
        self.environment = {"LD_PRELOAD": glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")[0], "FAKETIME_TIMESTAMP_FILE": str(self.file),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, ahead):
        self.file.with_suffix(".new").write_text(ahead)
        self.file.with_suffix(".new").rename(self.file)


def pressed(recorder):
    """A press, to be repeated: the broker listens some milliseconds after the notification is up, sooner than a person can press."""
    recorder.press("renew")
    return True


@check("before the session ends a notification has a button, and its press renews the session", [*RECORDED, "faketime"])
def renewal(world):
    clock, recorder, sandbox = Clock(world), Recorder(world), Sandbox(world, auto_login=True)
    world.configure(sandbox.tenant, notifications=True)
    world.serve(clock.environment)
    sign_in(world)
    shows(recorder, NEEDED, DONE)
    until = world.session()["expires_at"]
    clock.set(FORWARD)
    world.status()
    shows(recorder, NEEDED, DONE, ENDS)
    ensure(recorder.shown()[-1]["actions"] == ["renew", "Renew now"], f"the buttons are {recorder.shown()[-1]['actions']}")
    eventually(lambda: pressed(recorder) and len(world.opened()) == 2, "the press opens the browser")
    session = world.session()
    ensure((session["state"], session["expires_at"]) == ("signed_in", until), f"meanwhile the session is {session}")
    Visit()(world.opened()[-1])
    shows(recorder, NEEDED, DONE, ENDS, NEEDED, DONE)
    ensure(world.session()["expires_at"] > until, f"the session still ends at {until}")
    the_last_word(world, NEEDED, DONE, ENDS, NEEDED, DONE, recorder=recorder)


@check("a machine that slept past the end of the session: nothing opens or is offered by itself", [*RECORDED, "faketime"])
def slept(world):
    clock, recorder, sandbox = Clock(world), Recorder(world), Sandbox(world, auto_login=True)
    world.configure(sandbox.tenant, notifications=True)
    world.serve(clock.environment)
    with Shim(world) as shim:
        call = shim.begin_waiting("getLogSources", 1)
        Visit()(world.opened()[-1])
        shim.end_all(call)
        send(world.serving.pid, signal.SIGSTOP)
        clock.set(SLEPT)
        send(world.serving.pid, signal.SIGCONT)
        eventually(lambda: world.session()["state"] == "expired", lambda: f"the session is over: {world.session()}")
        ensure(len(world.opened()) == 1, f"{len(world.opened())} windows were opened")
        shows(recorder, NEEDED, DONE)
        call = shim.begin_waiting("getLogSources", 1)
        ensure(len(world.opened()) == 2, "a call opens no window")
        Visit()(world.opened()[-1])
        ensure(not shim.end_all(call)[0].get("isError"), "the call after the sleep fails")
    the_last_word(world, NEEDED, DONE, NEEDED, DONE, recorder=recorder)


@check("a refused sign-in is repeated by no call for 30 s, and by the next call then", [*RECORDED, "faketime"])
def rest(world):
    clock, recorder, sandbox = Clock(world), Recorder(world), Sandbox(world, auto_login=True)
    world.configure(sandbox.tenant, notifications=True)
    sandbox.switch(authorize="deny")
    world.serve(clock.environment)
    sign_in(world, code=4)
    with Shim(world) as shim:
        for _ in range(20):
            result = shim.end(shim.begin("getLogSources", {}))
            ensure(result["structuredContent"]["error"]["kind"] == "login_declined", f"a call is answered with {result}")
        ensure(len(world.opened()) == 1, f"{len(world.opened())} windows were opened")
        shows(recorder, NEEDED, FAILED)
        sandbox.switch(authorize="normal")
        clock.set(RESTED)
        call = shim.begin_waiting("getLogSources", 1)
        Visit()(world.opened()[-1])
        ensure(not shim.end_all(call)[0].get("isError"), "after the rest a call signs nobody in")
    the_last_word(world, NEEDED, FAILED, NEEDED, DONE, recorder=recorder)


def missing(world):
    SessionBus(world)


def without_bus(world):
    world.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)


def silent(world):
    recorder = Recorder(world)
    send(recorder.process.pid, signal.SIGSTOP)
    return recorder


def costs_nothing(world, desktop):
    """The sign-in takes as long as one without notifications, and the broker leaves in an orderly way."""
    sandbox, _ = prepare(world, without_bus, notifications=False)
    _, usual = sign_in(world)
    ensure(world.broker("stop").returncode == 0, "aic-broker stop fails")
    world.serving.wait(20)
    desktop(world)
    world.configure(sandbox.tenant, notifications=True)
    world.serve()
    _, took = sign_in(world)
    ensure(took <= usual + COSTS_AT_MOST, f"the sign-in took {took:.1f} s instead of {usual:.1f} s")
    world.token("fr:idm:*")
    ensure(world.broker("stop").returncode == 0, "aic-broker stop fails")
    world.serving.wait(20)


@check("a bus without a notification daemon: the sign-in is as fast", ["dbus-daemon", "aic-sandbox"])
def no_daemon(world):
    costs_nothing(world, missing)


@check("no session bus: the sign-in is as fast", ["aic-sandbox"])
def no_bus(world):
    costs_nothing(world, without_bus)


@check("a notification daemon that never answers: the sign-in is as fast, and the broker leaves", RECORDED)
def silent_daemon(world):
    costs_nothing(world, silent)


@check("dunst shows a sign-in", ON_SCREEN)
def on_screen(world):
    _, dunst = prepare(world, Dunst)
    sign_in(world)

    def both():
        dunst.put_away()
        return len(dunst.history()) >= 2
    eventually(both, lambda: f"two notifications are shown: {dunst.history()}")
    found = [{"title": title, "text": text} for title, text in dunst.history()]
    ensure(found == [NEEDED, DONE], f"dunst shows {found}")
