package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchFileTest {
  private static final int BYTES = 2 << 20;

  /** Offset of the mark's size. */
  private static final int TOLD_OFFSET = BYTES + 8;

  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void name() {
    path = directory.resolve("bench");
  }

  @Test
  void namedFileIsWrittenOnceAndUsedAgain() throws IOException {
    make(BYTES);
    Object first = Files.readAttributes(path, "unix:ino,lastModifiedTime");
    byte[] bytes = Files.readAllBytes(path);
    for (int at = 0; at < BYTES; at += 4096) {
      assertNotEquals(0, bytes[at] | bytes[at + 1] | bytes[at + 2] | bytes[at + 3], "a hole");
    }
    make(BYTES);
    assertEquals(first, Files.readAttributes(path, "unix:ino,lastModifiedTime"));
    make(2 * BYTES);
    assertTrue(Files.size(path) > 2 * BYTES, "another size was wanted");
  }

  @Test
  void fileThatWasNotFinishedIsMadeAnew() throws IOException {
    make(BYTES);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(new byte[4096]);
      file.seek(TOLD_OFFSET);
      file.writeLong(0);
    }
    make(BYTES);
    assertNotEquals(0, Files.readAllBytes(path)[0] | Files.readAllBytes(path)[1]);
  }

  @Test
  void fileOfSomebodyElseIsRefusedAndStaysAsItIs() throws IOException {
    make(BYTES);
    byte[] bytes = Files.readAllBytes(path);
    bytes[BYTES]++;
    Files.write(path, bytes);
    refuse();
    assertArrayEquals(bytes, Files.readAllBytes(path));
    Files.writeString(path, "precious");
    refuse();
    assertEquals("precious", Files.readString(path));
    Files.write(path, new byte[0]);
    refuse();
    Files.delete(path);
    Files.createSymbolicLink(path, directory.resolve("elsewhere"));
    refuse();
    Files.delete(path);
    Files.createDirectory(path);
    refuse();
  }

  private void refuse() {
    IOException e = assertThrows(IOException.class, () -> BenchFile.named(path, BYTES));
    assertTrue(e.getMessage().endsWith("path=" + path), e::getMessage);
  }

  private void make(int bytes) throws IOException {
    try (BenchFile file = BenchFile.named(path, bytes)) {
      assertEquals(path, file.path());
      assertEquals(bytes, file.sizeBytes());
    }
  }

  @Test
  void temporaryFileIsDeletedOnClose() throws IOException {
    Path made;
    try (BenchFile file = BenchFile.temporary(BYTES)) {
      made = file.path();
      assertTrue(Files.exists(made));
    }
    assertFalse(Files.exists(made));
  }
}
