from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cyberid_client.errors import ChainError
from cyberid_client.trust import ChainProfile, TrustStore, verify_chain


def _load_builder():
    # Tests are imported without a package, so a helper beside them is loaded by its path.
    name = "trust_certificate_builder"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("builder.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def make():
    return _load_builder()


@pytest.fixture(scope="session")
def pki(make):
    """Root, authority, signer, and a production store that pins the root."""
    root = make.authority("Root")
    ca = make.authority("CA", root)
    return SimpleNamespace(
        root=root,
        ca=ca,
        signer=make.signer(ca),
        trust=TrustStore.from_pem(root.pem),
        profile=ChainProfile.assertion(make.ISSUER),
    )


@pytest.fixture
def verify(pki, make):
    """Verify a leaf with the standard store, profile and time, but for what is given."""

    def run(leaf, *intermediates, **changes):
        arguments = {"trust": pki.trust, "profile": pki.profile, "now": make.NOW, **changes}
        return verify_chain(leaf.der, [one.der for one in intermediates], **arguments)

    return run


@pytest.fixture
def code(verify):
    """Verify as ``verify`` does and return the code of the refusal, or ``None`` for a good chain."""

    def run(*arguments, **changes):
        try:
            verify(*arguments, **changes)
        except ChainError as error:
            return error.code
        return None

    return run
