"""A real browser signs in: at a real authorization server, and at the sandbox tenant's own login page (the contract's section 5)."""
import urllib.parse

from parts import BINARIES, IDENTITY_PROVIDER
from provider import Provider
from sandbox import Sandbox
from shim import Shim
from webdriver import PARTS, Chromium
from world import LOGIN_SCOPES, check, ensure, eventually

REAL_PROVIDER = [*IDENTITY_PROVIDER, *PARTS]


def at_provider(world):
    provider = Provider(world)
    world.configure(provider.tenant)
    world.serve()
    return provider, Chromium(world)


def sign_in_at_provider(chromium):
    """Fills in the provider's forms: user, then consent."""
    chromium.fill("input[name=login]", "ada")
    chromium.fill("input[name=password]", "x")
    chromium.click("button[type=submit]")
    eventually(lambda: chromium.has("input[name=prompt][value=consent]"), lambda: f"consent is asked for: {chromium.text()[:300]}")
    chromium.click("button[type=submit]")


def usable(world, provider):
    """Scoped tokens come of the session, as asked for, and the sign-out ends them and the session's own."""
    scoped = [world.token(scope) for scope in ("fr:idm:*", "fr:am:*")]
    ensure([token["scope"] for token in scoped] == ["fr:idm:*", "fr:am:*"], f"the tokens have the scopes {[token['scope'] for token in scoped]}")
    given = provider.tokens()
    ensure(set(given[0]["scope"].split()) == LOGIN_SCOPES, f"the sign-in asked for {given[0]['scope']}")
    ensure(provider.primary() not in [token["access_token"] for token in scoped], "the session's own token was handed out")
    ensure(world.token("fr:idm:*")["access_token"] == scoped[0]["access_token"], "the same scope was exchanged twice")
    for token in given:
        ensure(provider.is_active(token["token"]), f"a token of {token['grant']} does not work")
    said = world.logout()
    ensure("all tokens revoked" in said, f"logout says {said}")
    for token in given:
        ensure(not provider.is_active(token["token"]), f"after the sign-out the token of {token['grant']} for {token['client']} still works")
    ensure(world.broker("token", "--tenant", "t", "--scope", "fr:idm:*", "--json").returncode == 4, "after the sign-out a token is handed out")


@check("Chromium signs in at oidc-provider, tokens are exchanged, the sign-out revokes them", REAL_PROVIDER)
def code_flow(world):
    provider, chromium = at_provider(world)

    def browse(url):
        chromium.open(url)
        sign_in_at_provider(chromium)
    done, _ = world.login(browse)
    ensure(done.returncode == 0, f"login ends with {done.returncode}: {done.words}")
    chromium.shows("You are signed in to t")
    ensure(chromium.url().startswith(f"http://localhost:{world.redirect_port}"), f"the last page is {chromium.url()}")
    foreign = [address for address in chromium.resources() if urllib.parse.urlsplit(address).port != world.redirect_port]
    ensure(not foreign, f"the last page loads {foreign}")
    ensure(world.session()["state"] == "signed_in", f"the session is {world.session()}")
    usable(world, provider)


@check("Chromium refuses at oidc-provider: the sign-in is declined, in the provider's words", REAL_PROVIDER)
def refused(world):
    provider, chromium = at_provider(world)

    def browse(url):
        chromium.open(url)
        chromium.click("a[href$='/abort']")
    done, _ = world.login(browse)
    ensure(done.returncode == 4, f"login ends with {done.returncode}: {done.words}")
    ensure("declined" in done.words, f"login says {done.words}")
    chromium.shows("Not signed in")
    ensure(not provider.tokens(), "the provider gave out a token")


@check("Chromium enters the code of the device flow at oidc-provider", REAL_PROVIDER)
def device_flow(world):
    provider, chromium = at_provider(world)
    login = world.start([BINARIES / "aic-broker", "login", "--tenant", "t", "--device"], "login")
    pending = eventually(lambda: world.session().get("login"), lambda: f"status shows the code; login says {login.log.read_text()}")
    ensure(pending["user_code"] in login.log.read_text(), f"login does not show the code: {login.log.read_text()}")
    chromium.open(f"{provider.issuer}/device")
    chromium.fill("input[name=user_code]", pending["user_code"])
    chromium.click("[type=submit]")
    chromium.click("button[name=confirm], button[type=submit][autofocus]")
    sign_in_at_provider(chromium)
    chromium.shows("Success")
    eventually(lambda: login.poll() is not None, lambda: f"login ends: {login.log.read_text()}")
    ensure(login.returncode == 0, f"login ends with {login.returncode}: {login.log.read_text()}")
    ensure(not world.opened(), f"a browser was opened: {world.opened()}")
    usable(world, provider)


@check("Chromium signs in at the sandbox tenant's login page, and the waiting tool call is answered", [*PARTS, "aic-sandbox"])
def sandbox_page(world):
    sandbox = Sandbox(world)
    world.configure(sandbox.tenant)
    chromium = Chromium(world)
    with Shim(world) as shim:
        call = shim.begin("getLogSources", {})
        chromium.open(eventually(world.opened, "the call opens the browser")[-1])
        chromium.fill("input[name=username]", "ada@example.com")
        chromium.fill("input[name=password]", "x")
        chromium.click("button[name=login]")
        chromium.shows("You are signed in to t")
        chromium.shows("ada@example.com")
        result = shim.end(call)
        ensure(not result.get("isError"), f"the call fails: {result}")
        ensure("am-access" in result["content"][0]["text"], f"the call answers {result['content'][0]['text'][:300]}")
    ensure(world.session()["user"] == "ada@example.com", f"the session is {world.session()}")
