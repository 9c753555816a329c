"""durward disallow: take back an earlier allow."""

from durward.commands.listing import taking_off

command = taking_off("disallow", undone="allow", file="allow.list")
