"""The handshakes, and the numbered checks that decide whether to believe what came back."""

from cyberid_client.handshake.assertion import verify_assertion

__all__ = ["verify_assertion"]
