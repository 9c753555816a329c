"""How to read an open descriptor: log files, the journal.

Nothing here opens a file by its path: an Opener (`opening.py`) hands out descriptors. A source gives Blocks
(`block.py`) of whole lines, each line once, and Positions from which a later engine goes on.
"""
