package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class TailWindowTest {
  private static final long SEED = 3;
  private static final int CAPACITY = 4096;

  private final TailWindow window = new TailWindow(MemorySegment.ofArray(new long[CAPACITY / 8]));

  /** Writes words that are their own positions. */
  private void write(long lsn, int words) {
    long[] content = new long[words];
    for (int i = 0; i < words; i++) {
      content[i] = lsn + (long) i * Long.BYTES;
    }
    window.write(lsn, MemorySegment.ofArray(content));
  }

  /** Returns whether the words were there; if so they are right. */
  private boolean read(long lsn, long[] into, int words) {
    MemorySegment to = MemorySegment.ofArray(into);
    if (!window.read(lsn, (long) words * Long.BYTES, to, 0)) {
      return false;
    }
    for (int i = 0; i < words; i++) {
      assertEquals(lsn + (long) i * Long.BYTES, to.getAtIndex(ValueLayout.JAVA_LONG, i));
    }
    return true;
  }

  @Test
  void lastBytesAreHereAndNoOthers() {
    SplittableRandom random = new SplittableRandom(SEED);
    long[] into = new long[CAPACITY / Long.BYTES];
    long end = 0;
    for (int i = 0; i < 2000; i++) {
      int words = 1 + random.nextInt(i % 10 == 0 ? 3 * into.length : 50);
      write(end, words);
      end += (long) words * Long.BYTES;
      long start = Math.max(0, end - CAPACITY);
      assertTrue(read(start, into, (int) ((end - start) / Long.BYTES)));
      assertTrue(window.has(end - 1));
      assertFalse(window.has(end));
      assertFalse(read(end - Long.BYTES, into, 2));
      assertFalse(start > 0 && read(start - Long.BYTES, into, 1));
      assertFalse(start > 0 && window.has(start - 1));
    }
  }

  @Test
  void windowBeginsWithTheFirstWriteAndLastsOverWhatIsLeftOut() {
    long[] into = new long[CAPACITY / Long.BYTES];
    write(1000, 10);
    assertFalse(window.has(999));
    write(2000, 10);
    assertTrue(read(1000, into, 10));
    assertTrue(read(2000, into, 10));
    write(1 << 20, 10);
    assertFalse(window.has(2000));
    assertTrue(read(1 << 20, into, 10));
  }

  @Test
  void readerNeverGetsBytesOfAnotherLap() throws InterruptedException {
    long total = 200_000_000L;
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  SplittableRandom random = new SplittableRandom(SEED);
                  for (long lsn = 0; lsn < total; ) {
                    int words = 1 + random.nextInt(300);
                    write(lsn, words);
                    lsn += (long) words * Long.BYTES;
                  }
                });
    SplittableRandom random = new SplittableRandom(SEED + 1);
    long[] into = new long[CAPACITY / Long.BYTES];
    long seen = 0;
    long lsn = 0;
    while (writer.isAlive()) {
      int words = 1 + random.nextInt(into.length / 2);
      if (read(lsn, into, words)) {
        seen++;
        lsn += (long) words * Long.BYTES;
      } else if (!window.has(lsn)) {
        // Near the start, where the writer overwrites next.
        lsn = Math.max(lsn, window.startLsn());
      }
    }
    writer.join();
    assertTrue(seen > 0);
  }
}
