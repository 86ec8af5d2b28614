package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AtomicWritesTest {
  @Test
  void powersOfTwoInTheRangeAtTheirMultiplesAreAllowed() {
    AtomicWrites writes = new AtomicWrites(4096, 16384);
    assertTrue(writes.allows(0, 4096));
    assertTrue(writes.allows(1L << 40, 16384));
    assertTrue(writes.allows(8192, 8192));
    assertFalse(writes.allows(4096, 8192), "not at its multiple");
    assertFalse(writes.allows(0, 2048), "too small");
    assertFalse(writes.allows(0, 32768), "too large");
    assertFalse(writes.allows(0, 12288), "not a power of two");
    assertFalse(AtomicWrites.NONE.allows(0, 0));
    assertFalse(AtomicWrites.NONE.allows(0, 4096));
    assertEquals(new AtomicWrites(0, 0), AtomicWrites.NONE);
  }
}
