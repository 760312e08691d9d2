import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.utils.AppInfoParser;

/** Apache Kafka's own client. See ../README.md for the jobs, the arguments and the answer. */
public final class Client {
  private final Map<String, String> arguments = new HashMap<>();
  private final List<String> values = new ArrayList<>();
  private final Duration timeout;

  private Client(String[] args) {
    for (int i = 1; i < args.length; i++) {
      int at = args[i].indexOf('=');
      arguments.put(args[i].substring(0, at), args[i].substring(at + 1));
    }
    timeout = Duration.ofSeconds(Long.parseLong(arguments.getOrDefault("timeout", "60")));
    int count = Integer.parseInt(arguments.getOrDefault("count", "10"));
    for (int i = 0; i < count; i++) values.add(argument("group") + "-" + i);
  }

  public static void main(String[] args) throws Exception {
    if (args.length > 0) answer(args);
    var jobs = new BufferedReader(new InputStreamReader(System.in));
    for (String line; args.length == 0 && (line = jobs.readLine()) != null; ) answer(line.split("\t"));
    Runtime.getRuntime().halt(0);
  }

  private static void answer(String[] args) {
    String outcome = "accepted";
    Throwable error = null;
    int records = 0;
    try {
      records = new Client(args).run(args[0]);
    } catch (Throwable thrown) {
      error = thrown;
      while (error instanceof ExecutionException && error.getCause() != null) error = error.getCause();
      outcome = error instanceof AuthenticationException || error.getCause() instanceof AuthenticationException ? "refused" : "failed";
    }
    System.out.printf(
        "{\"client\":\"java %s\",\"job\":\"%s\",\"outcome\":\"%s\",\"error\":%s,\"message\":%s,\"records\":%d}%n",
        AppInfoParser.getVersion(), args[0], outcome,
        quote(error == null ? "" : error.getClass().getSimpleName()), quote(error == null ? "" : error.getMessage()), records);
    System.out.flush();
  }

  private int run(String job) throws Exception {
    return switch (job) {
      case "login" -> login();
      case "produce-consume" -> {
        try (var producer = producer(Map.of("compression.type", "gzip"))) {
          produce(producer, "");
        }
        yield consume();
      }
      case "transaction" -> transaction();
      case "stay" -> stay();
      case "share" -> share();
      default -> throw new IllegalArgumentException("unknown job " + job);
    };
  }

  private String argument(String name) {
    return arguments.getOrDefault(name, "");
  }

