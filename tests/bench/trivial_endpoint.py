"""An HTTP server that accepts every ride at once, in a process of its own: ``python -m tests.bench.trivial_endpoint``.

It prints its URL on one line, and serves until it is killed.
"""

import asyncio
import json
import uuid


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, whatever they are, until it is closed."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, length = head.partition(b"content-length:")
            await reader.readexactly(int(length.split(b"\r\n", 1)[0] or 0))
            body = json.dumps({"RideId": str(uuid.uuid4())}).encode()
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()


async def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}/ride", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
