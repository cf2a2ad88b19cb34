from collections.abc import Callable

from flask import Flask, Response, request

from cyberid_client import Client, Login


def add_login(app: Flask, client: Client, log_in: Callable[[Login], Response]) -> None:
    """Let people log in with the ID; ``log_in`` opens the app's own session and says where to go."""

    @app.post("/login/id")
    def start_login() -> Response:
        ask = client.start_login(return_to=request.form.get("return_to", "/"))
        return Response(status=303, headers=[("Location", ask.url), ("Set-Cookie", ask.set_cookie)])

    @app.get("/callback")
    def finish_login() -> Response:
        query = request.query_string.decode("latin-1")
        handle = request.cookies.get(client.cookie_name_for(query) or "")
        reply = log_in(client.finish_login(query, handle=handle))
        reply.headers.add("Set-Cookie", client.clear_cookie(query))
        return reply
