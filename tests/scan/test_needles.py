"""What is looked for stands in every line that the rule fits, however the program spells its records."""

import pytest

from durward.scan.grammar import PatternError, parse
from durward.scan.needles import needles_of


def needles(envelope: str, **fields: str) -> set[bytes]:
    return set(needles_of(envelope, [(name, parse(text)) for name, text in fields.items()]))  # type: ignore[arg-type]


def test_a_status_or_a_method_stands_between_known_bytes() -> None:
    assert needles("access", status="(?:401|403)") >= {b" 401 ", b" 403 ", b'":401', b'":"403"'}
    assert needles("access", method="POST", status="{number}") == {
        b'"POST ',
        b"- POST http",
        b" POST /",
        b'":"POST"',
        b'": "POST"',
    }


def test_the_field_that_is_in_the_fewest_lines_is_looked_for() -> None:
    assert needles("access", status="200", target="{text}/wp-login\\.php{text}") == {b"/wp-login.php"}


def test_in_json_only_what_no_program_escapes() -> None:
    assert needles("json", msg="{text}/admin/users <{text}> denied{text}") <= {
        b"users",
        b"admin",
        b"denied",
        b"> denied",
    }
    assert needles("json", msg="login denied\\.") == {b"login denied."}
    assert needles("json", status="401") == {b":401", b" 401", b'"401'}


@pytest.mark.parametrize("fields", [{"target": "{text}"}, {"target": "/a{text}"}, {"msg": "<é>{text}"}])
def test_a_rule_without_any_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(PatternError):
        needles("json" if "msg" in fields else "access", **fields)
