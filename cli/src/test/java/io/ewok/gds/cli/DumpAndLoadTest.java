package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What dump writes of a store, load makes an equal one of, whatever bytes there are. */
class DumpAndLoadTest {
  @TempDir private Path temp;

  private Path store() {
    return temp.resolve("store");
  }

  private Path copy() {
    return temp.resolve("copy");
  }

  /** All that may be mistaken for something else, and any bytes. */
  private void fill(boolean withFamilies) throws IOException {
    SplittableRandom random = new SplittableRandom(11);
    byte[] odd = "\t\n\r\\\"\0 ,{}tn\u00e4\u2028".getBytes(StandardCharsets.UTF_8);
    try (Store store = Store.open(store(), StoreOptions.defaults())) {
      List<Family> families =
          withFamilies
              ? List.of(store, store.createFamily("users"), store.createFamily("j\u00f6\u00df"))
              : List.of(store);
      for (Family family : families) {
        family.put(new byte[0], new byte[0], Durability.NONE);
        family.put(new byte[] {'\\'}, odd, Durability.NONE);
        for (int i = 0; i < 700; i++) {
          byte[] key = new byte[random.nextInt(10)];
          byte[] value = new byte[random.nextInt(50)];
          random.nextBytes(key);
          random.nextBytes(value);
          for (int at = 0; at < value.length; at += 1 + random.nextInt(9)) {
            value[at] = odd[random.nextInt(odd.length)];
          }
          family.put(key, value, Durability.NONE);
        }
        family.put(new byte[] {'g', 'o', 'n', 'e'}, odd, Durability.NONE);
        family.delete(new byte[] {'g', 'o', 'n', 'e'}, Durability.NONE);
      }
      if (withFamilies) {
        Family unused = store.createFamily("empty");
      }
    }
  }

  /** Standard output as bytes. */
  private Path dump(String... arguments) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    List<String> words = new ArrayList<>(List.of("dump", store().toString()));
    words.addAll(List.of(arguments));
    Streams streams = new Streams(InputStream.nullInputStream(), out, err);
    int status = GdsCommand.run(streams, words.toArray(String[]::new));
    assertEquals(0, status, err.toString(StandardCharsets.UTF_8));
    return Files.write(temp.resolve("dumped"), out.toByteArray());
  }

  @ParameterizedTest
  @CsvSource({"export,", "export,--sorted", "jsonl,", "jsonl,--sorted", "export,--threads=3"})
  void allFamiliesComeBack(String format, String how) throws IOException {
    fill(true);
    Path dumped = dump("--format", format);
    if (how == null) {
      gds("load", copy(), dumped, "--format", format).ok();
    } else {
      gds("load", copy(), dumped, "--format", format, how).ok();
    }
    for (String family : List.of("default", "users", "j\u00f6\u00df")) {
      String expected = gds("scan", store(), "--hex", "--family", family).ok();
      assertTrue(expected.lines().count() > 300);
      assertEquals(expected, gds("scan", copy(), "--hex", "--family", family).ok(), family);
    }
    assertEquals(
        format.equals("export") ? 4 : 3, gds("family", "list", copy(), "--json").json().size());
    assertEquals(0, gds("verify", copy()).status());
  }

  @ParameterizedTest
  @CsvSource({"tsv,", "tsv,--sorted"})
  void oneFamilyComesBackAsText(String format, String how) throws IOException {
    fill(false);
    Path dumped = dump("--format", format);
    gds("load", copy(), dumped, "--format", format, how == null ? "--threads=1" : how).ok();
    assertEquals(gds("scan", store(), "--hex").ok(), gds("scan", copy(), "--hex").ok());
    gds("load", copy(), dumped, "--format", format, "--family", "other").ok();
    assertEquals(
        gds("scan", store(), "--hex").ok(), gds("scan", copy(), "--hex", "--family", "other").ok());
  }

  @Test
  void oneFamilyOfSeveralMayGetAnotherName() throws IOException {
    fill(true);
    Path dumped = dump("--format=export", "--family=users");
    gds("load", copy(), dumped, "--format=export", "--family=other").ok();
    assertEquals(
        gds("scan", store(), "--hex", "--family=users").ok(),
        gds("scan", copy(), "--hex", "--family=other").ok());
    assertEquals("", gds("scan", copy()).ok());
    Path all = dump("--format=export");
    String failure =
        gds("load", copy(), all, "--format=export", "--family=other").failure(ExitStatus.FAILED);
    assertTrue(failure.contains("several families"), failure);
    assertTrue(gds("dump", store(), "--format=tsv").failure(ExitStatus.USAGE).contains("--family"));
  }

  @Test
  void mistakesAndDamageAreTold() throws IOException {
    fill(false);
    Path dumped = dump("--format=export");
    byte[] bytes = Files.readAllBytes(dumped);
    bytes[bytes.length / 2] ^= 1;
    Files.write(dumped, bytes);
    String damage = gds("load", copy(), dumped, "--format=export").failure(ExitStatus.FAILED);
    assertTrue(damage.contains("dumped") && damage.contains("checksum"), damage);
    assertTrue(line("a\tb\nno tab\n", "tsv").contains("line=2"));
    assertTrue(line("a\tb\tc\n", "tsv").contains("more than one tab"));
    assertTrue(line("a\\x\tb\n", "tsv").contains("backslash"));
    assertTrue(line("{\"key\":\"a\"}\n", "jsonl").contains("no value"));
    assertTrue(line("{\"key\":\"a\",\"value\":1}\n", "jsonl").contains("no string"));
    assertTrue(line("{\"key\":\"a\",\"key_base64\":\"\"}\n", "jsonl").contains("two of"));
    assertTrue(line("[]\n", "jsonl").contains("no object"));
    assertTrue(line("{\"key\":\"a\",", "jsonl").contains("not a record"));
    Path unsorted = Files.writeString(temp.resolve("unsorted.csv"), "b,1\na,2\n");
    Path other = temp.resolve("other");
    assertTrue(
        gds("load", other, unsorted, "--sorted").failure(ExitStatus.FAILED).contains("--sorted"));
    assertEquals("", gds("scan", other).ok());
    gds("load", other, unsorted, "--format=tsv", "--key-column=2").failure(ExitStatus.USAGE);
    gds("dump", store(), "--format=export", "--json").failure(ExitStatus.USAGE);
  }

  private String line(String text, String format) throws IOException {
    Path file = Files.writeString(temp.resolve("line"), text);
    return gds("load", copy(), file, "--format", format).failure(ExitStatus.FAILED);
  }

  @Test
  void jsonLinesAreKnownByTheirName() throws IOException {
    Path file =
        Files.writeString(
            temp.resolve("x.jsonl"),
            "{\"key\":\"a\",\"more\":[1,{\"key\":\"x\"}],\"value_base64\":\"AAE=\"}\n\n"
                + "{\"value\":\"2\",\"key\":\"b\",\"family\":\"f\"}");
    gds("load", copy(), file).ok();
    assertEquals("61\t0001\n", gds("scan", copy(), "--hex").ok());
    assertEquals("b\t2\n", gds("scan", copy(), "--family=f").ok());
    assertFalse(gds("dump", copy(), "--format=jsonl").ok().isEmpty());
  }
}
