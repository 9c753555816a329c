"""Where SSH is on this host, for decisions about its ports alone: the enforcer may read sshd's own files."""

from durward.config.settings import Settings
from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.engine.policy import Policy
from durward.model import Port

SERVICES = ("sshd", "selinux_ssh")  # whose lines are of the sshd that those files are about


class SshPorts:
    """Asked again whenever the lists are read anew, as on each reconnection: sshd may have been moved since."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self._door = door
        # What somebody wrote into the settings is meant.
        self._known = {
            name: settings.services[name].ports
            for name in SERVICES
            if name in settings.services and not settings.origin(f"services.{name}.ports")
        }

    def into(self, policy: Policy) -> Policy:
        """The policy with the real ports; as it was where the enforcer does not answer."""
        try:
            ports = tuple(Port(number) for number in self._door.ssh_ports())
        except ChannelError:
            return policy
        for name, before in self._known.items():
            if ports and ports != before:
                policy = policy.moved(name, before, ports)
                self._known[name] = ports
        return policy
