"""librdkafka, through confluent-kafka."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition, libversion, version
from confluent_kafka.admin import AdminClient

import driver

a = driver.arguments()
NAME = f"librdkafka {libversion()[0]}"
REFUSALS = {KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED,
            KafkaError.UNSUPPORTED_SASL_MECHANISM}
refusals = []


def on_error(error):
    """librdkafka goes on trying after a refusal and tells only this callback why."""
    # An alert of the other side comes as a transport error whose text says so.
    if error.code() in REFUSALS or "SSL alert" in error.str():
        refusals.append(error)


def config(**more):
    c = {
        "bootstrap.servers": a.bootstrap,
        "security.protocol": a.protocol,
        "error_cb": on_error,
        "socket.timeout.ms": 10000,
    }
    if a.mechanism == "OAUTHBEARER":
        c |= {"sasl.mechanism": a.mechanism, "sasl.oauthbearer.method": "oidc",
              "sasl.oauthbearer.token.endpoint.url": a.endpoint,
              "sasl.oauthbearer.client.id": a.user, "sasl.oauthbearer.client.secret": a.password}
        if a.scope:
            c["sasl.oauthbearer.scope"] = a.scope
    elif a.mechanism:
        c |= {"sasl.mechanism": a.mechanism, "sasl.username": a.user, "sasl.password": a.password}
    if a.ca:
        c["ssl.ca.location"] = a.ca
    if a.cert:
        c |= {"ssl.certificate.location": a.cert, "ssl.key.location": a.key}
    return c | more


def until(done, client):
    """Polls the client until done() or a refusal or the end of the time."""
    end = time.monotonic() + a.timeout
    while not done():
        client.poll(0.1)
        if refusals:
            raise KafkaException(refusals[0])
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {a.timeout} s")


def login():
    client = AdminClient(config())
    end, wait = time.monotonic() + a.timeout, 0.1
    while time.monotonic() < end:
        client.poll(0)
        if refusals:
            raise KafkaException(refusals[0])
        try:
            client.list_topics(timeout=wait)  # which does not end with a refusal, so the first ones are short
            return 0
        except KafkaException as e:
            if e.args[0].code() not in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
                raise
        wait = min(2 * wait, 5)
    raise TimeoutError(f"no metadata after {a.timeout} s")


def produce(producer, prefix=b""):
    for value in a.values:
        producer.produce(a.topic, key=value, value=prefix + value, headers={"by": "librdkafka"})
    until(lambda: len(producer) == 0, producer)


def consume(want):
    consumer = Consumer(config(**{"group.id": a.group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                                  "isolation.level": "read_committed"}))
    consumer.subscribe([a.topic])
    got, end = [], time.monotonic() + a.timeout
    while len(got) < len(want):
        if time.monotonic() > end:
            raise TimeoutError(f"{len(got)} of {len(want)} records after {a.timeout} s")
        message = consumer.poll(0.5)
        if message and not message.error():
            got.append(message.value())
    consumer.commit(asynchronous=False)
    consumer.close()
    driver.check(want, got)
    return len(got)


def produce_consume():
    produce(Producer(config(**{"compression.type": "gzip", "enable.idempotence": True})))
    return consume(a.values)


def transaction():
    producer = Producer(config(**{"transactional.id": a.group}))
    producer.init_transactions(a.timeout)
    producer.begin_transaction()
    produce(producer)
    group = Consumer(config(**{"group.id": a.group + "-offsets"}))
    producer.send_offsets_to_transaction([TopicPartition(a.topic, 0, 1)], group.consumer_group_metadata(), a.timeout)
    producer.commit_transaction(a.timeout)
    producer.begin_transaction()
    produce(producer, b"aborted-")
    producer.abort_transaction(a.timeout)
    return consume(a.values)


def stay():
    """Produces one record after the other on the same connections, for as long as it is told to."""
    producer, sent, end = Producer(config()), 0, time.monotonic() + float(a.stay)
    while time.monotonic() < end:
        producer.produce(a.topic, value=f"stay-{sent}")
        until(lambda: len(producer) == 0, producer)
        sent += 1
        time.sleep(0.1)
    return sent


JOBS = {"login": login, "produce-consume": produce_consume, "transaction": transaction, "stay": stay}
try:
    records = JOBS[a.job]()
except KafkaException as e:
    driver.answer(NAME, a.job, "refused" if refusals or e.args[0].code() in REFUSALS else "failed", f"{e.args[0].name()}: {e.args[0].str()}")
except Exception as e:
    driver.answer(NAME, a.job, "failed", e)
driver.answer(NAME, a.job, "accepted", records=records)
