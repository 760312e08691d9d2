"""NAME=VALUE… (VERB TOPIC GROUP)…: prints the outcome of each, as librdkafka sees it."""

import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

PATIENCE = 60
jobs = [a for a in sys.argv[1:] if "=" not in a]
refusals = []
given = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)


def on_error(error):
    """librdkafka goes on trying after a refusal, and tells only this why."""
    if error.code() == KafkaError._AUTHENTICATION:
        refusals.append(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED))


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


def produce(topic):
    outcomes = []
    producer = Producer(config())
    producer.produce(topic, value=b"librdkafka", on_delivery=lambda error, _: outcomes.append(error))
    end = time.monotonic() + PATIENCE
    while not outcomes and not refusals and time.monotonic() < end:
        producer.poll(0.1)
    return (outcomes + refusals)[0]


def consume(topic, group):
    consumer = Consumer(config(**{"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}))
    consumer.subscribe([topic])
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            message = consumer.poll(0.5)
            if refusals:
                return refusals[0]
            if message is None:
                continue
            if not message.error():
                consumer.commit(message, asynchronous=False)
            return message.error()
        raise TimeoutError("nothing came")
    finally:
        consumer.close()


for verb, topic, group in zip(*[iter(jobs)] * 3):
    refusals.clear()
    try:
        error = produce(topic) if verb == "produce" else consume(topic, group)
    except KafkaException as e:
        error = e.args[0]
    print(f"{error.code()} {error.name()}" if error else "allowed", flush=True)
