package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.pagestore.EngineOptions;
import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
  private static final int RECORDS = 4000;
  private static final long SEED = 11;

  @TempDir private Path temp;
  private Path input;
  private Path directory;

  @BeforeEach
  void writeInput() throws IOException {
    directory = temp.resolve("demo");
    input = temp.resolve("data.csv");
    SplittableRandom random = new SplittableRandom(SEED);
    int valueChars = Math.toIntExact(4 * StoreSizes.minimumCacheBytes() / RECORDS);
    try (BufferedWriter out = Files.newBufferedWriter(input)) {
      out.write("id,text\n");
      for (int record = 0; record < RECORDS; record++) {
        String value = Long.toString(random.nextLong() >>> 1, 36).repeat(valueChars / 8);
        out.write("user" + record + "," + value + "\n");
      }
    }
  }

  @Test
  void wholeDemonstrationPassesAndCleansUp() {
    GdsRun run =
        gds(
            "demo",
            "--input",
            input,
            "--key-column",
            "id",
            "--dir",
            directory,
            "--seed",
            SEED,
            "--json");
    assertEquals(ExitStatus.OK, run.status(), run.err());
    Map<String, Object> result = run.json().getFirst();
    assertEquals((long) RECORDS, result.get("records"));
    assertEquals(SEED, result.get("seed"));
    long memory = (Long) result.get("memory_limit_bytes");
    assertTrue(4 * (Long) result.get("cache_bytes") <= (Long) result.get("data_bytes"));
    assertTrue((Long) result.get("memory_peak_bytes") <= memory, result.toString());
    assertTrue((Long) result.get("device_reads") > 0, result.toString());
    long acknowledged = (Long) result.get("acknowledged");
    assertTrue(acknowledged > 0, result.toString());
    assertTrue((Long) result.get("found_after_kill") >= acknowledged, result.toString());
    assertFalse(Files.exists(directory));
  }

  @Test
  void keptStoreHoldsTheInput() throws IOException {
    Files.createDirectory(directory);
    GdsRun run = gds("demo", "--input", input, "--key-column=id", "--dir", directory, "--keep");
    assertEquals(ExitStatus.OK, run.status(), run.err());
    assertTrue(run.out().contains(directory.resolve("store").toString()), run.out());
    assertEquals(RECORDS, gds("scan", directory.resolve("store")).ok().lines().count(), run.err());
    GdsRun again = gds("demo", "--input", input, "--dir", directory);
    assertTrue(again.failure(ExitStatus.FAILED).contains("empty or absent"));
  }

  @Test
  void wrongUseIsRefused() throws IOException {
    Path tiny = Files.writeString(temp.resolve("tiny"), "a\n");
    assertTrue(gds("demo", "--input", tiny).failure(1).contains("too small"));
    assertTrue(gds("demo", "--key-column=2").failure(ExitStatus.USAGE).contains("--input"));
    gds("demo", "--input", temp.resolve("none")).failure(ExitStatus.FAILED);
  }

  @Test
  void smallInputIsRepeatedUnderOtherKeys() throws IOException {
    Path small = temp.resolve("small");
    try (BufferedWriter out = Files.newBufferedWriter(small)) {
      for (int line = 0; line < 3000; line++) {
        out.write("line " + line + " " + "-".repeat(100) + "\n");
      }
    }
    DataSet read;
    try (LineReader reader = new LineReader(Files.newInputStream(small))) {
      read = DataSet.read(reader);
    }
    DemoPlan plan = DemoPlan.of("small", read, SEED, EngineOptions.defaults());
    assertTrue(plan.copies() > 0);
    assertEquals(read.count() * (1L + plan.copies()), plan.data().count());
    assertTrue(StoreSizes.cacheBytes(plan.options()) * 4 <= plan.data().dataBytes());
  }

  @Test
  void loaderEndsWhenNobodyFeedsItAnyMore() throws IOException {
    DataSet data = DataSet.read(new LineReader(new ByteArrayInputStream(new byte[] {'a', '\n'})));
    try (LoaderProcess loader =
        LoaderProcess.start(
            directory, temp.resolve("err"), List.of("--memory=10M", "--threads=2"))) {
      Thread feeder =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    try {
                      loader.feed(data, new int[] {0});
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  });
      assertEquals(0, loader.nextAcknowledged());
      feeder.interrupt(); // Which ends the loader's input, as our death would.
      assertEquals(-1, loader.nextAcknowledged());
      CommandFailure failure = assertThrows(CommandFailure.class, loader::requireKilled);
      assertTrue(failure.getMessage().contains("status=1"), failure.getMessage());
    }
  }

  /** The demonstration would prove nothing if its reading did not notice a store that differs. */
  @Test
  void tamperedStoreIsFoundOutWithItsFirstWrongKey() throws IOException {
    assertTrue(readTampered("user7", "other").contains("key=\"user7\" expected=\""));
  }

  @Test
  void recordTooManyIsFoundOut() throws IOException {
    assertTrue(readTampered("zzz", "extra").contains("\"zzz\""));
  }

  @Test
  void recordTooFewIsFoundOut() throws IOException {
    String message = readTampered("user9", null);
    assertTrue(message.contains("user9") && message.contains("found=nothing"), message);
  }

  private String readTampered(String key, String valueOrNull) throws IOException {
    DataSet data;
    try (EntryReader reader =
        new DelimitedReader(
            "data", Files.newInputStream(input), ',', true, new ColumnName(1, ""), null)) {
      data = DataSet.read(reader);
    }
    DemoPlan plan = DemoPlan.of("data", data, SEED, EngineOptions.defaults());
    Streams quiet =
        new Streams(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream());
    try (DemoWorkspace workspace = DemoWorkspace.open(directory, false)) {
      LoadPhase.run(plan, workspace, quiet);
      try (Store store = Store.open(workspace.store(), plan.options())) {
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        if (valueOrNull == null) {
          store.delete(keyBytes, Durability.SYNCED);
        } else {
          byte[] value = valueOrNull.getBytes(StandardCharsets.UTF_8);
          store.put(keyBytes, value, Durability.SYNCED);
        }
      }
      new ReadPhase(plan, workspace, quiet).run();
      return "nothing was noticed";
    } catch (CommandFailure failure) {
      return failure.getMessage();
    }
  }
}
