"""What the Python drivers share: see ../README.md for the jobs, the arguments and the answer."""

import base64
import json
import logging
import os
import sys
import urllib.parse
import urllib.request


class Arguments:
    """JOB NAME=VALUE…; an argument that was not given is empty."""

    def __init__(self, words):
        self.job = words[0]
        self.given = dict(word.split("=", 1) for word in words[1:])
        self.count = int(self.given.get("count", "10"))
        self.timeout = float(self.given.get("timeout", "60"))

    def __getattr__(self, name):
        return self.given.get(name, "")

    @property
    def values(self):
        """What to produce."""
        return [f"{self.group}-{i}".encode() for i in range(self.count)]


def arguments():
    """Those of the command line, or else of each line of standard input: that has a fork do it, which has loaded the
    client and has otherwise nothing of the jobs before."""
    if len(sys.argv) > 1:
        return Arguments(sys.argv[1:])
    for line in sys.stdin:
        if not (child := os.fork()):
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            return Arguments(line.rstrip("\n").split("\t"))
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"a job ended with status {status:#x}")
    sys.exit()


def token(a):
    """A token by the client credentials grant, for clients that leave fetching one to the application."""
    form = {"grant_type": "client_credentials"} | ({"scope": a.scope} if a.scope else {})
    client = ":".join(urllib.parse.quote(part, safe="") for part in (a.user, a.password))
    request = urllib.request.Request(a.endpoint, urllib.parse.urlencode(form).encode(),
                                     {"Authorization": "Basic " + base64.b64encode(client.encode()).decode()})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["access_token"]


def ready(a):
    """Makes the file that says that the client is at work."""
    if a.ready:
        open(a.ready, "w").close()


def check(want, got):
    """Raises unless exactly the values that were produced came back, in whatever order."""
    if sorted(want) != sorted(got):
        raise ValueError(f"produced {len(want)} records and consumed {len(got)} others: {got[:3]}")


def answer(client, job, outcome, error=None, records=0):
    """Prints the one line and ends the process: some clients keep threads that would not let it end."""
    print(json.dumps({
        "client": client,
        "job": job,
        "outcome": outcome,
        "error": type(error).__name__ if isinstance(error, Exception) else str(error or ""),
        "message": str(error or "")[:300],
        "records": records,
    }), flush=True)
    os._exit(0)


class Refusals(logging.Handler):
    """Catches the refusals that a client only logs: kafka-python goes on trying, aiokafka raises that there is no server.

    is_refusal judges an exception of a log record; told is called with the first that it says yes to.
    """

    def __init__(self, is_refusal, told):
        super().__init__()
        self.is_refusal, self.told = is_refusal, told

    def emit(self, record):
        for arg in record.args or ():
            while isinstance(arg, BaseException):
                if self.is_refusal(arg):
                    self.told(arg)
                    return
                arg = arg.__cause__ or arg.__context__
