"""kafka-python."""

import logging
import time

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.structs import OffsetAndMetadata

import driver

a = driver.arguments()
NAME = f"kafka-python {kafka.__version__}"


class Tokens(AbstractTokenProvider):
    def token(self):
        return driver.token(a)


def config(**more):
    c = {"bootstrap_servers": a.bootstrap.split(","), "security_protocol": a.protocol}
    if a.mechanism == "OAUTHBEARER":
        c |= {"sasl_mechanism": a.mechanism, "sasl_oauth_token_provider": Tokens()}
    elif a.mechanism:
        c |= {"sasl_mechanism": a.mechanism, "sasl_plain_username": a.user, "sasl_plain_password": a.password}
    if a.ca:
        c["ssl_cafile"] = a.ca
    if a.cert:
        c |= {"ssl_certfile": a.cert, "ssl_keyfile": a.key}
    return c | more


def login():
    consumer = KafkaConsumer(**config(bootstrap_timeout_ms=10000))
    consumer.topics()
    consumer.close()
    return 0


def produce(producer, prefix=b""):
    sent = [producer.send(a.topic, key=v, value=prefix + v, headers=[("by", b"kafka-python")]) for v in a.values]
    for record in sent:
        record.get(timeout=a.timeout)


def consume(want):
    consumer = KafkaConsumer(a.topic, **config(group_id=a.group, auto_offset_reset="earliest", enable_auto_commit=False,
                                               isolation_level="read_committed"))
    got, end = [], time.monotonic() + a.timeout
    while len(got) < len(want):
        if time.monotonic() > end:
            raise TimeoutError(f"{len(got)} of {len(want)} records after {a.timeout} s")
        for records in consumer.poll(timeout_ms=500).values():
            got += [r.value for r in records]
    consumer.commit()
    consumer.close()
    driver.check(want, got)
    return len(got)


def produce_consume():
    produce(KafkaProducer(**config(compression_type="gzip")))
    return consume(a.values)


def transaction():
    producer = KafkaProducer(**config(transactional_id=a.group))
    producer.init_transactions()
    producer.begin_transaction()
    produce(producer)
    producer.send_offsets_to_transaction({TopicPartition(a.topic, 0): OffsetAndMetadata(1, "", -1)}, a.group + "-offsets")
    producer.commit_transaction()
    producer.begin_transaction()
    produce(producer, b"aborted-")
    producer.abort_transaction()
    return consume(a.values)


def is_refusal(error):
    # What TLS said has become the text of a connection error.
    return isinstance(error, (errors.SaslAuthenticationFailedError, errors.UnsupportedSaslMechanismError)) or "[SSL:" in str(error)


def is_disconnect(error):
    return "socket disconnected" in str(error)


def stay():
    """Produces one record after the other on the same connections, for as long as it is told to."""
    producer, sent, end = KafkaProducer(**config()), 0, time.monotonic() + float(a.stay)
    while time.monotonic() < end:
        producer.send(a.topic, value=f"stay-{sent}".encode()).get(timeout=a.timeout)
        sent += 1
        time.sleep(0.1)
    return sent


JOBS = {"login": login, "produce-consume": produce_consume, "transaction": transaction, "stay": stay}
disconnects = []


def disconnected(error):
    disconnects.append(error)
    if a.job == "login" and len(disconnects) == 6:
        driver.answer(NAME, a.job, "disconnected", error)


log = logging.getLogger("kafka")
log.addHandler(driver.Refusals(is_refusal, lambda e: driver.answer(NAME, a.job, "refused", e)))
log.addHandler(driver.Refusals(is_disconnect, disconnected))
try:
    records = JOBS[a.job]()
except Exception as e:
    # kafka-python drops an answer that it reads together with the end of the connection, and reports the end alone.
    driver.answer(NAME, a.job, "refused" if is_refusal(e) else "disconnected" if disconnects else "failed", e)
driver.answer(NAME, a.job, "accepted", records=records)
