"""NAME=VALUE… (VERB NAMES WITH)…: prints the outcome of each, as librdkafka sees it; kafka_clients_test.go has the verbs."""

import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

PATIENCE = 60
KEYS = 12  # that lie in all partitions of a topic
jobs = [a for a in sys.argv[1:] if "=" not in a]
refusals = []
given = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)


def on_error(error):
    """librdkafka goes on trying after a refused login, and tells only this why."""
    if error.code() == KafkaError._AUTHENTICATION:
        refusals.append(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED))


def check_login():
    if refusals:
        raise KafkaException(refusals[0])


def config(**more):
    c = {"bootstrap.servers": given["bootstrap"], "ssl.ca.location": given["ca"], "security.protocol": "SSL", "error_cb": on_error}
    if "cert" in given:
        c |= {"ssl.certificate.location": given["cert"], "ssl.key.location": given["key"]}
    elif "endpoint" in given:
        c |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
              "sasl.oauthbearer.token.endpoint.url": given["endpoint"], "sasl.oauthbearer.client.id": given["user"],
              "sasl.oauthbearer.client.secret": given["password"], "sasl.oauthbearer.scope": given["scope"]}
    else:
        c |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": given["user"], "sasl.password": given["password"]}
    return c | more


def outcome(error):
    return f"{error.code()} {error.name()}" if error else "allowed"


def send(producer, topics):
    got = {}
    for topic in topics:
        for key in range(KEYS):
            producer.produce(topic, key=str(key), value=b"librdkafka",
                             on_delivery=lambda error, m: got.setdefault(m.topic(), set()).add(outcome(error)))
    end = time.monotonic() + PATIENCE
    while producer.flush(0.2) and time.monotonic() < end:
        check_login()
    return ", ".join("/".join(sorted(got[topic])) for topic in topics)


def produce(topics, _):
    return send(Producer(config()), topics)


def transaction(topics, transactional_id):
    producer = Producer(config(**{"transactional.id": transactional_id}))
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    outcomes = send(producer, topics)
    if outcomes == "allowed":
        producer.commit_transaction(PATIENCE)
    else:
        producer.abort_transaction(PATIENCE)
    return outcomes


def read(topic, group):
    consumer = Consumer(config(**{"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}))
    consumer.subscribe([topic])
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            message = consumer.poll(0.5)
            check_login()
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            consumer.commit(message, asynchronous=False)
            return message.topic()
        raise TimeoutError("nothing came")
    finally:
        consumer.close()


def consume(topics, group):
    read(topics[0], group)
    return "allowed"


def pattern(expressions, group):
    return read(expressions[0], group)


def list_topics(topics, _):
    return "there" if topics[0] in AdminClient(config()).list_topics(timeout=PATIENCE).topics else "not there"


def groups(names, _):
    admin = AdminClient(config())  # which has to live until the answer is there
    seen = admin.list_consumer_groups(request_timeout=PATIENCE).result()
    if seen.errors:
        raise seen.errors[0]
    ids = [g.group_id for g in seen.valid]
    return ",".join(n for n in names if n in ids)


VERBS = {"produce": produce, "transaction": transaction, "consume": consume, "pattern": pattern, "list": list_topics, "groups": groups}
for verb, names, extra in zip(*[iter(jobs)] * 3):
    refusals.clear()
    try:
        print(VERBS[verb](names.split(","), extra), flush=True)
    except KafkaException as e:
        print(outcome(e.args[0]), flush=True)
    except TimeoutError as e:
        print(e, flush=True)
