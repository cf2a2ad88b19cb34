"""URLs and paths, read more strictly than browsers do."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.wire.urls import WebURL, is_local_path, parse_web_url


class TestWebURL:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("https://shop.example", ("https", "shop.example", 443, "", False, False)),
            ("https://shop.example/", ("https", "shop.example", 443, "/", False, False)),
            ("http://shop.example/a/b", ("http", "shop.example", 80, "/a/b", False, False)),
            ("https://shop.example:8443/a?b=c#d", ("https", "shop.example", 8443, "/a", True, True)),
            ("https://shop.example:443", ("https", "shop.example", 443, "", False, False)),
            ("https://shop.example:1", ("https", "shop.example", 1, "", False, False)),
            ("https://shop.example:65535", ("https", "shop.example", 65535, "", False, False)),
            ("https://shop.example?", ("https", "shop.example", 443, "", True, False)),
            ("https://shop.example#", ("https", "shop.example", 443, "", False, True)),
            ("https://localhost/", ("https", "localhost", 443, "/", False, False)),
            ("https://xn--fiqs8s.example/", ("https", "xn--fiqs8s.example", 443, "/", False, False)),
            ("https://1.2.3.4/", ("https", "1.2.3.4", 443, "/", False, False)),
            ("http://[::1]:8080/x", ("http", "[::1]", 8080, "/x", False, False)),
            ("https://[2001:db8::1]", ("https", "[2001:db8::1]", 443, "", False, False)),
            (
                "https://a/%2F..%5c~!$&'()*+,;=:@[]",
                ("https", "a", 443, "/%2F..%5c~!$&'()*+,;=:@[]", False, False),
            ),
        ],
    )
    def test_a_url_has_parts(self, text, parts):
        """Scheme, host, port and path are as written; a missing port is the scheme's own."""
        scheme, host, port, path, query, fragment = parts
        expected = WebURL(scheme=scheme, host=host, port=port, path=path, query=query, fragment=fragment)
        assert expected == parse_web_url(text)

    @pytest.mark.parametrize(
        "text",
        [
            None,
            b"https://shop.example",
            1,
            "",
            "shop.example",
            "//shop.example",
            "/path",
            "https:",
            "https:/shop.example",
            "https:shop.example",
            "https://",
            "https:///path",
            "https://?query",
            "https://#fragment",
            "ftp://shop.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "javascript://shop.example/%0aalert(1)",
            "httpss://shop.example",
            "HTTPS://shop.example",
            "Https://shop.example",
            " https://shop.example",
        ],
    )
    def test_only_absolute_http_and_https_urls_count(self, text):
        """Another scheme, a relative reference and what is no text is no URL."""
        assert None is parse_web_url(text)

    @pytest.mark.parametrize(
        "host",
        [
            "SHOP.example",
            "shop.exampl\u0435",
            "网号.example",
            "shop\u3002example",
            "shop.example.",
            ".shop.example",
            "shop..example",
            "-shop.example",
            "shop-.example",
            "shop_.example",
            "shop%2eexample",
            "shop.example%00.evil.example",
            "shop example",
            "shop\texample",
            "shop.example\n",
            "shop.ex\rample",
            "shop.example\x00",
            "shop.example\\.evil.example",
            "evil.example\\@shop.example",
            "shop.example<",
            'shop.example"',
            "shop*.example",
            "a" * 64 + ".example",
        ],
    )
    def test_a_host_has_one_spelling(self, host):
        """Capital, foreign, invisible and escaped characters, odd dots and hyphens are refused."""
        assert None is parse_web_url(f"https://{host}/")

    @pytest.mark.parametrize(
        "authority",
        [
            "user@shop.example",
            "user:password@shop.example",
            "@shop.example",
            ":@shop.example",
            "shop.example@evil.example",
            "shop.example:443@evil.example",
            "shop.example:443@evil.example:443",
            "shop.example&@evil.example",
            "shop.example%40evil.example@evil.example",
        ],
    )
    def test_user_information_is_refused(self, authority):
        """What stands before an @ is how people are misled, and no setting needs it."""
        assert None is parse_web_url(f"https://{authority}/")

    @pytest.mark.parametrize(
        "port",
        ["", "0", "00", "65536", "99999", "-1", "+443", "0443", "443x", "4 43", "٤٤٣", "443:443", "0x1bb"],
    )
    def test_a_port_has_one_spelling(self, port):
        """A port is 1 to 65535 without leading zeros, and a colon without a port is refused."""
        assert None is parse_web_url(f"https://shop.example:{port}/")

    @pytest.mark.parametrize(
        "address",
        [
            "::1",
            "[::1",
            "::1]",
            "[]",
            "[::1]]",
            "[[::1]]",
            "[::1]x",
            "x[::1]",
            "[::1]:",
            "[1::2::3]",
            "[12345::]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[v1.fe80]",
            "[::G]",
            "[::FFFF]",
            "[127.0.0.1]",
        ],
    )
    def test_a_broken_address_is_refused(self, address):
        """An IPv6 address stands in brackets, in small letters and without a zone."""
        assert None is parse_web_url(f"https://{address}/")

    def test_a_url_is_2048_characters_at_most(self):
        """The longest URL is read, one character more is not."""
        longest = "https://shop.example/".ljust(2048, "x")
        assert parse_web_url(longest) is not None
        assert None is parse_web_url(longest + "x")

    @pytest.mark.parametrize(
        "path", ["/a b", "/a\tb", "/a\n", "/\x00", "/\x7f", "/é", "/网", "/a\\b", '/"', "/<>", "/\ud800"]
    )
    def test_what_is_not_visible_ascii_is_refused_everywhere(self, path):
        """Spaces, control characters, backslashes, quotes and other scripts are refused in the path, too."""
        assert None is parse_web_url(f"https://shop.example{path}")

    @pytest.mark.parametrize(
        ("text", "origin"),
        [
            ("https://shop.example/callback?x#y", "https://shop.example"),
            ("https://shop.example:443/", "https://shop.example"),
            ("https://shop.example:80/", "https://shop.example:80"),
            ("http://shop.example:80/", "http://shop.example"),
            ("http://shop.example:443/", "http://shop.example:443"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ],
    )
    def test_an_origin_leaves_out_the_default_port(self, text, origin):
        """Scheme, host and port as RFC 6454 writes them."""
        assert origin == parse_web_url(text).origin

    @pytest.mark.parametrize(
        ("host", "loopback"),
        [
            ("127.0.0.1", True),
            ("[::1]", True),
            ("127.0.0.1:8080", True),
            ("localhost", False),
            ("127.0.0.2", False),
            ("127.1", False),
            ("2130706433", False),
            ("0x7f.0.0.1", False),
            ("0177.0.0.1", False),
            ("0.0.0.0", False),  # noqa: S104 - nothing binds to it
            ("[0:0:0:0:0:0:0:1]", False),
            ("[::ffff:127.0.0.1]", False),
            ("127.0.0.1.evil.example", False),
            ("127.0.0.1.nip.io", False),
        ],
    )
    def test_loopback_is_one_of_two_literal_addresses(self, host, loopback):
        """Names and other spellings of loopback addresses are not the two that are allowed."""
        assert loopback is parse_web_url(f"http://{host}/").is_loopback

    @given(st.text(max_size=40))
    def test_whatever_is_believed_means_the_same_to_the_standard_library(self, text):
        """Any text is refused or read, and what is read has the host that others see."""
        for candidate in (text, f"https://{text}", f"https://shop.example{text}"):
            url = parse_web_url(candidate)
            if url is not None:
                assert urlsplit(candidate).hostname == url.host.strip("[]")


class TestLocalPath:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/cart",
            "/cart?item=1&next=https://evil.example/",
            "/cart#top",
            "/a/../b",
            "/@evil.example",
            "/:80",
            "/?//evil.example",
            "/#//evil.example",
            "/~!$&'()*+,;=:@[]",
        ],
    )
    def test_a_path_of_this_origin_is_accepted(self, path):
        """A path, its query and its fragment stay here, whatever they name."""
        assert is_local_path(path)

    @pytest.mark.parametrize(
        "path",
        [
            None,
            b"/cart",
            1,
            "",
            "cart",
            "./cart",
            "?a",
            "#a",
            "/a//b",
            "/a/..//evil.example",
            "/.//evil.example",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/a\\b",
            "https://evil.example/",
            "https:/evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            " /cart",
            "/cart ",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\t//evil.example",
            "\x00//evil.example",
            "/\x00",
            "/\x1f",
            "/\x7f",
            "/a b",
            "/é",
            "/网号",
            "/\u3000",
            "/\u2028",
            "/\uff0fevil.example",
            "/\u2215evil.example",
            "/\ud800",
            "/cart\r\nSet-Cookie: a=b",
        ],
    )
    def test_what_may_lead_elsewhere_is_refused(self, path):
        """Other origins, schemes, backslashes, and whatever browsers strip or fold on the way."""
        assert not is_local_path(path)

    @pytest.mark.parametrize(
        "path", ["/%5cevil.example", "/%5C%5Cevil.example", "/%2fevil.example", "/%2F/", "/%09/x", "/%0d%0a"]
    )
    def test_an_escape_is_no_separator(self, path):
        """An escaped slash or backslash stays a part of the path: browsers resolve before they decode."""
        assert is_local_path(path)
        assert "shop.example" == urlsplit(urljoin("https://shop.example/callback", path)).hostname

    def test_a_path_is_2048_characters_at_most(self):
        """The longest path is accepted, one character more is not."""
        assert is_local_path("/".ljust(2048, "x"))
        assert not is_local_path("/".ljust(2049, "x"))

    @given(st.text(alphabet=st.sampled_from("/\\:@.?#%\t\n \x00ahtps5cC2fF网"), max_size=12))
    def test_what_is_accepted_stays_on_this_origin(self, text):
        """Any text is refused, or resolves to the same scheme and host and goes into a header unchanged."""
        for path in (text, f"/{text}"):
            if is_local_path(path):
                resolved = urlsplit(urljoin("https://shop.example/callback", path))
                assert ("https", "shop.example") == (resolved.scheme, resolved.netloc)
                assert path.isascii()
                assert path.isprintable()
