import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Files;
import java.nio.file.Path;

/** HiveMQ Community Edition in this process: Main DIR, with its configuration in DIR/conf/config.xml. */
public final class Main {
    public static void main(final String[] args) throws Exception {
        final Path dir = Path.of(args[0]);
        for (final String folder : new String[] {"data", "extensions"}) {
            Files.createDirectories(dir.resolve(folder));
        }
        final EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder()
                .withConfigurationFolder(dir.resolve("conf"))
                .withDataFolder(dir.resolve("data"))
                .withExtensionsFolder(dir.resolve("extensions"))
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> broker.stop().join()));
        broker.start().join();
        System.out.println("ready");
        Thread.currentThread().join();
    }
}
