import io.ewok.gds.lsm.Codec;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.TypedCursor;
import io.ewok.gds.lsm.TypedStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The store: what was put is there when it is opened again, and comes back in the order of its
 * keys.
 */
final class StoreInTwentyLines {
  static void main(String[] arguments) throws IOException {
    Path directory =
        arguments.length > 0 ? Path.of(arguments[0]) : Files.createTempDirectory("store");
    try (Store store = Store.open(directory, StoreOptions.defaults())) {
      TypedStore<Long, String> orders = new TypedStore<>(store, Codec.longs(), Codec.strings());
      orders.put(3L, "three lemons", Durability.NONE);
      orders.put(1L, "one apple", Durability.NONE);
      orders.put(2L, "two pears", Durability.SYNCED); // with all that was written before it
    }
    try (Store store = Store.open(directory, StoreOptions.defaults())) {
      TypedStore<Long, String> orders = new TypedStore<>(store, Codec.longs(), Codec.strings());
      IO.println("order 2: " + orders.get(2L));
      try (TypedCursor<Long, String> cursor = orders.cursor()) {
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          IO.println(cursor.key() + " = " + cursor.value());
        }
      }
    }
  }
}
