import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.protocol.Errors;

/** NAME=VALUE… (VERB TOPIC GROUP)…: prints the outcome of each, as Apache Kafka's own client sees it. */
public final class Client {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  public static void main(String[] args) throws Exception {
    Map<String, String> given = new HashMap<>();
    int i = 0;
    for (; args[i].contains("="); i++) {
      int at = args[i].indexOf('=');
      given.put(args[i].substring(0, at), args[i].substring(at + 1));
    }
    for (; i < args.length; i += 3) {
      String outcome = "allowed";
      try {
        if (args[i].equals("produce")) produce(config(given), args[i + 1]);
        else consume(config(given), args[i + 1], args[i + 2]);
      } catch (Exception e) {
        Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
        Errors error = Errors.forException(cause);
        outcome = error == Errors.UNKNOWN_SERVER_ERROR ? cause.toString() : error.code() + " " + error.name();
      }
      System.out.println(outcome);
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void produce(Map<String, Object> config, String topic) throws Exception {
    try (var producer = new KafkaProducer<String, String>(config)) {
      producer.send(new ProducerRecord<>(topic, "java")).get();
    }
  }

  private static void consume(Map<String, Object> config, String topic, String group) throws Exception {
    config.putAll(Map.of("group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false));
    long end = System.nanoTime() + PATIENCE.toNanos();
    try (var consumer = new KafkaConsumer<String, String>(config)) {
      consumer.subscribe(List.of(topic));
      while (consumer.poll(Duration.ofMillis(500)).isEmpty()) {
        if (System.nanoTime() > end) throw new IllegalStateException("nothing came");
      }
      consumer.commitSync();
    }
  }

  private static Map<String, Object> config(Map<String, String> given) throws Exception {
    Map<String, Object> c = new HashMap<>();
    c.put("bootstrap.servers", given.get("bootstrap"));
    for (String role : List.of("key", "value")) {
      c.put(role + ".serializer", "org.apache.kafka.common.serialization.StringSerializer");
      c.put(role + ".deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    }
    c.put("ssl.truststore.type", "PEM");
    c.put("ssl.truststore.certificates", Files.readString(Path.of(given.get("ca"))));
    if (given.containsKey("cert")) {
      c.put("security.protocol", "SSL");
      c.put("ssl.keystore.type", "PEM");
      c.put("ssl.keystore.certificate.chain", Files.readString(Path.of(given.get("cert"))));
      c.put("ssl.keystore.key", Files.readString(Path.of(given.get("key"))));
    } else if (given.containsKey("endpoint")) {
      System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", given.get("endpoint"));
      c.put("security.protocol", "SASL_SSL");
      c.put("sasl.mechanism", "OAUTHBEARER");
      c.put("sasl.oauthbearer.token.endpoint.url", given.get("endpoint"));
      c.put("sasl.login.callback.handler.class", "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler");
      String scope = given.get("scope").isEmpty() ? "" : String.format(" scope=\"%s\"", given.get("scope"));
      c.put("sasl.jaas.config", String.format("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"%s\" clientSecret=\"%s\"%s;",
          given.get("user"), given.get("password"), scope));
    } else {
      c.put("security.protocol", "SASL_SSL");
      c.put("sasl.mechanism", "SCRAM-SHA-256");
      c.put("sasl.jaas.config", String.format("org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";",
          given.get("user"), given.get("password")));
    }
    return c;
  }
}
