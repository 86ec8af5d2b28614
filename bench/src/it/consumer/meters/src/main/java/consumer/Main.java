package consumer;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.micrometer.StoreMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;

/** The meters of a store. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    MeterRegistry registry = new SimpleMeterRegistry();
    try (Store store = Store.open(Path.of(arguments[0], "store"), StoreOptions.defaults())) {
      new StoreMetrics(store, Tags.empty()).bindTo(registry);
      if (registry.get("gds.store.memory.limit").gauge().value() <= 0) {
        throw new AssertionError("memory has no limit");
      }
    }
  }
}
