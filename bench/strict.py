"""A strict Rekognition of its own for measurements: a token bucket that refuses, and an assumed service time.

    python -m bench.strict PORT TPS [MEDIAN_SECONDS SIGMA]

The service time is log-normal, median 0.3 s and sigma 0.15 unless said otherwise: an assumption, nobody measured AWS here.
GET /n answers {"ok", "refused", "p50", "p95", "first", "last"}, GET /reset begins to count anew.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import time

BUCKET = 3.0
OK_BODY = json.dumps(
    {
        "FaceDetails": [
            {
                "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.4, "Top": 0.2},
                "Confidence": 99.9,
                "Emotions": [{"Type": "HAPPY", "Confidence": 99.0}],
            }
        ]
    }
).encode()
REFUSED_BODY = json.dumps({"__type": "ProvisionedThroughputExceededException", "message": "slow down"}).encode()


class Strict:
    def __init__(self, rate: float, median: float, sigma: float) -> None:
        self.rate, self.median, self.sigma = rate, median, sigma
        self.random = random.Random(7)
        self.tokens, self.at = BUCKET, time.monotonic()
        self.reset()

    def reset(self) -> None:
        self.ok = self.refused = 0
        self.seconds: list[float] = []

    def admit(self) -> bool:
        now = time.monotonic()
        self.tokens = min(BUCKET, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self.answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *headers = head.decode("latin1").split("\r\n")
        length = next((int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:")), 0)
        if length:
            await reader.readexactly(length)
        if line.startswith("GET"):
            if "/reset" in line:
                self.reset()
            self.write(writer, 200, json.dumps(self.figures()).encode())
        elif not self.admit():
            self.write(writer, 400, REFUSED_BODY)
        else:
            seconds = self.median * math.exp(self.random.gauss(0, self.sigma))
            self.seconds.append(seconds)
            self.ok += 1
            await asyncio.sleep(seconds)
            self.write(writer, 200, OK_BODY)
        await writer.drain()

    def figures(self) -> dict[str, float]:
        ordered = sorted(self.seconds) or [0.0]
        return {
            "ok": self.ok,
            "refused": self.refused,
            "p50": ordered[len(ordered) // 2],
            "p95": ordered[int(len(ordered) * 0.95)],
        }

    @staticmethod
    def write(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
            + body
        )


async def main() -> None:
    port, rate, *shape = sys.argv[1:]
    median, sigma = (float(shape[0]), float(shape[1])) if shape else (0.3, 0.15)
    strict = Strict(float(rate), median, sigma)
    server = await asyncio.start_server(strict.serve, "127.0.0.1", int(port), backlog=512, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
