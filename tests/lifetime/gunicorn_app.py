"""A tiny shop that logs in *before* gunicorn forks its workers; loaded by path, with ``--preload``."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

from flask import Flask, Response, redirect, request

from cyberid_client import CyberIDError

shared = runpy.run_path(str(Path(os.environ["SHOP_DIRECTORY"]) / "shop_process.py"))
client = shared["make_client"](shared["read_config"](os.environ["SHOP_CONFIG"]))
# Metadata, connections, the cache and the refresher are all in use when the workers are forked.
shared["log_in"](client)

app = Flask("shop")


@app.get("/login")
def login() -> Response:
    started = client.start_login(return_to="/cart")
    response = redirect(started.url)
    response.headers["Set-Cookie"] = started.set_cookie
    response.headers["X-Worker"] = str(os.getpid())
    return response


@app.get("/callback")
def callback() -> dict[str, object]:
    name = client.cookie_name_for(request.url)
    try:
        finished = client.finish_login(request.url, handle=request.cookies.get(name or ""))
    except CyberIDError as error:
        return {"worker": os.getpid(), "code": error.code}
    return {"worker": os.getpid(), "pseudonym": finished.pseudonym.value, "return_to": finished.return_to}
