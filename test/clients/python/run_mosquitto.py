"""mosquitto_pub and mosquitto_sub: MQTT 3.1, 3.1.1 and 5, over TCP and TLS. See ../mqtt/README.md."""

import subprocess
from urllib.parse import urlsplit

import driver

NAME = subprocess.run(["mosquitto_pub", "--version"], capture_output=True, text=True).stdout.split(" running")[0]
a = driver.arguments()
VERSIONS = {"3": "mqttv31", "4": "mqttv311", "5": "mqttv5"}
REFUSALS = ("not authorised", "Not authorized", "bad user name or password", "Bad User Name or Password", "identifier rejected",
            "A TLS error occurred", "SSL")


def options(role):
    url = urlsplit(a.url)
    all = ["-V", VERSIONS[a.version], "-h", url.hostname, "-p", str(url.port), "-t", a.topic, "-i", a.id + role]
    if a.user:
        all += ["-u", a.user]
    if a.password:
        all += ["-P", a.password]
    if url.scheme == "mqtts":
        all += ["--cafile", a.ca]
        if a.cert:
            all += ["--cert", a.cert, "--key", a.key]
    return all


def publish(qos, *how, lines=()):
    return subprocess.run(["mosquitto_pub", *options("-p"), "-q", str(qos), *how], input="".join(f"{l}\n" for l in lines),
                          capture_output=True, text=True, timeout=a.timeout)


def fail(run):
    said = (run.stderr + run.stdout).strip()
    if any(r in said for r in REFUSALS):
        driver.answer(NAME, a.job, "refused", said)
    # "Protocol error" is its word for an alert that comes after the handshake, as those about certificates do in TLS 1.3.
    ended = any(r in said for r in ("lost", "closed", "Protocol error"))
    driver.answer(NAME, a.job, "disconnected" if ended else "failed", said or run.returncode)


def login():
    run = publish(1, "-m", "hello")
    if run.returncode != 0 or run.stderr:
        fail(run)
    return 0


def exchange():
    sub = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", *options("-s"), "-q", "2", "-d", "-C", str(3 * a.count), "-W", str(int(a.timeout))],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in sub.stdout:
        if line.startswith("Subscribed"):
            break
    want = [[f"{qos}-{i}" for i in range(a.count)] for qos in (0, 1, 2)]
    for qos, values in enumerate(want):
        run = publish(qos, "-l", lines=values)
        if run.returncode != 0:
            sub.kill()
            fail(run)
    said, _ = sub.communicate(timeout=a.timeout)
    got = [line for line in said.splitlines() if line[:2] in ("0-", "1-", "2-")]
    if sorted(got) != sorted(sum(want, [])):
        raise ValueError(f"other messages came: {said[-300:]}")
    return len(got)


try:
    records = {"login": login, "exchange": exchange}[a.job]()
except Exception as e:
    driver.answer(NAME, a.job, "failed", e)
driver.answer(NAME, a.job, "accepted", records=records)
