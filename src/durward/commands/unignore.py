"""durward unignore: take back an earlier ignore."""

from durward.commands.listing import taking_off

command = taking_off("unignore", undone="ignore", file="ignore.list")
