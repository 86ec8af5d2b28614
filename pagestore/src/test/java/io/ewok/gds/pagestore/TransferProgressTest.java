package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import org.junit.jupiter.api.Test;

class TransferProgressTest {
  private final TransferProgress progress = new TransferProgress();

  @Test
  void shortReadGoesOnUntilTheEndOfTheFile() {
    progress.start(false, 4096, 512);
    assertTrue(progress.advance(1024));
    assertEquals(1024, progress.done());
    assertTrue(progress.advance(512));
    assertFalse(progress.advance(0));
    assertEquals(1536, progress.done());
    assertEquals(0, progress.errno());
  }

  @Test
  void readThatStopsUnalignedIsAtTheEndOfTheFile() {
    progress.start(false, 4096, 512);
    assertFalse(progress.advance(700));
    assertEquals(700, progress.done());
  }

  @Test
  void shortWriteGoesOnAtTheLastAlignedPlace() {
    progress.start(true, 4096, 512);
    assertTrue(progress.advance(700));
    assertEquals(512, progress.done());
    assertFalse(progress.advance(3584));
    assertEquals(4096, progress.done());
  }

  @Test
  void errorEndsTheTransferButInterruptionsDoNot() {
    progress.start(true, 4096, 512);
    assertTrue(progress.advance(-Errno.EINTR));
    assertTrue(progress.advance(-Errno.EAGAIN));
    assertTrue(progress.advance(1024));
    assertFalse(progress.advance(-Errno.ENOSPC));
    assertEquals(Errno.ENOSPC, progress.errno());
  }

  @Test
  void transferThatNeverMovesEnds() {
    for (int result : new int[] {0, 100, -Errno.EAGAIN}) {
      progress.start(true, 4096, 512);
      int calls = 1;
      while (progress.advance(result)) {
        calls++;
        assertTrue(calls < 10_000, "result=" + result);
      }
      assertTrue(progress.errno() != 0, "result=" + result);
    }
  }
}
