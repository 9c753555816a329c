"""durward allow: let an address or network pass, whatever its lines say."""

from durward.commands.listing import putting_on

command = putting_on(
    "allow",
    undo="disallow",
    promise="may pass, whatever its lines say",
    help_text="Let SUBJECT pass: it is never blocked, and blocks of networks around it do not touch it.",
)
