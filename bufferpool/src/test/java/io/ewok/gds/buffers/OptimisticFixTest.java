package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class OptimisticFixTest {
  private static final PageSize SIZE = PageSize.BYTES_4096;
  private static final int PAGES = 20;
  private static final int AT = 64;
  private static final BufferOptions OPTIONS =
      new BufferOptions(8 * 4096, 4096, null).withWaitMax(Duration.ofSeconds(20));

  private final SimEngine engine = new SimEngine(1);
  private final BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
  private final Fix look = new Fix();
  private final Fix other = new Fix();
  private CachedPageFile file;

  @BeforeEach
  void create() throws IOException {
    file = manager.openPages(Path.of("/pages"), SIZE, OpenMode.CREATE_NEW);
    for (int page = 1; page <= PAGES; page++) {
      file.create(other);
      other.segment().set(ValueLayout.JAVA_LONG, AT, page);
      other.unfix();
    }
  }

  @AfterEach
  void close() throws IOException {
    other.close();
    look.close();
    manager.close();
  }

  private long value() {
    return look.segment().get(ValueLayout.JAVA_LONG, AT);
  }

  private long eight() {
    return look.getLong(AT);
  }

  @Test
  void itIsReadWithoutKeepingAnybodyAway() throws IOException {
    for (int i = 0; i < 2; i++) { // not in the pool, then in it
      file.fixOptimistic(3, look);
      assertEquals(3, value());
      assertEquals(3, look.number());
      assertTrue(look.validate());
      look.unfix();
    }
    file.fixOptimistic(3, look);
    assertEquals(0, manager.stats().pinned());
    file.fixShared(3, other);
    assertTrue(look.validate());
    other.unfix();
    manager.flush();
    assertTrue(look.validate());
    file.fixExclusive(3, other);
    assertFalse(look.validate());
    other.unfix();
    assertFalse(look.validate());
  }

  @Test
  void whatIsStillThereIsFixedAgain() throws IOException {
    file.fixOptimistic(3, look);
    long hits = manager.stats().hits();
    assertTrue(other.fixAgain(look));
    assertEquals(hits + 1, manager.stats().hits());
    assertEquals(3, other.number());
    assertEquals(3, other.segment().get(ValueLayout.JAVA_LONG, AT));
    assertTrue(other.validate());
    assertThrows(IllegalStateException.class, () -> other.fixAgain(look));
    other.unfix();
    for (int page = 1; page <= PAGES; page++) {
      if (page != 3) {
        file.fixShared(page, other);
        other.unfix();
      }
    }
    for (int page = 4; page <= PAGES; page++) {
      file.fixShared(page, other);
      other.unfix();
    }
    assertFalse(look.validate());
    assertFalse(other.fixAgain(look));
    assertFalse(other.isFixed());
  }

  @Test
  void whatIsLatchedIsNotFixedAgain() throws IOException {
    file.fixShared(3, look);
    assertFalse(other.fixAgain(look));
    look.unfix();
    assertFalse(other.fixAgain(look));
    file.fixOptimistic(3, look);
    try (Fix writer = new Fix()) {
      file.fixExclusive(3, writer);
      assertFalse(other.fixAgain(look));
    }
    assertFalse(other.fixAgain(look));
  }

  @Test
  void aPageThatWasEvictedIsNotTheSameAgain() throws IOException {
    file.fixOptimistic(3, look);
    for (int page = 4; page <= PAGES; page++) {
      file.fixShared(page, other);
      other.unfix();
    }
    assertFalse(look.validate());
    file.fixShared(3, other);
    assertFalse(look.validate());
  }

  @Test
  void itCannotBeChanged() throws IOException {
    file.fixOptimistic(3, look);
    assertTrue(look.segment().isReadOnly());
    assertThrows(IllegalStateException.class, () -> look.markDirty(0));
    assertThrows(IllegalStateException.class, () -> file.fixShared(4, look));
    look.unfix();
    assertThrows(IllegalStateException.class, look::validate);
  }

  @Test
  void aLatchedFixIsValid() throws IOException {
    file.fixShared(3, look);
    assertTrue(look.validate());
    look.unfix();
    file.fixExclusive(3, look);
    assertTrue(look.validate());
  }

  @Test
  void itDoesNotKeepFilesOrTheManagerOpen() throws IOException {
    file.fixOptimistic(3, look);
    file.close();
    assertFalse(look.validate());
    assertThrows(IllegalStateException.class, () -> file.fixOptimistic(3, other));
    manager.close();
    assertThrows(IllegalStateException.class, this::value);
    assertThrows(IllegalStateException.class, this::eight);
  }

  @Test
  void itIsReadWithoutItsSegmentAndWithinItsBounds() throws IOException {
    for (int page = 1; page <= PAGES; page++) {
      file.fixShared(page, look);
      assertEquals(page, look.getLong(AT));
      assertEquals(page, look.getInt(AT));
      assertEquals((long) page << 8, look.getLong(AT - 1));
      assertEquals(look.segment().address(), look.address());
      look.unfix();
    }
    file.fixOptimistic(3, look);
    assertEquals(0, look.getInt(SIZE.bytes() - 4));
    assertThrows(IndexOutOfBoundsException.class, () -> look.getLong(SIZE.bytes() - 7));
    assertThrows(IndexOutOfBoundsException.class, () -> look.getInt(SIZE.bytes() - 3));
    assertThrows(IndexOutOfBoundsException.class, () -> look.getLong(-1));
    look.unfix();
    assertThrows(IllegalStateException.class, this::eight);
    assertThrows(IllegalStateException.class, look::address);
  }

  @Test
  void noHitAllocates() throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int rounds = 50_000;
    long least = Long.MAX_VALUE;
    // Compilers and collectors may come between.
    for (int attempt = 0; attempt < 20 && least > rounds / 10; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < rounds; i++) {
        file.fixShared(3, look);
        look.unfix();
        file.fixExclusive(3, look);
        look.unfix();
        file.fixOptimistic(3, look);
        assertEquals(3, look.getLong(AT));
        assertTrue(look.validate());
        look.unfix();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least <= rounds / 10, "rounds=" + rounds + " bytes=" + least);
  }

  /**
   * A page has the offset of its number. A writer breaks it for a moment, with an offset far
   * outside, and other pages push it out of the pool.
   */
  @Test
  void whatValidatesIsRightAndWhatIsOutOfBoundsDoesNotValidate() throws Exception {
    boolean done = false;
    FutureTask<Void> writer = new FutureTask<>(() -> write(7));
    Thread.ofPlatform().start(writer);
    SplittableRandom random = new SplittableRandom(5);
    while (!done) {
      done = writer.isDone();
      int page = 1 + random.nextInt(PAGES);
      file.fixOptimistic(page, look);
      try {
        MemorySegment bytes = look.segment();
        long offset = look.getLong(AT + 8);
        long found =
            page % 2 == 0
                ? look.getLong(AT + offset)
                : bytes.get(ValueLayout.JAVA_LONG, AT + offset);
        if (look.validate()) {
          assertEquals(page, found);
        }
      } catch (IndexOutOfBoundsException e) {
        assertFalse(look.validate(), "out of bounds in a page that nobody changes");
      }
      look.unfix();
    }
    writer.get();
  }

  private Void write(long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    try (Fix fix = new Fix()) {
      for (int i = 0; i < 30_000; i++) {
        int page = 1 + random.nextInt(PAGES);
        file.fixExclusive(page, fix);
        MemorySegment bytes = fix.segment();
        int offset = 16 + 8 * random.nextInt(100);
        bytes.set(ValueLayout.JAVA_LONG, AT + 8, Long.MAX_VALUE / 2);
        bytes.asSlice(AT + 16, 808).fill((byte) 0);
        bytes.set(ValueLayout.JAVA_LONG, AT + offset, page);
        bytes.set(ValueLayout.JAVA_LONG, AT + 8, offset);
        fix.markDirty(0);
        fix.unfix();
      }
    }
    return null;
  }
}
