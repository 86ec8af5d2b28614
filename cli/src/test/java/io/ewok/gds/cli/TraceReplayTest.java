package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static io.ewok.gds.cli.GdsRun.gdsReading;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceReplayTest {
  @TempDir private Path temp;

  /** Blocks 0 to 99 asked for by runs, as in the recorded traces. */
  private final List<Long> references = new ArrayList<>();

  private final String arc = generated();

  @Test
  void requestForSeveralBlocksCountsForEach() {
    List<Map<String, Object>> lines =
        gdsReading(arc, replay("-", "arc", "--policy=lru", "--sizes=1,10,50%", "--json")).json();
    assertEquals(List.of(1L, 10L, 50L), lines.stream().map(line -> line.get("size")).toList());
    for (Map<String, Object> line : lines) {
      long size = (Long) line.get("size");
      assertEquals("lru", line.get("policy"));
      assertEquals("-", line.get("trace"));
      assertEquals((long) references.size(), line.get("requests"));
      assertEquals(100L, line.get("keys"));
      assertEquals(lruHits(references, size), line.get("hits"));
      double ratio = (double) lruHits(references, size) / references.size();
      assertEquals(ratio, (Double) line.get("hit_ratio"), 1e-6);
    }
  }

  /** A run that starts and ends within pages asks once for each page that it touches. */
  @Test
  void requestCountsOnceForEachPage() {
    String trace = "0 1\n7 2\n8 8\n15 17\n1 0\n";
    Map<String, Object> line =
        gdsReading(trace, replay("-", "arc", "--page=4K", "--policy=lru", "--sizes=9", "--json"))
            .json()
            .getFirst();
    assertEquals(1L + 2 + 1 + 3, line.get("requests"));
    assertEquals(4L, line.get("keys"));
    assertEquals(3L, line.get("hits"));
  }

  @Test
  void allFormatsOfTheSameReferencesGiveTheSame() throws IOException {
    ByteBuffer u32 = ByteBuffer.allocate(references.size() * Integer.BYTES);
    ByteBuffer u64 = ByteBuffer.allocate(references.size() * Long.BYTES);
    StringBuilder keys = new StringBuilder("*\n");
    StringBuilder csv = new StringBuilder("version,time,op,size,lbn\n");
    for (long key : references) {
      u32.putInt((int) key);
      u64.putLong(key);
      keys.append(key).append('\n');
      csv.append("1,5,2a,512,").append(key).append('\n');
    }
    Path file = temp.resolve("trace");
    List<Object> expected = hits(gdsReading(arc, replay("-", "arc", "--json")));
    Files.write(file, u32.array());
    assertEquals(expected, hits(gds(replay(file, "u32be", "--json"))));
    Files.write(file, u64.array());
    assertEquals(expected, hits(gds(replay(file, "U64BE", "--json"))));
    Files.writeString(file, csv);
    assertEquals(expected, hits(gds(replay(file, "csv", "--json"))));
    GdsRun withSkipped = gdsReading(keys.toString(), replay("-", "keys", "--json"));
    assertEquals(expected, hits(withSkipped));
    assertEquals("skipped lines that are no number: 1\n", withSkipped.err());
  }

  @Test
  void fileNamedSoIsDecompressed() throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(arc.getBytes(StandardCharsets.US_ASCII));
    }
    Path file = temp.resolve("trace.gz");
    Files.write(file, compressed.toByteArray());
    String text = gds(replay(file, "arc")).ok();
    assertEquals(
        gdsReading(arc, replay("-", "arc")).ok().replace("standard input", file.toString()), text);

    Files.write(file, List.of("1 2 3 4"));
    assertTrue(gds(replay(file, "arc")).failure(1).contains("gzip"));
    byte[] half = new byte[compressed.size() / 2];
    System.arraycopy(compressed.toByteArray(), 0, half, 0, half.length);
    Files.write(file, half);
    assertTrue(gds(replay(file, "arc")).failure(1).contains("gzip"));
    Files.write(temp.resolve("trace"), half);
    assertTrue(gds(replay(temp.resolve("trace"), "arc")).failure(1).contains(".gz"));
  }

  @Test
  void everyPolicyIsReplayedAndNoneBeatsTheOptimum() {
    List<Map<String, Object>> lines =
        gdsReading(arc, replay("-", "arc", "--policy=all", "--sizes=5,20", "--json")).json();
    assertEquals(
        List.of("fifo", "lru", "clock", "s3-fifo", "car", "opt"),
        lines.stream().map(line -> line.get("policy")).distinct().toList());
    assertEquals(12, lines.size());
    for (Map<String, Object> line : lines) {
      long most =
          lines.stream()
              .filter(other -> other.get("policy").equals("opt"))
              .filter(other -> other.get("size").equals(line.get("size")))
              .mapToLong(other -> (Long) other.get("hits"))
              .sum();
      assertTrue((Long) line.get("hits") <= most, line.toString());
    }
  }

  @Test
  void poolHitsWhatItsPolicyWouldInASimulation() {
    List<Map<String, Object>> lines =
        gdsReading(arc, replay("-", "arc", "--policy=pool,s3-fifo", "--sizes=8,30,1K", "--json"))
            .json();
    assertEquals(6, lines.size());
    for (int i = 0; i < lines.size(); i += 2) {
      assertEquals("pool", lines.get(i).get("policy"));
      assertEquals(lines.get(i + 1).get("hits"), lines.get(i).get("hits"), lines.toString());
    }
    String message = gdsReading(arc, replay("-", "arc", "--policy=pool", "--sizes=7")).failure(1);
    assertTrue(message.contains("8 frames"), message);
  }

  @Test
  void tableHasWhatTheObjectsHave() {
    String text = gdsReading(arc, replay("-", "arc", "--policy=opt,lru", "--sizes=10")).ok();
    String count = Units.count(references.size());
    List<String> lines = text.lines().toList();
    assertEquals(
        "standard input: 200 records, %s requests for 100 different keys".formatted(count),
        lines.getFirst());
    assertEquals(5, lines.size());
    assertTrue(
        lines
            .get(4)
            .matches(
                "lru +10 +" + count + " +" + Units.count(lruHits(references, 10)) + " +[\\d.]+ %"),
        text);
  }

  @Test
  void plotIsWritten() throws IOException {
    Path plot = temp.resolve("hits.svg");
    gdsReading(arc, replay("-", "arc", "--plot=" + plot)).ok();
    assertTrue(Files.readString(plot).contains(">s3-fifo<"));
    Path nowhere = temp.resolve("none").resolve("hits.svg");
    assertTrue(
        gdsReading(arc, replay("-", "arc", "--plot=" + nowhere))
            .err()
            .contains(nowhere.toString()));
  }

  @Test
  void traceThatCannotBeReadIsNamed() {
    assertTrue(gds(replay(temp.resolve("none"), "arc")).failure(1).contains("none"));
    assertTrue(gds(replay(temp, "arc")).failure(1).contains("directory"));
    assertTrue(gdsReading("", replay("-", "csv")).failure(1).contains("no requests"));
    assertTrue(gdsReading("*\n", replay("-", "arc")).failure(1).contains("line=1"));
    String huge = "0 9000000000000 0 0\n";
    assertTrue(gdsReading(huge, replay("-", "arc")).failure(1).contains("record=1"));
  }

  @Test
  void keysHaveNoPagesAndPagesAreWholeBlocks() {
    gdsReading("1\n", replay("-", "keys", "--page=4K")).failure(ExitStatus.USAGE);
    gdsReading(arc, replay("-", "arc", "--page=1000")).failure(ExitStatus.USAGE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--sizes=0",
        "--sizes=-1",
        "--sizes=1.5",
        "--sizes=0%",
        "--sizes=101%",
        "--sizes=x",
        "--sizes=2147483648",
        "--sizes=3000M",
        "--sizes=5,,6",
        "--policy=nru",
        "--policy="
      })
  void whatMakesNoSenseIsRefused(String option) {
    String message = gdsReading(arc, replay("-", "arc", option)).failure(ExitStatus.USAGE);
    assertTrue(message.contains(option.substring(0, option.indexOf('='))), message);
  }

  @Test
  void sizesAreNumbersOrParts() {
    CacheSizes sizes =
        CacheSizes.parse("--sizes", List.of("5", "1.5k", " 2M", "10%", "0.0001%", "5", "100%"));
    assertEquals(List.of(5, 1_500, 2_000_000, 40, 1, 400), sizes.keys(400));
  }

  @Test
  void traceExplainsItself() {
    assertTrue(gds("trace", "--help").ok().contains("replay"));
    String help = gds("trace", "replay", "--help").ok();
    assertTrue(help.contains("Example") && help.contains("--debug"), help);
    gds("trace").failure(ExitStatus.USAGE);
  }

  private static Object[] replay(Object file, String format, String... more) {
    List<Object> words = new ArrayList<>(List.of("trace", "replay", file, "--format=" + format));
    words.addAll(List.of(more));
    return words.toArray();
  }

  private static List<Object> hits(GdsRun run) {
    List<Object> hits = run.json().stream().map(line -> line.get("hits")).toList();
    assertEquals(36, hits.size());
    return hits;
  }

  private String generated() {
    Random random = new Random(3);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 200; i++) {
      int first = i == 0 ? 0 : random.nextInt(100);
      int count = i == 0 ? 100 : Math.min(100 - first, 1 + random.nextInt(12));
      text.append("%d %d 0 %d\n".formatted(first, count, i));
      for (int block = 0; block < count; block++) {
        references.add((long) first + block);
      }
    }
    return text.toString();
  }

  private static long lruHits(List<Long> keys, long size) {
    Map<Long, Boolean> cache = new LinkedHashMap<>();
    long hits = 0;
    for (long key : keys) {
      if (cache.remove(key) != null) {
        hits++;
      } else if (cache.size() == size) {
        cache.remove(cache.keySet().iterator().next());
      }
      cache.put(key, true);
    }
    return hits;
  }
}
