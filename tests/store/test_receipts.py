"""Receipts can be read out over the telephone and typed back."""

from durward.store.receipts import ALPHABET, draw_receipt, parse_receipt


def test_a_receipt_is_two_groups_of_four_letters() -> None:
    drawn = {draw_receipt() for _ in range(1000)}
    assert len(drawn) == 1000
    assert {len(receipt) for receipt in drawn} == {9}
    assert set("".join(drawn)) == set(ALPHABET) | {"-"}
    assert all(parse_receipt(receipt) == receipt for receipt in drawn)


def test_what_people_type_is_understood() -> None:
    assert parse_receipt(" k7qm2xfd ") == "K7QM-2XFD"
    assert parse_receipt("oIlm-2xfd") == "011M-2XFD"


def test_what_is_no_receipt_is_none() -> None:
    for text in ("", "K7QM", "K7QM-2XFDX", "K7QM-2XFU", "203.0.113.9", "K7QM-2XF\u0663"):
        assert parse_receipt(text) is None
