"""aiokafka."""

import asyncio
import logging
import ssl

import aiokafka
from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.helpers import create_ssl_context

import driver

a = driver.arguments()
NAME = f"aiokafka {aiokafka.__version__}"


def config(**more):
    c = {"bootstrap_servers": a.bootstrap, "security_protocol": a.protocol}
    if a.mechanism:
        c |= {"sasl_mechanism": a.mechanism, "sasl_plain_username": a.user, "sasl_plain_password": a.password}
    if a.ca:
        c["ssl_context"] = create_ssl_context(cafile=a.ca, certfile=a.cert or None, keyfile=a.key or None)
    return c | more


async def login():
    client = AIOKafkaClient(**config())
    await client.bootstrap()
    await client.close()
    return 0


async def produce(producer, prefix=b""):
    sent = [await producer.send(a.topic, key=v, value=prefix + v, headers=[("by", b"aiokafka")]) for v in a.values]
    await asyncio.gather(*sent)


async def consume(want):
    consumer = AIOKafkaConsumer(a.topic, **config(group_id=a.group, auto_offset_reset="earliest",
                                                  enable_auto_commit=False, isolation_level="read_committed"))
    await consumer.start()
    got = []
    while len(got) < len(want):
        got.append((await consumer.getone()).value)
    await consumer.commit()
    await consumer.stop()
    driver.check(want, got)
    return len(got)


async def produce_consume():
    producer = AIOKafkaProducer(**config(compression_type="gzip", enable_idempotence=True))
    await producer.start()
    await produce(producer)
    await producer.stop()
    return await consume(a.values)


async def transaction():
    producer = AIOKafkaProducer(**config(transactional_id=a.group))
    await producer.start()
    async with producer.transaction():
        await produce(producer)
        await producer.send_offsets_to_transaction({TopicPartition(a.topic, 0): 1}, a.group + "-offsets")
    await producer.begin_transaction()
    await produce(producer, b"aborted-")
    await producer.abort_transaction()
    await producer.stop()
    return await consume(a.values)


def is_refusal(error):
    return isinstance(error, (errors.AuthenticationFailedError, errors.SaslAuthenticationFailed,
                              errors.UnsupportedSaslMechanismError, ssl.SSLError))


JOBS = {"login": login, "produce-consume": produce_consume, "transaction": transaction}
refusals = []
logging.getLogger("aiokafka").addHandler(driver.Refusals(is_refusal, refusals.append))
try:
    records = asyncio.run(asyncio.wait_for(JOBS[a.job](), a.timeout))
except Exception as e:
    if is_refusal(e):
        driver.answer(NAME, a.job, "refused", e)
    if refusals:
        driver.answer(NAME, a.job, "refused", refusals[-1])
    driver.answer(NAME, a.job, "failed", e)
driver.answer(NAME, a.job, "accepted", records=records)
