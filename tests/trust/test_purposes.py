from __future__ import annotations

import pytest

from cyberid_client.errors import ConfigurationError
from cyberid_client.trust import TEST_MARK_POLICY, Purpose, PurposeRule, PurposeTable

RULES = PurposeTable.builtin().rules


def test_the_builtin_table_is_the_one_of_the_profile():
    """The object identifiers of the example arc, one purpose each."""
    arc = "1.3.6.1.4.1.32473.1"
    assert {purpose.value: rule.ekus for purpose, rule in RULES.items()} == {
        "assertion": {f"{arc}.1"},
        "metadata": {f"{arc}.2"},
        "credential": {f"{arc}.3"},
        "status": {f"{arc}.4", "1.3.6.1.5.5.7.3.30"},
        "relying_party": {f"{arc}.5"},
    }
    assert f"{arc}.99" == TEST_MARK_POLICY


def test_a_table_names_every_purpose():
    """A table with a purpose missing, or a foreign one, cannot be made."""
    short = {purpose: rule for purpose, rule in RULES.items() if purpose is not Purpose.STATUS}
    for rules in (short, {}, {**RULES, "other": RULES[Purpose.STATUS]}):
        with pytest.raises(ConfigurationError) as caught:
            PurposeTable(rules=rules)
        assert caught.value.code == "config.purposes"


def test_two_purposes_share_nothing_unless_it_is_said(caplog):
    """A shared usage is refused, or allowed by name and then logged."""
    shared = {**RULES, Purpose.METADATA: RULES[Purpose.ASSERTION]}
    with pytest.raises(ConfigurationError) as caught:
        PurposeTable(rules=shared)
    assert caught.value.code == "config.purposes"
    assert PurposeTable(rules=shared, shared_purpose_keys=True).shared_purpose_keys is True
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_flag_without_need_is_not_logged(caplog):
    """The warning is about shared usages, not about the flag."""
    PurposeTable(rules=RULES, shared_purpose_keys=True)
    assert caplog.records == []


def test_a_table_cannot_be_changed_afterwards():
    """The table keeps a copy that nobody can write to."""
    rules = dict(RULES)
    table = PurposeTable(rules=rules)
    rules.clear()
    assert set(table.rules) == set(Purpose)
    with pytest.raises(TypeError):
        table.rules[Purpose.STATUS] = RULES[Purpose.STATUS]


@pytest.mark.parametrize(
    "arguments",
    [
        {"ekus": frozenset()},
        {"ekus": frozenset({"assertion"})},
        {"ekus": frozenset({"1"})},
        {"ekus": frozenset({"1.2.3"}), "policies": frozenset({"1..2"})},
        {"ekus": frozenset({"1.2.3"}), "names": "none"},
        {"ekus": "1.2.3"},
        {"ekus": frozenset({"1.2.3"}), "policies": ["1.2.3"]},
    ],
)
def test_a_rule_has_readable_object_identifiers(arguments):
    """A rule that could never be met, or always, cannot be made."""
    with pytest.raises(ConfigurationError) as caught:
        PurposeRule(**arguments)
    assert caught.value.code == "config.purposes"
