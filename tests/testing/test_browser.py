"""The scripted browser keeps, sends, follows and fills in as Chromium and Firefox do."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import ConfigurationError, TransportError
from cyberid_client.testing.browser import Browser
from cyberid_client.testing.browser_cookies import CookieJar, is_same_site, is_trustworthy
from cyberid_client.testing.browser_html import read_page

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LOOPBACK = "http://127.0.0.1:8001/"
PLAIN = "http://shop.example/"
SECURE = "https://shop.example/"


@dataclass
class Answer:
    """What the made-up server says on one path."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunk_pause: threading.Event | None = None


@dataclass
class Seen:
    """What reached the made-up server."""

    method: str
    path: str
    cookie: str
    body: str
    origin: str | None


@contextmanager
def serve(answers, host="127.0.0.1"):
    """Serve fixed answers by path on loopback; yield the base URL and the list of what came."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            cookie, origin = self.headers.get("Cookie", ""), self.headers.get("Origin")
            seen.append(Seen(self.command, self.path, cookie, body, origin))
            answer = answers[self.path.partition("?")[0]]
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + (answer.chunk_pause is not None)))
            self.end_headers()
            self.wfile.write(answer.body)
            if answer.chunk_pause is not None:
                answer.chunk_pause.wait(5)
                self.close_connection = True

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def html(body, *, status=200, headers=()):
    """Answer with a page."""
    return Answer(status, [("Content-Type", "text/html; charset=utf-8"), *headers], body.encode())


def redirect(target, *, status=302, headers=()):
    """Answer with a redirect."""
    return Answer(status, [("Location", target), *headers])


def stored(url, *headers):
    """Return the jar after ``url`` answered with these Set-Cookie headers."""
    jar = CookieJar()
    for header in headers:
        jar.store(url, header, now=NOW)
    return jar


def names(jar, url, **more):
    """Return the names of the cookies that go along."""
    return [cookie.name for cookie in jar.select(url, now=NOW, **more)]


class TestSecureOrigins:
    @pytest.mark.parametrize(
        ("expected", "url"),
        [
            (True, "https://shop.example/"),
            (True, "http://127.0.0.1:5000/"),
            (True, "http://127.1.2.3/"),
            (True, "http://[::1]:5000/"),
            (True, "http://localhost/"),
            (True, "http://shop.localhost/"),
            (False, "http://128.0.0.1/"),
            (False, "http://shop.example/"),
            (False, "http://localhost.example/"),
        ],
    )
    def test_https_and_loopback_are_trustworthy(self, expected, url):
        """Only https and loopback count as secure origins."""
        assert expected == is_trustworthy(url)

    def test_secure_cookie_on_loopback_http_is_kept_and_sent(self):
        """A Secure cookie of http://127.0.0.1 goes back to it."""
        assert names(stored(LOOPBACK, "a=1; Secure"), LOOPBACK) == ["a"]

    def test_secure_cookie_from_plain_http_is_refused(self):
        """A Secure cookie from plain http elsewhere is refused."""
        assert names(stored(PLAIN, "a=1; Secure"), SECURE) == []

    def test_secure_cookie_is_not_sent_over_plain_http(self):
        """A Secure cookie does not leave over plain http."""
        assert names(stored(SECURE, "a=1; Secure"), PLAIN) == []

    def test_plain_http_cannot_overwrite_a_secure_cookie(self):
        """A Secure cookie stays as it is when plain http sets its name."""
        jar = stored(SECURE, "a=good; Secure")
        jar.store(PLAIN, "a=bad", now=NOW)
        assert [cookie.value for cookie in jar.select(SECURE, now=NOW)] == ["good"]


