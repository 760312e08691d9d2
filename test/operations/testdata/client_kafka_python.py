"""NAME=VALUE… (VERB NAMES WITH)…: prints the outcome of each, as kafka-python sees it; kafka_clients_test.go has the verbs."""

import logging
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, TopicAuthorizationFailedError

PATIENCE = 60
PARTITIONS = 3
jobs = [a for a in sys.argv[1:] if "=" not in a]
given = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)


class Told(logging.Handler):
    """A consumer logs that a topic is not for it, and its poll may never hear of it."""

    refused = False

    def emit(self, record):
        self.refused = self.refused or "is not authorized for this client" in record.getMessage()


told = Told()
logging.getLogger("kafka.cluster").addHandler(told)


def config(**more):
    c = {"bootstrap_servers": given["bootstrap"], "ssl_cafile": given["ca"], "security_protocol": "SSL"}
    if "cert" in given:
        c |= {"ssl_certfile": given["cert"], "ssl_keyfile": given["key"]}
    else:
        c |= {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-256", "sasl_plain_username": given["user"], "sasl_plain_password": given["password"]}
    return c | more


def outcome(error):
    return f"{error.errno} {error.message}" if getattr(error, "errno", -1) > 0 else repr(error)


def send(producer, topics):
    all_of = []
    for topic in topics:
        got = set()
        for partition in range(PARTITIONS):
            try:
                producer.send(topic, b"kafka-python", partition=partition).get(timeout=PATIENCE)
                got.add("allowed")
            except KafkaError as e:
                got.add(outcome(e))
        all_of.append("/".join(sorted(got)))
    return ", ".join(all_of)


def produce(topics, _):
    producer = KafkaProducer(**config())
    try:
        return send(producer, topics)
    finally:
        producer.close(timeout=PATIENCE)


def transaction(topics, transactional_id):
    producer = KafkaProducer(**config(transactional_id=transactional_id))
    try:
        producer.init_transactions()
        producer.begin_transaction()
        outcomes = send(producer, topics)
        if outcomes == "allowed":
            producer.commit_transaction()
        else:
            producer.abort_transaction()
        return outcomes
    finally:
        producer.close(timeout=PATIENCE)


def read(group, **what):
    consumer = KafkaConsumer(**config(group_id=group, auto_offset_reset="earliest", enable_auto_commit=False))
    told.refused = False
    consumer.subscribe(**what)
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            for partition in consumer.poll(timeout_ms=500):
                consumer.commit()
                return partition.topic
            if told.refused:
                raise TopicAuthorizationFailedError()
        raise TimeoutError("nothing came")
    finally:
        consumer.close(autocommit=False)


def consume(topics, group):
    read(group, topics=topics)
    return "allowed"


def pattern(expressions, group):
    return read(group, pattern=expressions[0])


def list_topics(topics, _):
    consumer = KafkaConsumer(**config())
    try:
        return "there" if topics[0] in consumer.topics() else "not there"
    finally:
        consumer.close(autocommit=False)


def groups(names, _):
    admin = KafkaAdminClient(**config())
    try:
        ids = [g["group_id"] if isinstance(g, dict) else g[0] for g in admin.list_groups()]
    finally:
        admin.close()
    return ",".join(n for n in names if n in ids)


VERBS = {"produce": produce, "transaction": transaction, "consume": consume, "pattern": pattern, "list": list_topics, "groups": groups}
for verb, names, extra in zip(*[iter(jobs)] * 3):
    try:
        print(VERBS[verb](names.split(","), extra), flush=True)
    except (KafkaError, TimeoutError) as e:
        print(outcome(e), flush=True)
