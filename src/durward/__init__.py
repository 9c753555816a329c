"""durward, the keeper of the door: decides who may reach a Linux server, explains it, undoes it with one command."""

__version__ = "0.1.0"
