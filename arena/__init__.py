"""Two network namespaces, a real sshd and a real attacker: for the demo, the attack tests and the benches.

Needs root; what it makes it also removes. Begin with `network.py`, then `host.py` (the door) and `attacker.py`.
"""
