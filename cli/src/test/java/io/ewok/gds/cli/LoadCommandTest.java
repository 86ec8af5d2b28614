package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static io.ewok.gds.cli.GdsRun.gdsReading;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadCommandTest {
  @TempDir private Path temp;
  private Path store;

  @BeforeEach
  void nameStore() {
    store = temp.resolve("store");
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(temp.resolve(name), content);
  }

  private String scan() {
    return gds("scan", store).ok();
  }

  @Test
  void linesBecomeKeysAndTheirNumbersValues() throws IOException {
    String out = gds("load", store, file("words.txt", "pear\napple\n\nplum")).ok();
    assertTrue(out.startsWith("loaded 3 records, "), out);
    assertEquals("apple\t2\npear\t1\nplum\t4\n", scan());
  }

  @Test
  void standardInputIsTheDefault() {
    gdsReading("b\r\na\r\n", "load", store).ok();
    assertEquals("a\t2\nb\t1\n", scan());
  }

  @Test
  void csvKeepsQuotedFieldsAndEmptyValues() throws IOException {
    Path csv = file("x.csv", "k1,\"a,\"\"b\"\"\"\r\nk2,\r\n\"k\n3\",\"\"\r\n");
    gds("load", store, csv).ok();
    assertEquals("k\n3\t\nk1\ta,\"b\"\nk2\t\n", scan());
  }

  @Test
  void columnsAreChosenByNameOrNumber() throws IOException {
    Path tsv = file("x.tsv", "id\tname\tcity\n1\tAnn\tRome\n2\tBob\tOslo\n");
    gds("load", store, tsv, "--key-column", "name", "--value-column", "3").ok();
    assertEquals("Ann\tRome\nBob\tOslo\n", scan());
  }

  @Test
  void otherColumnsAreKeptAsOneRecord() throws IOException {
    Path csv = file("x.csv", "1,\"a, b\",c\n2,,\n");
    gds("load", store, csv).ok();
    assertEquals("1\t\"a, b\",c\n2\t,\n", scan());
  }

  @Test
  void headerIsNoRecordWhenToldSo() throws IOException {
    Path csv = file("x.csv", "id,name\n1,Ann\n");
    gds("load", store, csv, "--header").ok();
    assertEquals("1\tAnn\n", scan());
  }

  @Test
  void delimiterMakesColumnsOfAnyFile() throws IOException {
    gds("load", store, file("passwd", "root:0\nme:1\n"), "--delimiter", ":").ok();
    assertEquals("me\t1\nroot\t0\n", scan());
  }

  @Test
  void byteOrderMarkIsNotPartOfTheFirstKey() throws IOException {
    gds("load", store, file("x.csv", "\uFEFF\"id\",v\n7,seven\n"), "--key-column=id").ok();
    assertEquals("7\tseven\n", scan());
  }

  @Test
  void bytesThatAreNotUtf8PassThrough() throws IOException {
    Path csv = temp.resolve("latin.csv");
    Files.write(csv, "caf\u00E9,\u00FC\n".getBytes(StandardCharsets.ISO_8859_1));
    gds("load", store, csv).ok();
    assertEquals("636166e9\tfc\n", gds("scan", store, "--hex").ok());
  }

  @Test
  void laterDuplicateWinsWithAnyNumberOfThreads() {
    StringBuilder csv = new StringBuilder();
    for (int round = 0; round < 50; round++) {
      for (int key = 0; key < 200; key++) {
        csv.append("key").append(key).append(',').append(round).append('\n');
      }
    }
    gdsReading(csv.toString(), "load", store, "--delimiter=,", "--threads=4", "--synced").ok();
    assertEquals(200, scan().lines().count());
    assertTrue(scan().lines().allMatch(line -> line.endsWith("\t49")), scan());
  }

  @Test
  void resultIsJsonOnDemand() throws IOException {
    Map<String, Object> object =
        gds("load", store, file("w", "a\nbb\n"), "--json").json().getFirst();
    assertEquals(2L, object.get("records"));
    assertEquals(5L, object.get("bytes"));
  }

  @Test
  void mistakesAreNamedAndLeaveNoStoreBehind() throws IOException {
    Path csv = file("x.csv", "id,name\n1,Ann\n");
    assertTrue(fail("load", store, temp.resolve("none.csv")).contains("none.csv"));
    assertTrue(fail("load", store, temp).contains("directory"));
    String unknown = fail("load", store, csv, "--key-column", "nmae");
    assertTrue(unknown.contains("nmae") && unknown.contains("id, name"), unknown);
    assertTrue(usage("load", store, csv, "--key-column", "0").contains("--key-column=0"));
    assertTrue(usage("load", store, csv, "--delimiter", "::").contains("::"));
    assertTrue(usage("load", store, csv, "--threads", "0").contains("--threads=0"));
    assertTrue(usage("load", store, file("w", "a"), "--key-column=2").contains("plain lines"));
    assertFalse(Files.exists(store));
  }

  @Test
  void recordWithTooFewColumnsIsFoundByItsLine() throws IOException {
    Path csv = file("x.csv", "1,a,x\n2,b,y\n3\n");
    String message = fail("load", store, csv, "--key-column=2");
    assertTrue(message.contains("line=3 columns=1 needed=2"), message);
  }

  @Test
  void keyTooLongForAStoreIsRefused() {
    GdsRun run = gdsReading("k".repeat(65_536) + "\n", "load", store);
    assertTrue(run.failure(ExitStatus.FAILED).contains("keyBytes=65536"), run.err());
  }

  private static String fail(Object... args) {
    return gds(args).failure(ExitStatus.FAILED);
  }

  private static String usage(Object... args) {
    return gds(args).failure(ExitStatus.USAGE);
  }
}
