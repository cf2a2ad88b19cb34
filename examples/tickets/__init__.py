"""The example ticket office: real-name tickets with FastAPI, and three ways in."""