class TestPrefixes:
    @pytest.mark.parametrize(
        ("expected", "header"),
        [
            (True, "__Host-a=1; Secure; Path=/"),
            (False, "__Host-a=1; Path=/"),
            (False, "__Host-a=1; Secure"),
            (False, "__Host-a=1; Secure; Path=/shop"),
            (False, "__Host-a=1; Secure; Path=/; Domain=shop.example"),
            (False, "__host-a=1; Path=/"),
            (True, "__Secure-a=1; Secure"),
            (True, "__Secure-a=1; Secure; Domain=shop.example"),
            (False, "__Secure-a=1"),
            (False, "=__Host-a=1; Secure; Path=/"),
            (False, "__SECURE-a=1"),
        ],
    )
    def test_prefix_demands_its_attributes(self, expected, header):
        """A cookie with a prefix is kept only with all that the prefix promises."""
        assert expected == bool(names(stored(SECURE, header), SECURE))

    def test_host_prefix_works_on_loopback_http(self):
        """A __Host- cookie of http://127.0.0.1 goes back to it."""
        assert names(stored(LOOPBACK, "__Host-a=1; Secure; Path=/"), LOOPBACK) == ["__Host-a"]


class TestSameSite:
    @pytest.mark.parametrize(
        ("expected", "attribute", "method", "same_site"),
        [
            (True, "; SameSite=Lax", "GET", False),
            (False, "; SameSite=Lax", "POST", False),
            (True, "; SameSite=Lax", "POST", True),
            (False, "; SameSite=Strict", "GET", False),
            (True, "; SameSite=Strict", "GET", True),
            (True, "; SameSite=None; Secure", "POST", False),
            (True, "", "GET", False),
            (False, "", "POST", False),
            (False, "; SameSite=nonsense", "POST", False),
        ],
    )
    def test_navigation_carries(self, expected, attribute, method, same_site):
        """Lax goes with cross-site GET, Strict stays, None goes always, nothing said is Lax."""
        jar = stored(SECURE, f"a=1{attribute}")
        assert expected == bool(names(jar, SECURE, method=method, same_site=same_site))

    def test_none_without_secure_is_refused(self):
        """SameSite=None without Secure is refused."""
        assert names(stored(SECURE, "a=1; SameSite=None"), SECURE) == []

    @pytest.mark.parametrize(
        ("expected", "one", "other"),
        [
            (True, "http://127.0.0.1:1/", "http://127.0.0.1:2/"),
            (False, "http://127.0.0.1:1/", "http://[::1]:1/"),
            (False, "http://127.0.0.1/", "http://127.0.0.2/"),
            (True, "https://a.shop.example/", "https://b.shop.example/"),
            (False, "http://shop.example/", "https://shop.example/"),
            (False, "https://shop.example/", "https://issuer.example2/"),
        ],
    )
    def test_site_is_scheme_and_registrable_name(self, expected, one, other):
        """Ports do not part sites, schemes and addresses do."""
        assert expected == is_same_site(one, other)


class TestScope:
    def test_ports_share_cookies(self):
        """A cookie of one port goes to every port of the host."""
        assert names(stored("http://127.0.0.1:1/", "a=1"), "http://127.0.0.1:2/") == ["a"]

    @pytest.mark.parametrize(
        ("expected", "cookie_path", "path"),
        [
            (True, "/shop", "/shop"),
            (True, "/shop", "/shop/cart"),
            (True, "/shop/", "/shop/cart"),
            (False, "/shop", "/shopping"),
            (False, "/shop/", "/shop"),
            (True, "/", "/anything"),
            (True, "relative", "/dir/other"),
        ],
    )
    def test_path_matches_whole_parts(self, expected, cookie_path, path):
        """A cookie goes to its path and below, never to a path that only begins with the same letters."""
        jar = stored("https://shop.example/dir/page", f"a=1; Path={cookie_path}")
        assert expected == bool(names(jar, f"https://shop.example{path}"))

    def test_default_path_is_the_directory(self):
        """Without Path a cookie belongs to the directory of the page."""
        jar = stored("https://shop.example/dir/page", "a=1")
        assert [cookie.path for cookie in jar] == ["/dir"]

    @pytest.mark.parametrize(
        ("expected", "domain", "url"),
        [
            (True, "shop.example", "https://www.shop.example/"),
            (True, ".SHOP.example", "https://www.shop.example/"),
            (True, "", "https://shop.example/"),
            (False, "", "https://www.shop.example/"),
            (False, "other.example", "https://other.example/"),
            (False, "example", "https://www.shop.example/"),
            (False, "www.shop.example", "https://www.shop.example/"),
        ],
    )
    def test_domain_widens_to_hosts_below_only(self, expected, domain, url):
        """Domain may name the host itself or one above it with a dot in its name."""
        jar = stored("https://shop.example/", f"a=1; Domain={domain}" if domain else "a=1")
        assert expected == bool(names(jar, url))

    def test_address_has_no_hosts_below(self):
        """Domain on an address is host-only, and a part of an address is no domain."""
        jar = stored(LOOPBACK, "a=1; Domain=127.0.0.1", "b=1; Domain=0.0.1")
        assert names(jar, LOOPBACK) == ["a"]
        assert [cookie.host_only for cookie in jar] == [True]


