"""The receiver of a bench: takes webhooks at any path but one, at which it takes them and never answers.

`python -m scripts.bench.webhook_receiver` prints its port; at the end of its input it prints what it heard.
"""

import asyncio
import sys
import time

import msgspec

_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_LARGEST = 64 * 1024


class Receiver:
    """Keeps, for each call, when it first heard of it, in seconds since 1970."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.requests = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            body = await reader.readexactly(int(lines[b"Content-Length"]))
            if head.startswith(b"POST /hang"):
                await reader.read()  # until the other side has enough
                return
            at = time.time()
            sid = msgspec.json.decode(body)["data"]["call_sid"]
            self.requests += 1
            self.at.setdefault(sid, at)
            writer.write(_ANSWER)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def serve() -> None:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0, backlog=1024, limit=_LARGEST)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    sys.stdout.buffer.write(msgspec.json.encode({"at": receiver.at, "requests": receiver.requests}))
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
