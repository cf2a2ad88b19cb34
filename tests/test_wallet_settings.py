"""What is refused of the wallet settings whatever its type is."""

from __future__ import annotations

import pytest

from cyberid_client import ConfigurationError, WalletIdentity, WalletSettings


@pytest.mark.parametrize("chain", [None, 1, {}, {"0": b""}, [b""], (), (None,), (b"",) * 6], ids=repr)
def test_what_is_no_chain_of_certificates(chain):
    """Anything but a tuple of one to five certificates is refused by its code."""
    with pytest.raises(ConfigurationError) as caught:
        WalletIdentity(chain=chain, key=None)
    assert ("config.wallet_identity", "keys.wallet") == (caught.value.code, caught.value.setting)


@pytest.mark.parametrize("name", [None, 1, [], {}, {"sd-jwt"}, b"sd-jwt"], ids=repr)
def test_a_format_is_a_name(name):
    """What is no text names no format."""
    with pytest.raises(ConfigurationError) as caught:
        WalletSettings(endpoint="https://shop.example/wallet", credential_format=name)
    assert ("config.wallet", "wallet.credential_format") == (caught.value.code, caught.value.setting)


@pytest.mark.parametrize(
    "uri", ["https://wallet.example/#x", "wallet://x#", "javascript:alert(1)", "//wallet.example", ""]
)
def test_what_opens_no_wallet(uri):
    """A fragment would swallow the request, and what has no authority is no wallet."""
    with pytest.raises(ConfigurationError) as caught:
        WalletSettings(endpoint="https://shop.example/wallet", wallet_uri=uri)
    assert ("config.wallet", "wallet.wallet_uri") == (caught.value.code, caught.value.setting)