class TestLifetime:
    @pytest.mark.parametrize(
        ("expected", "after"),
        [(True, timedelta(seconds=9, microseconds=999_999)), (False, timedelta(seconds=10))],
    )
    def test_max_age_ends_to_the_second(self, expected, after):
        """A cookie with Max-Age=10 is gone after exactly ten seconds."""
        jar = stored(SECURE, "a=1; Max-Age=10")
        assert expected == bool(jar.select(SECURE, now=NOW + after))

    @pytest.mark.parametrize(
        "header",
        ["a=; Max-Age=0", "a=; Max-Age=-1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
    )
    def test_past_removes(self, header):
        """A lifetime that is over removes the cookie."""
        assert names(stored(SECURE, "a=1", header), SECURE) == []

    @pytest.mark.parametrize(
        ("expected", "attributes"),
        [
            (NOW + timedelta(seconds=60), "Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            (NOW + timedelta(days=1), "Expires=Wed, 02-Jan-2030 00:00:00 GMT"),
            (NOW + timedelta(days=400), "Max-Age=99999999999999999999"),
            (NOW + timedelta(days=400), "Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
            (None, "Expires=soon"),
            (None, "Max-Age=1.5"),
            (None, "Expires=Wed, 02 Jan 99999999999 00:00:00 GMT"),
        ],
    )
    def test_expiry(self, expected, attributes):
        """Max-Age wins over Expires, 400 days is the most, what cannot be read is ignored."""
        assert [expected] == [cookie.expires_at for cookie in stored(SECURE, f"a=1; {attributes}")]


class TestOrderAndShape:
    def test_longest_path_first_then_first_set(self):
        """Cookies are sent longest path first, then in the order in which they were first set."""
        url = "https://shop.example/a/b"
        jar = stored(url, "one=1; Path=/", "two=1; Path=/a/b", "three=1; Path=/", "one=2; Path=/")
        assert names(jar, url) == ["two", "one", "three"]

    def test_last_value_wins(self):
        """A cookie that is set again has its new value."""
        jar = stored(SECURE, "a=1", "a=2")
        assert [cookie.value for cookie in jar] == ["2"]

    def test_value_is_not_in_repr(self):
        """A cookie's value does not stand in its repr."""
        (cookie,) = stored(SECURE, "a=secret-value; HttpOnly")
        assert cookie.http_only
        assert "secret-value" not in repr(cookie)

    @pytest.mark.parametrize(
        ("expected", "header"),
        [
            (1, "a=" + "x" * 4095),
            (0, "a=" + "x" * 4096),
            (0, ""),
            (0, "=; Secure"),
            (0, "a=\x00"),
            (0, "a=b\r\nc"),
            (0, "a=网"),
            (1, "a"),
            (1, "a=1; Path=/" + "x" * 1024),
        ],
    )
    def test_misshapen_is_refused_whole(self, expected, header):
        """Empty, oversized and control characters are refused; an oversized attribute is ignored."""
        assert expected == len(list(stored(SECURE, header)))

    @given(st.text(max_size=80))
    def test_any_header_is_survived(self, header):
        """No Set-Cookie header raises."""
        jar = CookieJar()
        jar.store(LOOPBACK, header, now=NOW)
        jar.store(LOOPBACK, "a=1; Expires=" + header, now=NOW)
        assert jar.select(LOOPBACK, now=NOW) is not None

    def test_cleared_jar_is_empty(self):
        """Clearing forgets all."""
        jar = stored(SECURE, "a=1")
        jar.clear()
        assert list(jar) == []


FORM = """<!doctype html><title>Choose &amp; go</title><style>p{}</style>
<p>Who <b>are</b>n't you?</p><a href="/else?x=1#there">  Else
where </a><a href="http://[">broken</a><a name=x>no link</a>
<form id=find action=/find?old=1><input name=q value=tea><button>Find</button></form>
<form id=people method=post action="/login">
 <input type=hidden name=token value="t&quot;1"><input name=name><input name=off value=1 disabled>
 <input type=checkbox name=factor value=password checked><input type=checkbox name=factor value=face>
 <input type=checkbox name=keep><input type=radio name=who value=lin><input type=radio name=who value=wu checked>
 <select name=size><option>small</option><option value=L>large</option></select>
 <textarea name=note>
one
two</textarea>
 <button type=button>Nothing</button><button name=do value=yes>Yes, <i>go</i></button>
 <input type=submit name=do value=No><button formaction=/register>Register</button><button name=do value=late disabled>Late</button>
</form><input name=outside>"""


def form_page(markup=FORM):
    """Return the page of this markup."""
    headers = {"content-type": "text/html"}
    return read_page(url="http://127.0.0.1:8001/dir/page", status=200, headers=headers, body=markup.encode())


class TestPages:
    def test_words_and_title(self):
        """A page shows its words as a person reads them, without styles and scripts."""
        page = form_page("<title>A\n b</title><script>no()</script><h1>Hi</h1><p>there <b>yo</b>u</p>")
        assert (page.title, page.text) == ("A b", "Hi there you")

    def test_links_are_absolute(self):
        """Links carry absolute URLs without a fragment; one that cannot be read stays."""
        assert [(link.text, link.url) for link in form_page().links] == [
            ("Else where", "http://127.0.0.1:8001/else?x=1"),
            ("broken", "http://["),
        ]

    def test_untouched_form_sends_what_the_page_has(self):
        """Defaults, ticks, the first option and the first button are sent; disabled fields are not."""
        assert form_page().form("people").fill({}) == (
            ("token", 't"1'),
            ("name", ""),
            ("factor", "password"),
            ("who", "wu"),
            ("size", "small"),
            ("note", "one\ntwo"),
            ("do", "yes"),
        )

    def test_filled_form_sends_what_the_person_chose(self):
        """Texts, ticks, choices and the pressed button are sent in the order of the page."""
        values = {"name": "lin", "factor": ["password", "face"], "keep": True, "who": "lin", "size": "L"}
        assert form_page().form(1).fill({**values, "note": ""}, button="No") == (
            ("token", 't"1'),
            ("name", "lin"),
            ("factor", "password"),
            ("factor", "face"),
            ("keep", "on"),
            ("who", "lin"),
            ("size", "L"),
            ("note", ""),
            ("do", "No"),
        )

    def test_unticked(self):
        """A box set to False is not sent."""
        assert "factor" not in dict(form_page().form(1).fill({"factor": False}))

    @pytest.mark.parametrize(
        "values",
        [
            {"nmae": "x"},
            {"off": "x"},
            {"outside": "x"},
            {"who": "nobody"},
            {"factor": ["iris"]},
            {"name": True},
        ],
    )
    def test_what_no_person_could_do_is_an_error(self, values):
        """An unknown field or choice is an error, not a silent nothing."""
        with pytest.raises(ConfigurationError) as caught:
            form_page().form(1).fill(values)
        assert caught.value.code == "testing.no_field"

    @pytest.mark.parametrize("button", ["Nothing", "Late", "", "Maybe"])
    def test_unknown_button(self, button):
        """A button that does not send the form cannot be pressed."""
        with pytest.raises(ConfigurationError) as caught:
            form_page().form(1).fill({}, button=button)
        assert caught.value.code == "testing.no_button"

    @pytest.mark.parametrize("which", [2, -1, "other"])
    def test_unknown_form(self, which):
        """A form that is not there is an error."""
        with pytest.raises(ConfigurationError) as caught:
            form_page().form(which)
        assert caught.value.code == "testing.no_form"

    def test_other_content_is_text(self):
        """What is not HTML has no forms, only its text."""
        page = read_page(url=LOOPBACK, status=200, headers={"content-type": "text/plain"}, body=b"<form>\xff")
        assert (page.forms, page.text) == ((), "<form>\ufffd")

    @given(st.text(alphabet='<>/="ainputformslct &;!-', max_size=120))
    def test_any_markup_is_survived(self, markup):
        """No markup raises."""
        assert form_page(markup).status == 200


class TestBrowser:
    def test_redirects_are_followed_and_recorded(self):
        """Each hop is recorded with method, URL, status and the names of cookies set and sent."""
        answers = {
            "/": redirect(
                "/b?code=1", status=303, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "bad=\x7f")]
            ),
            "/b": html("<p>there</p>"),
        }
        with serve(answers) as (base, _):
            browser = Browser()
            page = browser.open(f"{base}/")
            assert ("there", f"{base}/b?code=1", 200) == (page.text, page.url, page.status)
            assert [
                ("GET", f"{base}/", 303, ("a", "bad"), ()),
                ("GET", f"{base}/b?code=1", 200, (), ("a",)),
            ] == [(h.method, h.url, h.status, h.set_cookies, h.sent_cookies) for h in browser.history]
            assert f"GET {base}/b → 200" == str(browser.history[1])
            assert "code=1" not in repr(browser.history) + repr(page)

    @pytest.mark.parametrize(
        ("expected", "status"),
        [
            (("GET", ""), 301),
            (("GET", ""), 302),
            (("GET", ""), 303),
            (("POST", "x=1"), 307),
            (("POST", "x=1"), 308),
        ],
    )
    def test_redirect_of_a_post(self, expected, status):
        """307 and 308 repeat a POST; the others turn it into a GET."""
        answers = {
            "/": html("<form method=post action=/p><input name=x value=1></form>"),
            "/p": redirect("/end", status=status),
            "/end": html("end"),
        }
        with serve(answers) as (base, seen):
            browser = Browser()
            browser.submit(browser.open(base))
            assert expected == (seen[-1].method, seen[-1].body)
            assert base == seen[1].origin

    def test_as_many_redirects_as_allowed(self):
        """Exactly the allowed number of redirects is followed, one more is an error."""
        answers = {"/0": redirect("/1"), "/1": redirect("/2"), "/2": html("end"), "/loop": redirect("/loop")}
        with serve(answers) as (base, seen):
            assert Browser(max_redirects=2).open(f"{base}/0").text == "end"
            with pytest.raises(ConfigurationError) as caught:
                Browser(max_redirects=1).open(f"{base}/0")
            assert caught.value.code == "testing.redirects"
            with pytest.raises(ConfigurationError):
                Browser().open(f"{base}/loop")
            assert len(seen) == 3 + 2 + 11

    def test_click_follows_links_and_presses_buttons(self):
        """Clicking takes a link by its words, or the button with them."""
        answers = {"/": html(FORM), "/else": html("else"), "/find": html("found"), "/login": html("in")}
        answers["/register"] = html("new")
        with serve(answers) as (base, seen):
            browser = Browser()
            page = browser.open(base)
            assert browser.click(page, "Else where").text == "else"
            assert browser.click(page, "Find").text == "found"
            assert seen[-1].path == "/find?q=tea"
            assert browser.click(page, "Yes, go").text == "in"
            assert seen[-1].body.endswith("&do=yes")
            assert browser.click(page, "Register").text == "new"
            with pytest.raises(ConfigurationError) as caught:
                browser.click(page, "Yes")
            assert caught.value.code == "testing.no_button"

    def test_strict_cookie_stays_at_home_when_another_site_leads_back(self):
        """A chain that another site caused carries Lax cookies and no Strict ones."""
        cookies = [("Set-Cookie", "lax=1; SameSite=Lax"), ("Set-Cookie", "strict=1; SameSite=Strict")]
        answers = {"/": html("home", headers=cookies), "/via": redirect("/end"), "/end": html("end")}
        with serve(answers) as (base, seen):
            browser = Browser()
            browser.open(base)
            browser.open(f"{base}/via", initiator="https://issuer.example/page")
            browser.open(f"{base}/end")
            assert [one.cookie for one in seen] == ["", "lax=1", "lax=1", "lax=1; strict=1"]

    def test_cross_site_post_carries_no_lax_cookie(self):
        """A form on another site posts without the Lax cookies."""
        answers = {
            "/": html("home", headers=[("Set-Cookie", "lax=1; SameSite=Lax")]),
            "/p": html("posted"),
        }
        with serve(answers) as (base, seen):
            browser = Browser()
            browser.open(base)
            markup = f"<form method=post action={base}/p></form>".encode()
            headers = {"content-type": "text/html"}
            evil = read_page(url="https://evil.example/", status=200, headers=headers, body=markup)
            browser.submit(evil)
            assert (seen[-1].cookie, seen[-1].origin) == ("", "https://evil.example")

    def test_two_browsers_share_nothing(self):
        """Another browser has another jar."""
        with serve({"/": html("x", headers=[("Set-Cookie", "__Host-a=1; Secure; Path=/")])}) as (base, _):
            one, other = Browser(), Browser()
            one.open(base)
            assert tuple([c.name for c in b.cookies(base)] for b in (one, other)) == (["__Host-a"], [])

    def test_clock_ends_cookies(self):
        """The browser's clock decides when a cookie has expired."""
        moments = [NOW]
        with serve({"/": html("x", headers=[("Set-Cookie", "a=1; Max-Age=5")])}) as (base, _):
            browser = Browser(clock=lambda: moments[-1])
            browser.open(base)
            moments.append(NOW + timedelta(seconds=5))
            assert browser.cookies(base) == ()

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://127.0.0.1/",
            "/relative",
            "",
            "http://",
            "http://[",
            "http://127.0.0.1:x/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:99999/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1/a b",
            "http://127.0.0.1/\r\n",
            "http://127.0.0.1/网",
            "javascript:alert(1)",
        ],
    )
    def test_unfit_url(self, url):
        """Only absolute http and https URLs are opened, also as initiators."""
        for call in (lambda: Browser().open(url), lambda: Browser().open(LOOPBACK, initiator=url)):
            with pytest.raises(ConfigurationError) as caught:
                call()
            assert caught.value.code == "testing.url"

    def test_redirect_to_an_unfit_url(self):
        """A redirect to what cannot be opened is an error of the same kind."""
        with (
            serve({"/": redirect("app://callback")}) as (base, _),
            pytest.raises(ConfigurationError) as caught,
        ):
            Browser().open(base)
        assert caught.value.code == "testing.url"

    def test_size_limit_is_exact(self):
        """A body of exactly max_bytes is read, one byte more is refused."""
        with serve({"/": Answer(body=b"x" * 100)}) as (base, _):
            assert len(Browser(max_bytes=100).open(base).body) == 100
            with pytest.raises(TransportError) as caught:
                Browser(max_bytes=99).open(base)
            assert caught.value.code == "transport.too_large"

    def test_slow_answer_ends_at_the_limit(self):
        """A body that does not end is given up when the time is over."""
        pause = threading.Event()
        with serve({"/": Answer(body=b"begin", chunk_pause=pause)}) as (base, _):
            with pytest.raises(TransportError) as caught:
                Browser(timeout=0.2).open(base)
            pause.set()
            assert caught.value.code == "transport.timeout"

    def test_spent_time_sends_nothing(self):
        """With no time left nothing is sent."""
        with serve({"/": html("x")}) as (base, seen):
            with pytest.raises(TransportError) as caught:
                Browser(timeout=0.0).open(base)
            assert (caught.value.code, seen) == ("transport.timeout", [])

    def test_nobody_listens(self):
        """A port where nobody listens is a failed connection."""
        with serve({}) as (base, _):
            pass
        with pytest.raises(TransportError) as caught:
            Browser().open(base)
        assert caught.value.code == "transport.connection"

    def test_plain_server_spoken_to_in_tls(self):
        """A server without TLS cannot be opened as https."""
        with serve({"/": html("x")}) as (base, _):
            with pytest.raises(TransportError) as caught:
                Browser(timeout=2).open(base.replace("http://", "https://"))
            assert caught.value.code in {"transport.tls", "transport.connection"}

    def test_error_pages_are_pages(self):
        """A 404 is a page with its status, not an exception."""
        with serve({"/": html("<p>gone</p>", status=404)}) as (base, _):
            page = Browser().open(base)
        assert (page.status, page.text) == (404, "gone")
