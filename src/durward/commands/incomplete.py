"""What works less well than it could as it is set: channels of alerts, logs without proof of who wrote them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from durward.alerts import apprise, hook
from durward.catalog.alert_card import AlertCard
from durward.catalog.shelf import load_alerts
from durward.config.loading import Loaded
from durward.messages.channel import Place, UndeliveredError
from durward.scan.twins import SYSLOG_FILES

FILES = ("password_file", "secret_file", "ca_file")


def incomplete(channels: Mapping[str, Mapping[str, Any]], etc: Path) -> list[str]:
    """What is missing, a line for each. `channels` are the settings below [alerts]."""
    place = Place("", str(etc), {}, "")
    found: list[str] = []
    for card in load_alerts():
        values = channels[card.id]
        if values["enabled"]:
            found += [f"alerts by {card.id}: {what}" for what in _missing(card, values, place)]
    return found


def unproven(loaded: Loaded) -> Iterator[str]:
    """Services of which the journal, which knows who wrote a line, is not read although they write to it."""
    if loaded.settings.sources.untrusted_syslog == "count":
        return
    for card in loaded.services:
        values = loaded.settings.services[card.id]
        files = [path for path in values.files if path.rpartition("/")[2] in SYSLOG_FILES]
        if card.reads.journal and not values.journal and files:
            yield f"services.{card.id}: any account here may write to {files[0]} in its name, and journal = [] is set"


def _missing(card: AlertCard, values: Mapping[str, Any], place: Place) -> Iterator[str]:
    if not card.is_on(values):
        if not card.settings["enabled"].default:  # the others are on by themselves, and wait for what they need
            yield f"nobody is told until {' or '.join(card.needs)} is set"
        return
    if not values.get("to", True):
        yield "nobody is named in `to`"
    if values.get("user") and not values.get("password_file"):
        yield "`user` is set and `password_file` is not"
    for name in FILES:
        if values.get(name) and not os.access(place.path(values[name]), os.F_OK):
            yield f"{name}: {place.path(values[name])} is not there"
    if card.id == "hook":
        yield from _untrusted(values, place)
    if card.id == "apprise":
        yield from _without_apprise(values, place)


def _untrusted(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    for name in hook.PROGRAMS:
        if values[name]:
            try:
                hook.check_trusted(place.path(values[name]))
            except UndeliveredError as error:
                yield f"{name}: {error}"


def _without_apprise(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    if not values["program"] and apprise.find() is None:
        yield apprise.MISSING
    if not os.access(place.path(values["config"]), os.F_OK):
        yield f"config: {place.path(values['config'])} is not there; it holds the URLs, one a line"
