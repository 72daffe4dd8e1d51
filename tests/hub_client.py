"""What a person does at a JupyterHub, over HTTP: log in, start a server, use the assignment list, run a cell."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import closing
from typing import Any

import requests
import websocket


class Visitor:
    """One user of the hub at `url`, logged in with a password, with a server of their own once `start` returned."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url, self.name, self.kernel = url, name, ""
        self.web, self.api = requests.Session(), requests.Session()  # the one has cookies, the other a token
        self.web.trust_env = self.api.trust_env = False  # no proxy stands before this machine's own address
        self.web.get(f"{url}/hub/login")
        form = {"username": name, "password": password, "_xsrf": self.web.cookies.get("_xsrf", path="/hub/")}
        self.entered = self.web.post(f"{url}/hub/login", data=form, params={"next": "/hub/home"}).ok
        self.token = self._token(password) if self.entered else ""

    def _token(self, password: str) -> str:
        proof = {"auth": {"username": self.name, "password": password}}
        answer = self.api.post(f"{self.url}/hub/api/users/{self.name}/tokens", json=proof, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"token {self.token}"}
        return self.api.request(method, self.url + path, headers=headers, timeout=120, **options)

    def start(self) -> None:
        """Ask the hub for this user's server."""
        self.ask("POST", f"/hub/api/users/{self.name}/server").raise_for_status()

    def wait(self, seconds: float = 120) -> None:
        """Return when the server answers; say what the hub knows if it does not."""
        end = time.monotonic() + seconds
        while not (known := self.ask("GET", f"/hub/api/users/{self.name}").json())["server"]:
            assert time.monotonic() < end, f"the server of {self.name} did not start: {known}"
            time.sleep(0.2)

    def own(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask this user's own server."""
        return self.ask(method, f"/user/{self.name}/{path}", **options)

    def press(self, button: str, assignment: str) -> Any:
        """Press `fetch`, `submit` or `fetch_feedback` in the assignment list; return the list that comes back."""
        form = {"course_id": "deep-learning-live", "assignment_id": assignment}
        return self._listed(self.own("POST", f"assignments/{button}", data=form))

    def assignments(self) -> Any:
        return self._listed(self.own("GET", "assignments", params={"course_id": "deep-learning-live"}))

    def _listed(self, answer: requests.Response) -> Any:
        answer.raise_for_status()
        found = answer.json()
        assert found["success"], found["value"]
        return found["value"]

    def run(self, code: str, seconds: float = 240) -> str:
        """Run a cell in a kernel of this user's server; return what it printed, and the error that ended it."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        # A connection for each cell: one that nobody reads answers no pings, and the server closes it.
        with closing(
            websocket.create_connection(self._channels(), header=self._proof(), timeout=seconds)
        ) as kernel:
            kernel.send(json.dumps(message))
            return _printed(kernel, header["msg_id"])

    def _channels(self) -> str:
        if not self.kernel:
            made = self.own("POST", "api/kernels")
            made.raise_for_status()
            self.kernel = made.json()["id"]
        server = f"{self.url.replace('http', 'ws', 1)}/user/{self.name}"
        return f"{server}/api/kernels/{self.kernel}/channels?session_id=test"

    def _proof(self) -> list[str]:
        return [f"Authorization: token {self.token}"]

    def close(self) -> None:
        self.web.close()
        self.api.close()


def _printed(kernel: websocket.WebSocket, asked: str) -> str:
    """Return what the cell sent as `asked` printed, once the kernel is idle again."""
    said = ""
    while True:
        message = json.loads(kernel.recv())
        if message["parent_header"].get("msg_id") != asked:
            continue
        content = message["content"]
        said += content.get("text", "") if message["msg_type"] == "stream" else ""
        said += f"{content['ename']}: {content['evalue']}" if message["msg_type"] == "error" else ""
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return said
