"""Every error code that is raised is in the catalogue, and every code in the catalogue is raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.loading import ENVIRONMENT

FAMILIES = {entry.family for entry in CATALOGUE.values()}

# Codes of these documents may be put together from the document's name and a rule's: f"{document}.type".
DOCUMENTS = frozenset(
    {
        "app_result",
        "callback",
        "credential",
        "discovery",
        "id_token",
        "jarm",
        "jwks",
        "key_binding",
        "logout_token",
        "metadata",
        "par",
        "receipt",
        "presentation",
        "security_event",
        "status_aggregation",
        "status_list",
        "token",
    }
)


def raised(tree: ast.Module) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield (class, pattern of codes) for every error that is made with a literal or an f-string."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=family), args=[ast.expr() as code, *_]) if family in FAMILIES:
                if (pattern := _pattern(code)) is not None:
                    yield family, pattern


def _pattern(code: ast.expr) -> re.Pattern[str] | None:
    match code:
        case ast.Constant(value=str(text)):
            return re.compile(re.escape(text))
        case ast.JoinedStr(values=parts):
            return re.compile(
                "".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else "[a-z_.]+" for part in parts
                )
            )
    return None


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield every string literal, also the fixed parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_raised_code_is_in_the_catalogue_for_its_class(trees):
    """An error is made only with a code that the catalogue lists for exactly its class."""
    wrong = [
        f"{module}: {family} {pattern.pattern}"
        for module, tree in trees.items()
        for family, pattern in raised(tree)
        if not any(pattern.fullmatch(code) and entry.family == family for code, entry in CATALOGUE.items())
    ]
    assert [] == wrong


def test_every_code_in_the_catalogue_can_be_raised(trees):
    """A code that nothing in the source can make is no code."""
    written = {
        text for module, tree in trees.items() if not module.endswith("error_codes") for text in texts(tree)
    }
    unused = []
    for code in CATALOGUE:
        document, _, rule = code.partition(".")
        put_together = document in DOCUMENTS & written and {rule, f".{rule}"} & written
        if code not in written and not put_together:
            unused.append(code)
    assert [] == unused


def test_whatever_looks_like_a_code_is_one(trees):
    """A code that stands in a table or an argument is in the catalogue too."""
    prefixes = {code.partition(".")[0] for code in CATALOGUE}
    shape = re.compile(rf"({'|'.join(sorted(prefixes))})\.[a-z_]+")
    # Names of settings have the same shape, and where they stand in a table they are listed.
    settings = {variable.setting for variable in ENVIRONMENT}
    # So has the file that the demonstration's app writes its log to.
    settings |= {"app.log"}
    wrong = [
        f"{module}: {text}"
        for module, tree in trees.items()
        if not module.startswith("cyberid_client.testing.")  # names of faults have the same shape
        for text in texts(tree)
        if shape.fullmatch(text) and text not in CATALOGUE and text not in settings
    ]
    assert [] == wrong


def test_codes_have_one_shape():
    """A code is two words with a dot, so that it can be searched for."""
    assert [] == [code for code in CATALOGUE if not re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", code)]


def test_sentences_are_whole_and_fixed():
    """A message is one sentence without a place for a value."""
    wrong = [
        code for code, entry in CATALOGUE.items()
        if not entry.sentence[0].isupper() or not entry.sentence.endswith(".") or set("{}%") & set(entry.sentence)
    ]  # fmt: skip
    assert [] == wrong
