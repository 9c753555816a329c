"""durward start: put the firewall back that `durward stop` took away."""

from durward.commands import apply

command = apply.command
