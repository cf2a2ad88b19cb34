"""What the login's cookie promises, taken away piece by piece: then the named attack works.

The jar is that of the scripted browser, which keeps and sends what a current browser would. Each test
first shows that the attack fails against the cookie as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cyberid_client import Client, CyberIDError, Login
from cyberid_client.testing.browser_cookies import CookieJar

from .cases import Case
from .runner import App

SHOP = "https://shop.example/account/login"
EVIL = "https://evil.shop.example/"
STRANGER = "https://evil.example/"
PREFIX = "__Host-"


@dataclass
class Shop:
    """A shop whose set and sent cookies a test may change."""

    app: App
    client: Client
    jar: CookieJar

    def start(self, change=lambda header: header):
        """Start a login in the person's browser; return request and callback."""
        request, callback = self.begin()
        self.jar.store(SHOP, change(request.set_cookie), now=self.app.clock())
        return request, callback

    def begin(self, person="adult"):
        """Start a login in nobody's browser."""
        request = self.client.start_login()
        return request, self.app.issuer.authorize(request.url, person=person)

    def sent(self, url, **how):
        """Return what goes along, first come first, as most frameworks read it."""
        found = {}
        for cookie in self.jar.select(url, now=self.app.clock(), **how):
            found.setdefault(cookie.name, cookie.value)
        return found

    def come_back(self, callback, *, rename=lambda name: name, **how):
        """Let the browser come back; return the login or the code of the error."""
        cookies = self.sent(callback, **how)
        handle = cookies.get(rename(self.client.cookie_name_for(callback)))
        try:
            return self.client.finish_login(callback, handle=handle)
        except CyberIDError as error:
            return error.code


@pytest.fixture
def shop():
    app = App(Case(""))
    return Shop(app, Client(app.rp, transport=app.transport, clock=app.clock), CookieJar())


def drop(attribute):
    def change(header):
        assert f"; {attribute}" in header
        return header.replace(f"; {attribute}", "")

    return change


def unprefixed(header):
    return header.removeprefix(PREFIX)


def planted(shop, *, domain="", path="/", prefix=PREFIX):
    """Plant the cookie of a login that the attacker started; return its callback."""
    request, callback = shop.begin(person="adult")
    name = request.cookie_name.replace(PREFIX, prefix)
    header = f"{name}={request.handle}; Path={path}; Secure" + (f"; Domain={domain}" if domain else "")
    shop.jar.store(EVIL if domain else "https://shop.example/other/", header, now=shop.app.clock())
    return callback


def test_an_honest_login_goes_through_the_jar(shop):
    """The cookie as it is comes back from the issuer, across sites, by GET."""
    _, callback = shop.start()
    assert isinstance(shop.come_back(callback, same_site=False), Login)


def test_without_the_prefix_a_subdomain_plants_a_login(shop):
    """The prefix keeps the cookies of other hosts out; without it a person is logged in as somebody else."""
    callback = planted(shop, domain="shop.example")
    assert "login.handle_missing" == shop.come_back(callback)
    callback = planted(shop, domain="shop.example", prefix="")
    assert isinstance(shop.come_back(callback, rename=unprefixed), Login)


def test_without_the_prefix_another_app_of_the_host_shadows_the_cookie(shop):
    """A cookie with a longer path is sent first; the prefix allows only one path."""
    request, callback = shop.start()
    name = request.cookie_name
    shop.jar.store(SHOP, f"{name}=planted; Path=/callback; Secure", now=shop.app.clock())
    assert isinstance(shop.come_back(callback), Login)
    request, callback = shop.start(unprefixed)
    name = unprefixed(request.cookie_name)
    shop.jar.store(SHOP, f"{name}=planted; Path=/callback; Secure", now=shop.app.clock())
    assert "login.handle_malformed" == shop.come_back(callback, rename=unprefixed)


def test_without_secure_the_cookie_goes_over_plain_http(shop):
    """The handle never leaves in clear; without Secure the prefix stops the cookie, without both it is seen."""
    request, _ = shop.start()
    assert {} == shop.sent("http://shop.example/")
    shop.jar.clear()
    shop.start(drop("Secure"))
    assert {} == shop.sent("https://shop.example/callback")
    request, _ = shop.start(lambda header: unprefixed(drop("Secure")(header)))
    assert [request.handle] == list(shop.sent("http://shop.example/").values())


def test_without_http_only_a_script_reads_the_handle(shop):
    """A script sees no cookie that is HttpOnly."""
    shop.start()
    assert [] == [cookie.value for cookie in shop.jar if not cookie.http_only]
    request, _ = shop.start(drop("HttpOnly"))
    assert [request.handle] == [cookie.value for cookie in shop.jar if not cookie.http_only]


def test_without_lax_a_post_of_another_site_carries_the_cookie(shop):
    """A form on another site posts without the cookie; with SameSite=None it finishes the login."""
    _, callback = shop.start()
    assert "login.handle_missing" == shop.come_back(callback, method="POST", same_site=False)
    _, callback = shop.start(lambda header: header.replace("SameSite=Lax", "SameSite=None"))
    assert isinstance(shop.come_back(callback, method="POST", same_site=False), Login)


def test_with_strict_nobody_comes_back(shop):
    """The issuer is another site: a Strict cookie stays away from the callback."""
    _, callback = shop.start(lambda header: header.replace("SameSite=Lax", "SameSite=Strict"))
    assert "login.handle_missing" == shop.come_back(callback, same_site=False)


def test_without_path_the_cookie_does_not_reach_the_callback(shop):
    """Start page and callback may lie in different folders; without Path=/ nobody logs in."""
    _, callback = shop.start(drop("Path=/"))
    assert [] == list(shop.jar)
    _, callback = shop.start(lambda header: unprefixed(drop("Path=/")(header)))
    assert 1 == len(list(shop.jar))
    assert "login.handle_missing" == shop.come_back(callback, rename=unprefixed)


def test_with_one_name_two_tabs_disturb_each_other(shop):
    """Two tabs finish in any order; with one name for all, the first tab's login is lost."""
    (_, first), (_, second) = shop.start(), shop.start()
    assert isinstance(shop.come_back(second), Login)
    assert isinstance(shop.come_back(first), Login)

    def one_name(header):
        return f"{PREFIX}cyberid={header.partition('=')[2]}"

    (_, first), (_, second) = shop.start(one_name), shop.start(one_name)
    assert "callback.state" == shop.come_back(first, rename=lambda _: f"{PREFIX}cyberid")
    assert "login.unknown" == shop.come_back(second, rename=lambda _: f"{PREFIX}cyberid")


def test_without_max_age_the_cookie_outlives_its_login(shop):
    """The cookie ends with its login; without Max-Age every login that nobody finished stays."""
    shop.start()
    shop.app.clock.advance(shop.app.rp.pending_lifetime)
    assert {} == shop.sent(SHOP)
    shop.start(drop(f"Max-Age={shop.app.rp.pending_lifetime}"))
    shop.app.clock.advance(shop.app.rp.pending_lifetime)
    assert 1 == len(shop.sent(SHOP))
