"""A QR code as SVG, drawn by a library that does nothing else."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import ConfigurationError

__all__ = ["draw_qr_svg"]

# A code for more than this has modules too small for a phone's camera and a screen.
TEXT_MAX: Final = 512


def draw_qr_svg(text: str, *, title: str) -> str:
    """Return a QR code (ISO/IEC 18004, error correction M) as one SVG element.

    Args:
        text: what stands in it, at most 512 characters.
        title: said by a screen reader in the place of the picture.

    Raises:
        ConfigurationError: ``config.missing_extra``, or ``presentation.qr_too_long``.
    """
    if len(text) > TEXT_MAX:
        raise ConfigurationError("presentation.qr_too_long")
    try:
        import segno  # noqa: PLC0415 - only who draws pays for the import
    except ImportError:
        raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[qr]"') from None
    drawn = segno.make_qr(text, error="m", boost_error=False)
    # Dark on light with the quiet zone that cameras need, also on a dark page.
    svg: str = drawn.svg_inline(
        scale=1,
        border=4,
        dark="#000",
        light="#fff",
        title=title,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
    )
    return svg.replace("<svg ", '<svg role="img" ', 1)
