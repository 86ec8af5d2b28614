package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.SlottedPage;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageCommandTest {
  private static final int PAGE_BYTES = 8192;

  @TempDir private Path temp;
  private Path file;

  /** Pages 1 to 6: the third has two items and an unused slot, the fourth was given back. */
  @BeforeEach
  void writePages() throws IOException {
    file = temp.resolve("data.pages");
    writePages(EngineOptions.defaults());
  }

  private void writePages(EngineOptions engineOptions) throws IOException {
    BufferOptions options = new BufferOptions(1 << 20, PAGE_BYTES, null);
    try (IoEngine engine = IoEngines.open(engineOptions);
        BufferManager manager =
            new BufferManager(engine, MemoryBudget.root("pages", options.memoryBytes()), options);
        CachedPageFile pages =
            manager.openPages(
                file, PageSize.BYTES_8192, OpenMode.CREATE_NEW, TornPages.DOUBLE_WRITE);
        Fix fix = new Fix()) {
      for (int i = 1; i <= 6; i++) {
        pages.create(fix);
        for (String text : new String[] {"first of " + i, "second", "third"}) {
          SlottedPage.insert(
              fix.segment(), MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
        }
        SlottedPage.delete(fix.segment(), 1);
        fix.unfix();
      }
      pages.free(4, 0);
    }
  }

  @Test
  void aSoundFileIsVerifiedAlsoByALinkToIt() throws IOException {
    Path link = Files.createSymbolicLink(temp.resolve("link"), file);
    gds("page", "verify", link).ok();
    String out = gds("page", "verify", file).ok();
    assertTrue(out.contains("1 free, 0 bad"), out);
    Map<String, Object> counts = json(gds("page", "verify", file, "--json").ok()).getLast();
    assertEquals(0L, counts.get("bad"));
    assertEquals(1L, counts.get("free"));
    assertEquals(
        7L, (Long) counts.get("pages") - (Long) counts.get("never_written"), counts.toString());
  }

  @Test
  void rottenAndTornPagesAreListedAndFail() throws IOException {
    damage(3 * PAGE_BYTES + 5000, 1);
    damage(5 * PAGE_BYTES + 4096, 4096);
    GdsRun run = gds("page", "verify", file);
    assertEquals(ExitStatus.FAILED, run.status());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(0).startsWith("page 3, at byte 24576: its checksum is "), run.out());
    assertTrue(lines.get(1).startsWith("page 5, at byte 40960: "), run.out());
    assertTrue(lines.get(2).contains(" 2 bad"), run.out());
    assertTrue(run.err().contains("opening the file for writing repairs them"), run.err());
    assertTrue(run.err().contains("gds: 2 pages of this file are not what"), run.err());
    GdsRun inJson = gds("page", "verify", file, "--json");
    assertEquals(ExitStatus.FAILED, inJson.status());
    List<Map<String, Object>> objects = inJson.json();
    assertEquals(3L, objects.get(0).get("page"));
    assertEquals(40960L, objects.get(1).get("offset"));
    assertEquals(2L, objects.get(2).get("bad"));
  }

  @Test
  void aFileThatWasCutIsBad() throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.setLength(5 * PAGE_BYTES + 100);
    }
    GdsRun run = gds("page", "verify", file);
    assertEquals(ExitStatus.FAILED, run.status());
    assertTrue(run.out().startsWith("page 5, at byte 40960: the file ends after 100"), run.out());
  }

  @Test
  void aPageIsPrintedWithHeaderItemsAndBytes() {
    String out = gds("page", "dump", file, "--page", "3").ok();
    assertTrue(out.startsWith("page       3, at byte 24576\nstate      written\n"), out);
    assertTrue(out.contains("\nflags      0x02 unused items\n"), out);
    assertTrue(out.contains("\n3 items, "), out);
    assertTrue(out.contains("     0  at  8182,    10 bytes  66 69 72 73 74"), out);
    assertTrue(out.contains("|first of 3|\n     1  unused\n"), out);
    assertTrue(out.contains("\n*\n"), out);
    assertTrue(out.endsWith("|\n00002000\n"), out);
    Map<String, Object> page = json(gds("page", "dump", file, "--page=3", "--json").ok()).get(0);
    assertEquals("written", page.get("state"));
    assertEquals(List.of(10L, 0L, 5L), page.get("item_lengths"));
    assertEquals(2L * PAGE_BYTES, ((String) page.get("hex")).length());
  }

  @Test
  void ofEncryptedPagesThereAreHeadersAndItemsForThoseWhoHaveTheKey() throws IOException {
    Path keys = keyFile("keys", "1 " + "07".repeat(32));
    file = temp.resolve("sealed.pages");
    writePages(EngineOptions.defaults().withKeys(KeyFile.read(keys)));
    String listed = gds("page", "dump", file).ok();
    assertTrue(listed.contains("torn pages: DOUBLE_WRITE, encrypted\n"), listed);
    String closed = gds("page", "dump", file, "--page=3").ok();
    assertTrue(closed.contains("no items: the page is encrypted"), closed);
    assertTrue(closed.contains("\nflags      0x02 unused items\n"), closed);
    assertFalse(closed.contains("first of 3"), closed);
    Map<String, Object> page = json(gds("page", "dump", file, "--page=3", "--json").ok()).get(0);
    assertEquals(true, page.get("encrypted"));
    String open = gds("page", "dump", file, "--page=3", "--key-file", keys).ok();
    assertTrue(open.contains("|first of 3|\n     1  unused\n"), open);
    String verified = gds("page", "verify", file).ok();
    assertTrue(verified.contains(" 1 free, 0 bad"), verified);
    String opened = gds("page", "verify", file, "--key-file", keys).ok();
    assertTrue(opened.contains(" 1 free, 0 bad"), opened);
    Path others = keyFile("others", "1 " + "08".repeat(32));
    GdsRun wrong = gds("page", "verify", file, "--key-file", others);
    assertEquals(ExitStatus.FAILED, wrong.status());
    assertTrue(wrong.err().contains("another key"), wrong.err());
    Path strict = keyFile("strict", "1 " + "07".repeat(32) + "\nencrypted only");
    gds("page", "verify", file, "--key-file", strict).ok();
    GdsRun refused = gds("page", "verify", temp.resolve("data.pages"), "--key-file", strict);
    assertEquals(ExitStatus.FAILED, refused.status());
    assertTrue(refused.err().contains("not encrypted"), refused.err());
  }

  private Path keyFile(String name, String content) throws IOException {
    Path path = temp.resolve(name);
    Files.writeString(path, content + "\n");
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    return path;
  }

  @Test
  void pagesAreListed() {
    List<String> lines = gds("page", "dump", file).ok().lines().toList();
    assertTrue(
        lines.get(0).endsWith("pages of 8192 bytes, torn pages: DOUBLE_WRITE"), lines.get(0));
    assertTrue(lines.get(2).startsWith("         0 written "), lines.get(2));
    assertTrue(lines.get(6).startsWith("         4 free "), lines.get(6));
    assertTrue(lines.get(9).matches("         7 to \\d+ never written"), lines.get(9));
    assertEquals(10, lines.size());
    List<Map<String, Object>> pages = json(gds("page", "dump", file, "--json").ok());
    assertEquals("never_written", pages.getLast().get("state"));
    assertFalse(pages.get(0).containsKey("hex"));
  }

  @Test
  void badPagesArePrintedAllTheSameAndFail() throws IOException {
    damage(3 * PAGE_BYTES + 18, 2); // the header's upper bound
    for (String option : new String[] {"--page=3", "--debug"}) {
      GdsRun run = gds("page", "dump", file, option);
      assertEquals(ExitStatus.FAILED, run.status());
      assertTrue(run.out().contains("its checksum is "), run.out());
      assertEquals("", run.err());
    }
    assertTrue(gds("page", "dump", file, "--page=3").out().contains("no items: the bounds"));
  }

  @Test
  void whatIsNoPageFileIsSaidToBeNone() throws IOException {
    Path text = Files.writeString(temp.resolve("text"), "no pages\n".repeat(1000));
    Path empty = Files.createFile(temp.resolve("empty"));
    for (String command : new String[] {"verify", "dump"}) {
      for (Path none : new Path[] {text, empty}) {
        String message = gds("page", command, none).failure(ExitStatus.FAILED);
        assertTrue(message.contains("this is not a page file"), message);
        assertTrue(message.endsWith("path=" + none), message);
      }
      String directory = gds("page", command, temp).failure(ExitStatus.FAILED);
      assertTrue(directory.contains("this is a directory"), directory);
      String missing = gds("page", command, temp.resolve("no")).failure(ExitStatus.FAILED);
      assertTrue(missing.contains("there is no such file"), missing);
      gds("page", command, file, "--page-size=1000").failure(ExitStatus.USAGE);
      gds("page", command).failure(ExitStatus.USAGE);
    }
    gds("page").failure(ExitStatus.USAGE);
    gds("page", "dump", file, "--page=100000").failure(ExitStatus.FAILED);
    gds("page", "dump", file, "--page=-1").failure(ExitStatus.FAILED);
  }

  @Test
  void aRottenFirstPageIsNoObstacleIfTheSizeIsTold() throws IOException {
    damage(24, 8);
    gds("page", "verify", file).failure(ExitStatus.FAILED);
    GdsRun run = gds("page", "verify", file, "--page-size=8K");
    assertEquals(ExitStatus.FAILED, run.status());
    assertTrue(run.out().startsWith("page 0, at byte 0: its checksum"), run.out());
    assertTrue(run.out().contains(" 1 bad"), run.out());
    gds("page", "dump", file, "--page-size=8K", "--page=1").ok();
  }

  @Test
  void theCommandsExplainThemselves() {
    for (String command : new String[] {"verify", "dump"}) {
      String help = gds("page", command, "--help").ok();
      assertTrue(help.contains("Usage: gds page " + command), help);
      assertTrue(help.contains("Example") && help.contains("--debug"), help);
    }
  }

  private void damage(long offset, int bytes) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      byte[] old = new byte[bytes];
      open.seek(offset);
      open.readFully(old);
      for (int i = 0; i < bytes; i++) {
        old[i] ^= 0x55;
      }
      open.seek(offset);
      open.write(old);
    }
  }

  private static List<Map<String, Object>> json(String out) {
    return new GdsRun(0, out, "").json();
  }
}
