import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;

/**
 * MongoDB emulator on one H2 file: `java DocumentServer FILE`.
 * Listens on a free loopback port and prints `listening on PORT`. Ends when its standard input closes, so it never
 * outlives the program that started it. Exit status 3: the file is in use by another process.
 */
public final class DocumentServer {
  private static final int FILE_IN_USE = 3;

  public static void main(String[] arguments) throws IOException {
    MVStore store = open(arguments[0]);
    CommittingBackend backend = new CommittingBackend(store);
    backend.version(new DriverCompatibleVersion());
    MongoServer server = new MongoServer(backend);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      server.shutdownNow();
      store.close();
    }));
    server.bind("127.0.0.1", 0);
    InetSocketAddress address = server.getLocalAddress();
    System.out.println("listening on " + address.getPort());
    while (System.in.read() >= 0) {
      // nothing is expected on standard input but its end
    }
    System.exit(0);
  }

  private static MVStore open(String file) {
    try {
      // Old chunks are reused at once: without it the file grows by 30 KB per write command.
      MVStore store = new MVStore.Builder().fileName(file).open();
      store.setRetentionTime(0);
      return store;
    } catch (MVStoreException error) {
      System.err.println(error.getMessage());
      System.exit(FILE_IN_USE);
      throw error;
    }
  }

  /** Commits after every write command and before its answer, so that a killed process loses nothing it acknowledged. */
  private static final class CommittingBackend extends H2Backend {
    private static final Set<String> WRITES = Set.of(
        "insert", "update", "delete", "findAndModify", "findandmodify", "create", "createIndexes", "drop", "dropDatabase",
        "dropIndexes", "deleteIndexes", "renameCollection", "aggregate");

    CommittingBackend(MVStore store) {
      super(store);
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      Document answer = super.handleMessage(message);
      if (WRITES.contains(message.getDocument().keySet().iterator().next())) commit();
      return answer;
    }
  }

  /** Wire version 13 (MongoDB 5.0): the built-in versions report 8, which current drivers refuse. */
  private static final class DriverCompatibleVersion implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0, 0);
    }

    @Override
    public String toVersionString() {
      return "5.0.0";
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  }
}
