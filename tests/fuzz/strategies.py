"""What arrives: bytes of any kind, and good messages with something done to them."""

from __future__ import annotations

from hypothesis import strategies as st

# Text as Python can hold it, lone surrogates included.
any_text = st.text(st.characters(exclude_categories=()), max_size=80)
any_bytes = st.binary(max_size=400)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63, 2**64, -1, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(["", "x" * 22, "shop", "https://issuer.example", "ES256", "urn:cyberid:mode:r02"]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)

# The same without the numbers that no JSON of ours holds: they are refused before anything is compared.
mild_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e15, 1e15),
    st.text(max_size=40),
)
mild_values = (
    mild_scalars
    | st.lists(mild_scalars, max_size=3)
    | st.dictionaries(st.text(max_size=5), mild_scalars, max_size=2)
)


@st.composite
def changed(draw, document: dict[str, object]) -> dict[str, object]:
    """Return a document with one to four members dropped, replaced or added."""
    changes = dict(document)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(document)) | st.text(max_size=12))
        if draw(st.booleans()):
            changes.pop(name, None)
        else:
            changes[name] = draw(json_values)
    return changes


@st.composite
def mutated(draw, data: bytes) -> bytes:
    """Return the bytes with one to three of them flipped, cut out, put in, doubled or cut off."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        to = draw(st.integers(at, min(len(data), at + 40)))
        what = draw(st.sampled_from(["flip", "cut", "insert", "double", "end"]))
        if what == "flip" and data:
            data = data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :]
        elif what == "cut":
            data = data[:at] + data[to:]
        elif what == "insert":
            data = data[:at] + draw(st.binary(min_size=1, max_size=6)) + data[at:]
        elif what == "double":
            data = data[:to] + data[at:]
        else:
            data = data[:at]
    return data


@st.composite
def mutated_text(draw, text: str) -> str:
    """Return a text, all ASCII, changed as bytes are and read as Latin-1."""
    return draw(mutated(text.encode())).decode("latin-1")
