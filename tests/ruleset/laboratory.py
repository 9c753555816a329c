"""What the cases share: they live in networks for documentation, which are no source anywhere else."""

from ipaddress import ip_network

from durward.ruleset.policy import Spoofing

LABORATORY = Spoofing(own_networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))
