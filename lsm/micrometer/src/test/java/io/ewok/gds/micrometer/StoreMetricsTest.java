package io.ewok.gds.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.StallReason;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreStats;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StoreMetricsTest {
  private static final Tags TAGS = Tags.of("store", "orders");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private Store store;
  private long nanos;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Path.of("/store"), StoreOptions.defaults(), new SimEngine(1));
    new StoreMetrics(store, TAGS, () -> nanos).bindTo(registry);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void put(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      byte[] bytes = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
      store.put(bytes, bytes, Durability.BUFFERED);
      store.get(bytes);
    }
  }

  private void pass() {
    nanos += StoreMetrics.READING_LIFE.toNanos() + 1;
  }

  private long counted(String name, String... tags) {
    return (long) registry.get(name).tags(TAGS.and(tags)).functionCounter().count();
  }

  private long gauged(String name, String... tags) {
    return (long) registry.get(name).tags(TAGS.and(tags)).gauge().value();
  }

  @Test
  void metersTellWhatTheStoreCounts() throws IOException {
    put(100);
    store.flush();
    put(7);
    pass();
    StoreStats stats = store.stats();
    assertEquals(107, counted("gds.store.operations"));
    assertEquals(107, counted("gds.store.gets"));
    assertEquals(stats.written().userBytes(), counted("gds.store.user"));
    assertEquals(stats.written().flushBytes(), counted("gds.store.written", "to", "flush"));
    assertTrue(counted("gds.store.written", "to", "log") > 0);
    assertEquals(1, counted("gds.store.flushes"));
    assertEquals(1, gauged("gds.store.level.tables", "level", "0"));
    assertEquals(stats.levels().getFirst().bytes(), gauged("gds.store.level.size", "level", "0"));
    assertEquals(0, gauged("gds.store.level.tables", "level", "6"));
    assertEquals(stats.memory().usedBytes(), gauged("gds.store.memory.used"));
    assertEquals(StoreOptions.defaults().memoryBytes(), gauged("gds.store.memory.limit"));
    for (StallReason reason : StallReason.values()) {
      String tag = reason.name().toLowerCase(Locale.ROOT);
      registry.get("gds.store.stalls").tags(TAGS.and("reason", tag)).functionTimer();
    }
  }

  @Test
  void oneReadingServesAScrape() throws IOException {
    pass();
    assertEquals(0, counted("gds.store.operations"));
    put(5);
    assertEquals(0, counted("gds.store.gets"), "is of the same moment");
    pass();
    assertEquals(5, counted("gds.store.operations"));
    assertEquals(5, counted("gds.store.gets"));
  }

  @Test
  void everyMeterSaysWhatItIs() {
    for (Meter meter : registry.getMeters()) {
      assertTrue(meter.getId().getName().startsWith("gds.store."), meter.toString());
      assertTrue(meter.getId().getDescription() != null, meter.toString());
      meter.measure().forEach(m -> assertTrue(m.getValue() >= 0, meter.getId().toString()));
    }
  }

  @Test
  void theCountersOfAClosedStoreStayAndItsGaugesAreNoNumbers() throws IOException {
    put(3);
    pass();
    assertEquals(3, counted("gds.store.operations"));
    store.close();
    pass();
    assertEquals(3, counted("gds.store.operations"));
    double used = registry.get("gds.store.memory.used").gauge().value();
    assertTrue(Double.isNaN(used), "used=" + used);
    assertThrows(IllegalStateException.class, () -> new StoreMetrics(store, TAGS));
  }
}
