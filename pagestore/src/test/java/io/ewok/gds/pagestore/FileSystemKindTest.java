package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FileSystemKindTest {
  @Test
  void thoseThatMoveBytesThroughMemoryAreKnown() {
    assertTrue(FileSystemKind.of(0x58465342).isDirect(true));
    assertTrue(FileSystemKind.of(0xEF53).isDirect(false), "before the kernel told alignments");
    assertTrue(FileSystemKind.of(4711).isDirect(false));
    assertFalse(FileSystemKind.of(0x01021994).isDirect(false));
    assertFalse(FileSystemKind.of(0x9123683E).isDirect(true));
    assertFalse(FileSystemKind.of(0x2FC12FC1).isDirect(false));
    assertTrue(FileSystemKind.of(0x794C7630).isDirect(true), "as what it lies over");
    assertFalse(FileSystemKind.of(0x794C7630).isDirect(false));
    assertEquals("btrfs", FileSystemKind.of(0x9123683E).toString());
  }
}
