"""Pictures sent in chats."""

from __future__ import annotations

from io import BytesIO


def qr(text: str) -> bytes:
    """A QR code as PNG, large enough to be read from a screen."""
    import segno  # only needed for invitations

    out = BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=8, border=3)
    return out.getvalue()
