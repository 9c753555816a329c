"""A client and a server on one cable, and for forwarding a router between them, all with documentation addresses."""

from tests.kernel.namespaces import Host, Namespace, join

SERVER, SERVER6 = "192.0.2.1", "2001:db8:1::1"
CLIENT, CLIENT6 = "192.0.2.2", "2001:db8:1::2"
FREE, FREE6 = "192.0.2.250", "2001:db8:f::1"  # never blocked
# Behind the client: sources in networks of their own.
FAR = ("198.51.100.1", "198.51.100.130", "198.51.100.255", "10.20.1.1", "203.0.113.9")
FAR6 = ("2001:db8:2::1", "2001:db8:2:0:ffff::1", "2001:db8:2:1::1", "2001:db8:3::1")
BEYOND, BEYOND6 = "203.0.113.100", "2001:db8:b::1"  # the server behind the router


class Pair:
    """`client` and `server`, with FAR and FAR6 on the client too."""

    def __init__(self) -> None:
        self.client, self.server = Namespace(), Namespace()
        join(self.client, "near", self.server, "outer")
        self.client.address("near", f"{CLIENT}/24", f"{FREE}/24", f"{CLIENT6}/64")
        self.client.address(
            "lo", *(f"{address}/32" for address in FAR), *(f"{address}/128" for address in (*FAR6, FREE6))
        )
        self.server.address("outer", f"{SERVER}/24", f"{SERVER6}/64")
        self.server.knows("outer", self.client.hardware("near"), CLIENT, FREE, CLIENT6)
        self.client.knows("near", self.server.hardware("outer"), SERVER, SERVER6)
        self.server.ip(f"route add default via {CLIENT}")
        self.server.ip(f"-6 route add default via {CLIENT6}")
        self.host = Host(self.server)

    def close(self) -> None:
        self.host.close()
        self.client.close()
        self.server.close()

    def passes(self, *sources: str, port: int = 5000) -> list[str]:
        """Which of `sources`, all of one family, reach the server."""
        if ":" in sources[0]:
            return self.host.arrivals(self.client, list(sources), SERVER6, FREE6, port)
        return self.host.arrivals(self.client, list(sources), SERVER, FREE, port)


class Trio(Pair):
    """The same with the server as a router, and a third host behind it that gets what is forwarded."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Namespace()
        join(self.server, "inner", self.inner, "upward")
        self.server.address("inner", "203.0.113.99/31", "2001:db8:b::2/64")
        self.inner.address("upward", "203.0.113.98/31", f"{BEYOND}/32", f"{BEYOND6}/64")
        self.server.run(
            "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"
        )
        self.server.knows("inner", self.inner.hardware("upward"), "203.0.113.98", BEYOND6)
        self.server.ip(f"route add {BEYOND}/32 via 203.0.113.98")
        self.inner.knows("upward", self.server.hardware("inner"), "203.0.113.99", "2001:db8:b::2")
        self.inner.ip("route add default via 203.0.113.99")
        self.inner.ip("-6 route add default via 2001:db8:b::2")
        self.client.ip(f"route add {BEYOND}/32 via {SERVER}")
        self.client.ip(f"-6 route add {BEYOND6}/128 via {SERVER6}")
        self.beyond = Host(self.inner)

    def close(self) -> None:
        self.beyond.close()
        self.inner.close()
        super().close()

    def forwarded(self, *sources: str) -> list[str]:
        """Which of `sources`, all of one family, reach the host behind the router."""
        if ":" in sources[0]:
            return self.beyond.arrivals(self.client, list(sources), BEYOND6, FREE6)
        return self.beyond.arrivals(self.client, list(sources), BEYOND, FREE)
