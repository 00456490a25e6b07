"""A real gnome-keyring in all its moods (the contract's sections 3 and 10)."""
import base64
import signal

from parts import IDENTITY_PROVIDER
from provider import Provider, person
from session_bus import SessionBus
from world import check, end, ensure, eventually, send

BUS = [*IDENTITY_PROVIDER, "dbus-daemon", "gdbus"]
KEYRING = [*BUS, "gnome-keyring-daemon", "secret-tool"]
# The contract: a keychain that does not answer costs a sign-in at most 2 s. The second number is what a busy machine may add.
COSTS_AT_MOST = 2.0 + 1.5

# How often a late keyring is looked into: the broker's waiting calls reach it within the first few looks.
LOOKS = 20


def signed_in(world, keychain):
    """A broker with a session at a fresh identity provider."""
    provider = Provider(world)
    world.configure(provider.tenant, keychain)
    world.serve()
    sign_in(world)
    return provider


def sign_in(world):
    done, took = world.login(person)
    ensure(done.returncode == 0, f"login ends with {done.returncode}: {done.words}")
    return took


def keychain_status(world):
    keychain = world.status()["keychain"]
    return keychain["backend"], keychain["state"]


def is_readable(content, token):
    """Whether a token, or an obvious way of writing it, stands in some bytes."""
    text = token.encode()
    forms = [text, text[::-1], text.hex().encode(), base64.b64encode(text).rstrip(b"="), base64.urlsafe_b64encode(text).rstrip(b"=")]
    return any(form in content for form in forms)


@check("a session is one sealed item, and the sign-out removes it", KEYRING)
def sealed_item(world):
    bus = SessionBus(world).unlocked()
    provider = signed_in(world, "os")
    items = bus.items()
    ensure(len(items) == 1, f"{len(items)} items are in the keyring: {items}")
    for given in provider.tokens():
        ensure(not is_readable(items[0], given["token"]), "the item shows the token")
        ensure(not any(is_readable(file.read_bytes(), given["token"]) for file in (world.data / "keyrings").iterdir()), "the keyring's file shows the token")
    ensure(provider.issuer.encode() in items[0], f"the item does not name the tenant: {items[0][:300]}")
    ensure(keychain_status(world) == ("secret-service", "ok"), f"status says {keychain_status(world)}")
    for scope in ("fr:idm:*", "fr:am:*"):
        ensure(provider.is_active(world.token(scope)["access_token"]), f"the token for {scope} does not work")
    ensure(len(bus.items()) == 1, "using the session changed the number of items")
    world.logout()
    ensure(not bus.items(), f"the sign-out left {bus.items()}")
    ensure(not provider.is_active(provider.primary()), "the sign-out did not revoke the session's token")


@check("an orderly end removes the item", KEYRING)
def orderly_end(world):
    bus = SessionBus(world).unlocked()
    provider = signed_in(world, "os")
    ensure(world.broker("stop").returncode == 0, "aic-broker stop fails")
    eventually(lambda: world.serving.poll() is not None, "the broker leaves")
    ensure(not bus.items(), f"it left {bus.items()}")
    ensure(not provider.is_active(provider.primary()), "it did not revoke the session's token")


@check("a restart removes what a killed broker left, and has no session", KEYRING)
def after_a_crash(world):
    bus = SessionBus(world).unlocked()
    signed_in(world, "os")
    send(world.serving.pid, signal.SIGKILL)
    world.serving.wait()
    ensure(len(bus.items()) == 1, "the killed broker's item is already gone")
    world.serve()
    eventually(lambda: not bus.items(), lambda: f"what the killed broker left is removed: {bus.items()}")
    ensure(world.session()["state"] == "signed_out", f"a new broker has the session {world.session()}")
    sign_in(world)
    ensure(len(bus.items()) == 1, "the next session is not in the keyring")


def asks_anew(world, provider, what):
    """The session is lost: no token is exchanged, and who wants one must sign in."""
    before = len(provider.tokens())
    done = world.broker("token", "--tenant", "t", "--scope", "fr:am:*", "--json")
    ensure(done.returncode == 4, f"{what}: token ends with {done.returncode}: {done.stdout}{done.stderr}")
    ensure(len(provider.tokens()) == before, f"{what}: a token was exchanged all the same")
    ensure(provider.primary() not in done.stderr, f"{what}: the error shows the token")


@check("an item that another program changed, replaced, shadowed or removed opens nothing: a new sign-in is asked for", KEYRING)
def changed_item(world):
    bus = SessionBus(world).unlocked()
    provider = signed_in(world, "auto")
    earlier = bus.content()
    ensure(earlier.startswith(b"\x01AICB1"), f"secret-tool reads {earlier}")
    changes = {
        "another content": lambda: bus.overwrite(b"\x01" + b"x" * 200),
        "a longer content": lambda: bus.overwrite(b"\x01" + b"x" * 8000),
        "the item of an earlier session": lambda: bus.overwrite(earlier),
        "a second item with one attribute more": lambda: bus.overwrite(b"\x01" + b"x" * 200, "extra", "1"),
        "no item": bus.remove,
    }
    for what, change in changes.items():
        world.logout()
        sign_in(world)
        change()
        asks_anew(world, provider, what)
        # after such a loss a session stays in memory, so the next one is another broker's
        world.broker("stop")
        end(world.serving)
        world.serve()
        sign_in(world)


