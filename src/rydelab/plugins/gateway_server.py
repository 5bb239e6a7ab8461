"""LocalStack's HTTP server, bound to the address that it was told.

Its own server takes the port from ``GATEWAY_LISTEN`` and ignores the host (``runtime/server/twisted.py``: "TODO:
interface = host?"), so that it listens on every interface of the machine. It also does not notice a taken port.
"""

from localstack.aws.serving.twisted import TLSMultiplexerFactory
from localstack.config import HostAndPort
from localstack.runtime.server.core import RuntimeServerPlugin
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor, ssl


class LoopbackServer(TwistedRuntimeServer):  # type: ignore[misc]
    """Listens on the host and port of each given address, and on nothing else."""

    def register(self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None) -> None:
        """Bind the addresses of *listen*. Raises CannotListenError if one is taken."""
        site = TwistedGateway(gateway)
        if ssl_creds:
            certificate_file, key_file = ssl_creds
            context = ssl.DefaultOpenSSLContextFactory(key_file, certificate_file)  # type: ignore[no-untyped-call]
            context.getContext().use_certificate_chain_file(certificate_file)  # type: ignore[no-untyped-call]
            site = TLSMultiplexerFactory(context, False, site)
        for address in listen:
            reactor.listenTCP(address.port, site, interface=address.host)  # type: ignore[attr-defined]


class LoopbackServerPlugin(RuntimeServerPlugin):  # type: ignore[misc]
    """Chosen with ``GATEWAY_SERVER=rydelab``."""

    name = "rydelab"

    def load(self, *_arguments: object, **_keywords: object) -> LoopbackServer:
        """Make the server, not yet listening."""
        return LoopbackServer()