  private Map<String, Object> config(Map<String, Object> more) throws Exception {
    Map<String, Object> c = new HashMap<>(more);
    c.put("bootstrap.servers", argument("bootstrap"));
    c.put("security.protocol", argument("protocol"));
    c.put("default.api.timeout.ms", (int) timeout.toMillis());
    c.put("request.timeout.ms", (int) timeout.toMillis());
    for (String role : List.of("key", "value")) {
      c.put(role + ".serializer", "org.apache.kafka.common.serialization.StringSerializer");
      c.put(role + ".deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    }
    String mechanism = argument("mechanism");
    if (!mechanism.isEmpty()) {
      c.put("sasl.mechanism", mechanism);
    }
    if (mechanism.equals("OAUTHBEARER")) {
      System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", argument("endpoint"));
      c.put("sasl.oauthbearer.token.endpoint.url", argument("endpoint"));
      c.put("sasl.login.callback.handler.class", "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler");
      c.put("sasl.jaas.config", String.format(
          "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=%s clientSecret=%s%s;",
          quote(argument("user")), quote(argument("password")), argument("scope").isEmpty() ? "" : " scope=" + quote(argument("scope"))));
    } else if (!mechanism.isEmpty()) {
      String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
      c.put("sasl.jaas.config", String.format("org.apache.kafka.common.security.%s required username=%s password=%s;",
          module, quote(argument("user")), quote(argument("password"))));
    }
    if (!argument("ca").isEmpty()) {
      c.put("ssl.truststore.type", "PEM");
      c.put("ssl.truststore.certificates", Files.readString(Path.of(argument("ca"))));
    }
    if (!argument("cert").isEmpty()) {
      c.put("ssl.keystore.type", "PEM");
      c.put("ssl.keystore.certificate.chain", Files.readString(Path.of(argument("cert"))));
      c.put("ssl.keystore.key", Files.readString(Path.of(argument("key"))));
    }
    return c;
  }

  private int login() throws Exception {
    try (var admin = Admin.create(config(Map.of()))) {
      admin.describeCluster().nodes().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }
    return 0;
  }

  private KafkaProducer<String, String> producer(Map<String, Object> more) throws Exception {
    Map<String, Object> c = config(more);
    c.put("max.block.ms", timeout.toMillis());
    return new KafkaProducer<>(c);
  }

  private void produce(KafkaProducer<String, String> producer, String prefix) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (String value : values) {
      var record = new ProducerRecord<>(argument("topic"), value, prefix + value);
      record.headers().add("by", "java".getBytes());
      sent.add(producer.send(record));
    }
    for (var s : sent) s.get();
  }

  /** In a group of the protocol that group.protocol says: classic, or consumer, which is KIP-848's. */
  private int consume() throws Exception {
    var got = new ArrayList<String>();
    try (var consumer = new KafkaConsumer<String, String>(config(Map.of(
        "group.id", argument("group"), "auto.offset.reset", "earliest", "enable.auto.commit", false,
        "isolation.level", "read_committed", "group.protocol", arguments.getOrDefault("group.protocol", "classic"))))) {
      consumer.subscribe(List.of(argument("topic")));
      for (long end = end(); got.size() < values.size(); inTime(end, got)) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(500))) got.add(r.value());
      }
      consumer.commitSync();
    }
    return check(got);
  }

  private int transaction() throws Exception {
    try (var producer = producer(Map.of("transactional.id", argument("group")));
        var group = new KafkaConsumer<String, String>(config(Map.of("group.id", argument("group") + "-offsets")))) {
      producer.initTransactions();
      producer.beginTransaction();
      produce(producer, "");
      producer.sendOffsetsToTransaction(Map.of(new TopicPartition(argument("topic"), 0), new OffsetAndMetadata(1)),
          group.groupMetadata());
      producer.commitTransaction();
      producer.beginTransaction();
      produce(producer, "aborted-");
      producer.abortTransaction();
    }
    return consume();
  }

  /** Produces one record after the other on the same connections, for as long as it is told to. */
  private int stay() throws Exception {
    int sent = 0;
    try (var producer = producer(Map.of())) {
      for (long end = System.nanoTime() + Duration.ofSeconds(Long.parseLong(argument("stay"))).toNanos(); System.nanoTime() < end; sent++) {
        producer.send(new ProducerRecord<>(argument("topic"), "stay-" + sent)).get();
        Thread.sleep(100);
      }
    }
    return sent;
  }

  private int share() throws Exception {
    try (var producer = producer(Map.of())) {
      produce(producer, "");
    }
    var got = new ArrayList<String>();
    try (var consumer = new KafkaShareConsumer<String, String>(config(Map.of("group.id", argument("group"))))) {
      consumer.subscribe(List.of(argument("topic")));
      for (long end = end(); got.size() < values.size(); inTime(end, got)) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(500))) got.add(r.value());
      }
      consumer.commitSync();
    }
    return check(got);
  }

  private long end() {
    return System.nanoTime() + timeout.toNanos();
  }

  private void inTime(long end, Collection<String> got) throws TimeoutException {
    if (System.nanoTime() > end) throw new TimeoutException(got.size() + " of " + values.size() + " records after " + timeout);
  }

  private int check(Collection<String> got) {
    if (got.size() != values.size() || !new TreeSet<>(got).equals(new TreeSet<>(values)))
      throw new IllegalStateException("consumed other records than were produced: " + got);
    return got.size();
  }

  private static String quote(String s) {
    return "\"" + String.valueOf(s).replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("[\\r\\n\\t]+", " ") + "\"";
  }
}
