"""durward ignore: do not count what an address's lines say."""

from durward.commands.listing import putting_on

command = putting_on(
    "ignore",
    undo="unignore",
    promise="is not counted, whatever its lines say",
    ports=False,  # a line counts or it does not, whichever port it is about
    help_text="Do not count what SUBJECT's lines say. What refuses it already goes on refusing it.",
)
