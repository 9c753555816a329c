"""How we tell people: one card per channel, and the code that sends.

To add one: write `NAME.toml` (title, why, the kinds of alerts that it takes, settings) and `NAME.py` with a function
`send(message, settings, place)` that raises UndeliveredError when it fails. Budget, digest, quiet hours, retries and
the test button come by themselves. What is not our own words in a message comes from attackers: see
`messages/inert.py`.
"""
