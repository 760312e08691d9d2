"""paho-mqtt: MQTT 3.1, 3.1.1 and 5, over TCP, TLS and WebSocket. See ../mqtt/README.md."""

import base64
import ssl
import threading
from urllib.parse import urlsplit

import paho.mqtt
import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes

import driver

a = driver.arguments()
NAME = f"paho-mqtt {paho.mqtt.__version__}"
VERSIONS = {"3": mqtt.MQTTv31, "4": mqtt.MQTTv311, "5": mqtt.MQTTv5}
# Refused for what the client proves or is: MQTT 3.1.1 table 3.1, MQTT 5 table 3-1.
REFUSALS = {"Bad user name or password", "Not authorized", "Client identifier not valid", "Bad authentication method"}


class Refused(Exception):
    pass


class Ended(ConnectionError):
    """How the server ended a connection that had been good."""


def client():
    url = urlsplit(a.url)
    c = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=a.id, protocol=VERSIONS[a.version],
                    transport="websockets" if url.scheme.startswith("ws") else "tcp", reconnect_on_failure=False)
    if a.user or a.password:
        c.username_pw_set(a.user or None, a.password or None)
    if url.scheme in ("mqtts", "wss"):
        c.tls_set(a.ca, a.cert or None, a.key or None)
    if url.scheme.startswith("ws"):
        headers = {}
        if a.basic:
            headers["Authorization"] = "Basic " + base64.b64encode(a.basic.encode()).decode()
        if a.bearer:
            headers["Authorization"] = "Bearer " + a.bearer
        c.ws_set_options(url.path or "/", headers or None)
    return c, url


def connect(on_message=None):
    """Connects, or raises what was wrong."""
    c, url = client()
    told, said = threading.Event(), []

    def say(what):
        said.append(what)
        told.set()

    c.on_connect = lambda c, u, flags, reason, properties: say(reason)
    c.on_disconnect = lambda c, u, flags, reason, properties: say(ConnectionError(str(reason)))
    c.on_message = on_message
    c.connect(url.hostname, url.port, keepalive=60)
    c.loop_start()
    if not told.wait(a.timeout):
        raise TimeoutError("no CONNACK")
    if isinstance(said[0], Exception):
        raise said[0]
    if said[0].is_failure:
        raise (Refused if str(said[0]) in REFUSALS else ConnectionError)(str(said[0]))
    return c


def login():
    c = connect()
    c.disconnect()
    return 0


def exchange():
    got, done = [], threading.Event()

    def on_message(c, u, message):
        got.append(message.payload)
        if len(got) == 3 * a.count:
            done.set()

    c = connect(on_message)
    subscribed = threading.Event()
    c.on_subscribe = lambda *ignored: subscribed.set()
    c.subscribe(a.topic, qos=2)
    if not subscribed.wait(a.timeout):
        raise TimeoutError("no SUBACK")
    properties = None
    if a.version == "5":
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [("by", "paho-mqtt")]
    want = [f"{qos}-{i}".encode() for qos in (0, 1, 2) for i in range(a.count)]
    for value in want:
        c.publish(a.topic, value, qos=int(value[:1]), properties=properties)
    if not done.wait(a.timeout):
        raise TimeoutError(f"{len(got)} of {len(want)} messages")
    c.disconnect()
    if sorted(got) != sorted(want):
        raise ValueError(f"other messages came: {got[:3]}")
    return len(got)


def listen():
    got, subscribed, ended, codes = [], threading.Event(), threading.Event(), []

    def on_disconnect(c, u, flags, reason, properties):
        codes.append(reason.value if flags.is_disconnect_packet_from_server else 0)
        ended.set()

    c = connect(lambda c, u, message: got.append(message.payload.decode()))
    c.on_disconnect = on_disconnect
    c.on_subscribe = lambda *ignored: subscribed.set()
    c.subscribe(a.topic, qos=0)
    if not subscribed.wait(a.timeout):
        raise TimeoutError("no SUBACK")
    driver.ready(a)
    if not ended.wait(a.timeout):
        raise TimeoutError("the server has not ended the connection")
    driver.answer(NAME, a.job, "disconnected", Ended(f"ended with {codes[0]:#04x} after {got[-1] if got else ''}"), len(got))


try:
    records = {"login": login, "exchange": exchange, "listen": listen}[a.job]()
except (Refused, ssl.SSLError, mqtt.WebsocketConnectionError) as e:
    driver.answer(NAME, a.job, "refused", e)
except ConnectionError as e:
    driver.answer(NAME, a.job, "disconnected", e)
except Exception as e:
    driver.answer(NAME, a.job, "failed", e)
driver.answer(NAME, a.job, "accepted", records=records)
