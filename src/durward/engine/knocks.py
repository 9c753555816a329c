"""Whether an authorised knock counts: who signed it, when, for whom. Only its nonce is asked about elsewhere."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from durward.config.knock_keys import KnockKey
from durward.model import Address
from durward.model.knock import InvalidKnockError, Knock, host_name, read_knock

WINDOW_SECONDS = 60.0  # that the sender's clock may differ from ours
NONCE_SECONDS = 2 * WINDOW_SECONDS  # after which no clock within the window would let a knock pass again
NAMES_MAX = 16  # that a knock may be signed for; each costs a verification, so further ones are not tried

Verify = Callable[[bytes, bytes, bytes], bool]  # public key, signature, message

DAMAGED = "no knock at all"
UNKNOWN_KEY = "signed by a key that is not in knock_keys"
TOO_OLD, TOO_NEW = "made more than a minute ago, or our clock is wrong", "made in the future, or our clock is wrong"
FOR_OTHERS = "for another address than the sender's, by a key without opens-for-others"
NOT_SIGNED = "with a signature that does not fit: changed on the way, or made for a host of another name"
REPLAYED = "sent a second time"
TOO_MANY = "more than can be remembered within two minutes"
NOT_WRITTEN = "not remembered, because the database cannot be written"
NO_LIBRARY = "not verified, because libcrypto does not work"
REFUSALS = (
    DAMAGED, UNKNOWN_KEY, TOO_OLD, TOO_NEW, FOR_OTHERS, NOT_SIGNED, REPLAYED, TOO_MANY, NOT_WRITTEN, NO_LIBRARY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accepted:
    """A knock that counts, if its nonce was never used, and the key that signed it."""

    knock: Knock
    key: KnockKey


class KnockRefusedError(ValueError):
    """A knock that does not count; `reason` is one of REFUSALS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def judge(
    datagram: bytes,
    source: Address,
    names: Iterable[str],
    keys: Mapping[bytes, KnockKey],
    *,
    now: float,
    verify: Verify,
) -> Accepted:
    """What a datagram from `source` says, if it counts at `now` (epoch seconds). Raises KnockRefusedError.

    `names` are those by which this host may be called; `keys` are by their ids. What costs least is asked first.
    """
    try:
        knock, signature = read_knock(datagram)
    except InvalidKnockError:
        raise KnockRefusedError(DAMAGED) from None
    key = keys.get(knock.key_id)
    if key is None:
        raise KnockRefusedError(UNKNOWN_KEY)
    age_seconds = now - knock.sent_at / 1000
    if abs(age_seconds) > WINDOW_SECONDS:
        raise KnockRefusedError(TOO_OLD if age_seconds > 0 else TOO_NEW)
    if knock.address != source and not key.opens_for_others:
        raise KnockRefusedError(FOR_OTHERS)
    if not any(verify(key.public, signature, knock.signed_for(name)) for name in names):
        raise KnockRefusedError(NOT_SIGNED)
    return Accepted(knock, key)


def names_of(hostname: str, more: Iterable[str]) -> tuple[str, ...]:
    """The names by which this host may be called: its own, that without its domain, and those in the settings."""
    found = []
    for name in (hostname, hostname.partition(".")[0], *more):
        try:
            found.append(host_name(name))
        except ValueError:
            continue  # `durward check` tells of it
    return tuple(dict.fromkeys(found))[: NAMES_MAX - 1]
