import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.protocol.Errors;

/** NAME=VALUE… (VERB NAMES WITH)…: prints the outcome of each, as Apache Kafka's own client sees it; kafka_clients_test.go has the verbs. */
public final class Client {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PARTITIONS = 3;

  public static void main(String[] args) throws Exception {
    Map<String, String> given = new HashMap<>();
    int i = 0;
    for (; args[i].contains("="); i++) {
      int at = args[i].indexOf('=');
      given.put(args[i].substring(0, at), args[i].substring(at + 1));
    }
    for (; i < args.length; i += 3) {
      String result;
      try {
        result = run(config(given), args[i], List.of(args[i + 1].split(",")), args[i + 2]);
      } catch (Exception e) {
        result = outcome(e);
      }
      System.out.println(result);
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static String run(Map<String, Object> config, String verb, List<String> names, String with) throws Exception {
    return switch (verb) {
      case "produce" -> produce(config, names);
      case "transaction" -> transaction(config, names, with);
      case "consume" -> {
        read(config, with, c -> c.subscribe(names));
        yield "allowed";
      }
      case "pattern" -> read(config, with, c -> c.subscribe(Pattern.compile(names.get(0))));
      case "list" -> {
        try (var admin = Admin.create(config)) {
          yield admin.listTopics().names().get().contains(names.get(0)) ? "there" : "not there";
        }
      }
      case "groups" -> {
        try (var admin = Admin.create(config)) {
          var seen = admin.listGroups().all().get().stream().map(GroupListing::groupId).toList();
          yield names.stream().filter(seen::contains).collect(Collectors.joining(","));
        }
      }
      default -> throw new IllegalArgumentException(verb);
    };
  }

  private static String outcome(Exception e) {
    Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
    Errors error = Errors.forException(cause);
    return error == Errors.UNKNOWN_SERVER_ERROR ? cause.toString() : error.code() + " " + error.name();
  }

  private static String produce(Map<String, Object> config, List<String> topics) {
    try (var producer = new KafkaProducer<String, String>(config)) {
      return send(producer, topics);
    }
  }

  private static String transaction(Map<String, Object> config, List<String> topics, String id) {
    config.put("transactional.id", id);
    try (var producer = new KafkaProducer<String, String>(config)) {
      producer.initTransactions();
      producer.beginTransaction();
      String outcomes = send(producer, topics);
      if (outcomes.equals("allowed")) producer.commitTransaction();
      else producer.abortTransaction();
      return outcomes;
    }
  }

  private static String send(KafkaProducer<String, String> producer, List<String> topics) {
    var all = new ArrayList<String>();
    for (String topic : topics) {
      var sent = new ArrayList<Future<RecordMetadata>>();
      for (int p = 0; p < PARTITIONS; p++) sent.add(producer.send(new ProducerRecord<>(topic, p, null, "java")));
      var got = new TreeSet<String>();
      for (var one : sent) {
        try {
          one.get();
          got.add("allowed");
        } catch (Exception e) {
          got.add(outcome(e));
        }
      }
      all.add(String.join("/", got));
    }
    return String.join(", ", all);
  }

  private static String read(Map<String, Object> config, String group, Consumer<KafkaConsumer<String, String>> subscribe) {
    config.putAll(Map.of("group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false));
    long end = System.nanoTime() + PATIENCE.toNanos();
    try (var consumer = new KafkaConsumer<String, String>(config)) {
      subscribe.accept(consumer);
      while (true) {
        var records = consumer.poll(Duration.ofMillis(500));
        if (System.nanoTime() > end) throw new IllegalStateException("nothing came");
        if (records.isEmpty()) continue;
        consumer.commitSync();
        return records.partitions().stream().map(p -> p.topic()).distinct().sorted().collect(Collectors.joining(","));
      }
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
