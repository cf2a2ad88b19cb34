"""Put logins into web frameworks: one neutral half that answers requests, and a thin one for each framework.

* :mod:`cyberid_client.integrations.web`: every endpoint, from ``WebRequest`` to ``WebReply``
* :mod:`cyberid_client.integrations.flask`: translates for Flask; needs the ``[flask]`` extra
* :mod:`cyberid_client.integrations.fastapi`: translates for FastAPI; needs the ``[fastapi]`` extra
"""