def goes_on_in_memory(world, provider):
    """The sign-in that was begun for the lost session succeeds, and is in memory."""
    person(world.opened()[-1])
    eventually(lambda: world.session()["state"] == "signed_in", lambda: f"somebody is signed in: {world.session()}")
    ensure(provider.is_active(world.token("fr:am:*")["access_token"]), "the session in memory gives no token")
    ensure("memory only" in world.serving.log.read_text(), "the broker's log does not say that the session is kept in memory only")


@check("a keyring that dies or loses everything: tokens in use go on, then one new sign-in, in memory", KEYRING)
def died(world):
    bus = SessionBus(world).unlocked()
    provider = signed_in(world, "auto")
    for what, happens in (("dead", bus.die), ("empty", bus.begin_empty)):
        token = world.token("fr:idm:*")["access_token"]
        happens()
        ensure(world.token("fr:idm:*")["access_token"] == token, f"{what}: the token in use is gone")
        asks_anew(world, provider, what)
        goes_on_in_memory(world, provider)
        world.broker("stop")
        end(world.serving)
        if what == "dead":
            bus.unlocked()
            world.serve()
            sign_in(world)


@check("a keyring that dies while it is written to: the sign-in succeeds, in memory", KEYRING)
def died_meanwhile(world):
    provider = Provider(world)
    bus = SessionBus(world).stopped()
    world.configure(provider.tenant, "auto")
    world.serve()

    def browse(url):
        person(url)
        bus.die()
    done, _ = world.login(browse)
    ensure(done.returncode == 0, f"login ends with {done.returncode}: {done.words}")
    ensure(provider.is_active(world.token("fr:am:*")["access_token"]), "the session in memory gives no token")
    world.logout()
    ensure(not provider.is_active(provider.primary()), "the sign-out did not revoke the session's token")


def falls_back(world, mood, words, activating=False):
    """With keychain = "auto" the sign-in succeeds in time, in memory, and status says why."""
    provider = Provider(world)
    world.configure(provider.tenant, "memory")
    world.serve()
    usual = sign_in(world)
    world.broker("stop")
    end(world.serving)
    bus = mood(world)
    world.configure(provider.tenant, "auto")
    world.serve()
    took = sign_in(world)
    ensure(took <= usual + COSTS_AT_MOST, f"the sign-in took {took:.1f} s instead of {usual:.1f} s")
    state = keychain_status(world)
    ensure(state[0] == "secret-service" and words in state[1], f'status says {state}, not "{words}"')
    ensure(provider.is_active(world.token("fr:idm:*")["access_token"]), "the session in memory gives no token")
    ensure("memory only" in world.serving.log.read_text(), "the broker's log does not say that the session is kept in memory only")
    world.logout()
    ensure(not provider.is_active(provider.primary()), "the sign-out did not revoke the session's token")
    return bus


def insists(world, mood, words):
    """With keychain = "os" the sign-in fails, says why and what helps, and gives its token back."""
    provider = Provider(world)
    mood(world)
    world.configure(provider.tenant, "os")
    world.serve()
    done, took = world.login(person)
    ensure(done.returncode == 4, f"login ends with {done.returncode}: {done.words}")
    ensure("keychain" in done.words and words in done.words, f'login does not say "{words}": {done.words}')
    ensure("aic-broker" in done.words.split("keychain", 1)[1] or "config.toml" in done.words, f"login names nothing that helps: {done.words}")
    ensure(world.session()["state"] == "signed_out", f"the session is {world.session()}")
    eventually(lambda: not provider.is_active(provider.primary()), "the token is given back", 5)


def absent(world):
    return SessionBus(world)


def without_bus(world):
    world.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)


def locked(world):
    return SessionBus(world).locked()


def stopped(world):
    return SessionBus(world).stopped()


def activating(world):
    return SessionBus(world, activating=True)


@check("no Secret Service on the bus: memory, with the reason", BUS)
def auto_absent(world):
    falls_back(world, absent, "no keychain")


@check("no session bus: memory, with the reason", IDENTITY_PROVIDER)
def auto_without_bus(world):
    falls_back(world, without_bus, "no keychain")


@check("a locked keyring: memory, with the reason", KEYRING)
def auto_locked(world):
    falls_back(world, locked, "locked")


@check("a keyring without any collection: memory, with the reason", KEYRING)
def auto_empty(world):
    falls_back(world, activating, "")


@check("a keyring that never answers costs at most 2 s: memory, with the reason", KEYRING)
def auto_stopped(world):
    bus = falls_back(world, stopped, "did not answer")
    bus.go_on()
    held = [bus.items() for _ in range(LOOKS)]
    ensure(not held[-1], f"after the sign-out the late keyring holds {held[-1]}")


@check('keychain = "os" without a Secret Service: the sign-in fails loudly', BUS)
def os_absent(world):
    insists(world, absent, "no keychain")


@check('keychain = "os" with a locked keyring: the sign-in fails loudly', KEYRING)
def os_locked(world):
    insists(world, locked, "locked")


@check('keychain = "os" with a keyring that never answers: the sign-in fails loudly', KEYRING)
def os_stopped(world):
    insists(world, stopped, "did not answer")
