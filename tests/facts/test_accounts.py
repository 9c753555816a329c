"""Names of users and groups become numbers; unknown ones are answered with the nearest."""

import grp
import pwd

import pytest

from durward.facts.accounts import UnknownAccountError, group_id, user_id


def test_names_and_numbers() -> None:
    assert user_id("root") == user_id("0") == 0
    assert user_id("nobody") == pwd.getpwnam("nobody").pw_uid
    assert group_id("mail") == grp.getgrnam("mail").gr_gid
    assert group_id("4294967294") == 4294967294


@pytest.mark.parametrize("name", ["nobodyy", "rooot", "no such user", "a\0b", "", "4294967295", "99999999999"])
def test_unknown_users(name: str) -> None:
    with pytest.raises(UnknownAccountError, match="this host has no user"):
        user_id(name)


def test_the_nearest_is_offered() -> None:
    with pytest.raises(UnknownAccountError) as raised:
        group_id("maill")
    assert raised.value.nearest == "mail"
    with pytest.raises(UnknownAccountError) as raised:
        user_id("zzzzqqqq")
    assert raised.value.nearest == ""
