package consumer;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A value that is there when the store is opened again. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0], "store");
    byte[] key = "key".getBytes(StandardCharsets.UTF_8);
    byte[] value = "value".getBytes(StandardCharsets.UTF_8);
    try (Store store = Store.open(directory, StoreOptions.defaults())) {
      store.put(key, value, Durability.SYNCED);
    }
    try (Store store = Store.open(directory, StoreOptions.defaults())) {
      if (!"value".equals(new String(store.get(key), StandardCharsets.UTF_8))) {
        throw new AssertionError("the value is another");
      }
    }
  }
}
