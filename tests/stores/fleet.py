"""Processes of one app behind a load balancer: each has a client, and all have the same stores."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
from contextlib import contextmanager
from functools import partial

from cyberid_client import Client, ClientKey, CyberIDError, RelyingParty, TrustStore
from cyberid_client.aio import AsyncClient

PATIENCE = 60.0
CALLBACK = "https://shop.example/callback"
_CONTEXT = multiprocessing.get_context("spawn")


def registered(issuer):
    """Register the app at a mock issuer and return what its processes need to know."""
    app = issuer.register(client_id="shop", redirect_uri=CALLBACK)
    return {"issuer": issuer.issuer, "key_pem": app.key_pem, "root_pem": issuer.root_pem}


def configured(known):
    return RelyingParty(
        issuer=known["issuer"],
        client_id="shop",
        redirect_uri=CALLBACK,
        key=ClientKey.from_pem(known["key_pem"]),
        trust=TrustStore.for_tests(known["root_pem"]),
    )


def serve(known, openers, pipe):
    """Answer what the balancer sends here, one call after the other."""
    stores = {name: opener() for name, opener in openers.items()}
    client = Client(configured(known), background=False, **stores)
    pipe.send("ready")
    for call, arguments in iter(partial(_received, pipe), None):
        try:
            pipe.send(_answer(call, getattr(client, call)(**arguments)))
        except CyberIDError as error:
            pipe.send(error.code)
    client.close()


def serve_awaiting(known, openers, pipe):
    """The same with a client that is awaited."""

    async def run():
        stores = {name: opener() for name, opener in openers.items()}
        client = AsyncClient(configured(known), background=False, **stores)
        pipe.send("ready")
        for call, arguments in iter(partial(_received, pipe), None):
            try:
                pipe.send(_answer(call, await getattr(client, call)(**arguments)))
            except CyberIDError as error:
                pipe.send(error.code)
        await client.aclose()
        for store in stores.values():
            await store.aclose()

    asyncio.run(run())


def _received(pipe):
    try:
        return pipe.recv()
    except EOFError:
        return None


def _answer(call, result):
    if call == "start_login":
        return result.url, str(result.handle)
    if call == "finish_login":
        return str(result.pseudonym.value), str(result.return_to)
    return None


class Fleet:
    """Give each call to the next process, as a round robin does."""

    def __init__(self, pipes):
        self.pipes = pipes
        self._turns = itertools.cycle(pipes)

    def call(self, call, **arguments):
        """Let the next process answer."""
        pipe = next(self._turns)
        pipe.send((call, arguments))
        return _answered(pipe)

    def all_at_once(self, call, **arguments):
        """Let all processes answer at the same time."""
        for pipe in self.pipes:
            pipe.send((call, arguments))
        return [_answered(pipe) for pipe in self.pipes]


def _answered(pipe):
    if not pipe.poll(PATIENCE):
        message = "a process of the fleet gave no answer"
        raise AssertionError(message)
    return pipe.recv()


@contextmanager
def running_fleet(known, openers, *, size, works=serve):
    """Start processes and end them with the block."""
    pairs = [_CONTEXT.Pipe() for _ in range(size)]
    processes = [
        _CONTEXT.Process(target=works, args=(known, openers, theirs), daemon=True) for _, theirs in pairs
    ]
    try:
        for process, (_, theirs) in zip(processes, pairs, strict=True):
            process.start()
            theirs.close()
        for ours, _ in pairs:
            assert "ready" == _answered(ours)
        yield Fleet([ours for ours, _ in pairs])
    finally:
        for ours, _ in pairs:
            ours.close()
        for process in processes:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
