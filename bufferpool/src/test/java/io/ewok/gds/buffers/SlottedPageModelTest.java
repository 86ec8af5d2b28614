package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Seeded changes beside a list of tuples, and on pages with any bytes. Another seed: {@code
 * -Dgds.test.seed=N}.
 */
final class SlottedPageModelTest {
  private static final long SEED = Long.getLong("gds.test.seed", 20260417);
  private static final int STEPS = 4_000;
  private static final int HOSTILE_PAGES = 20_000;
  private static final byte CANARY = 0x6B;

  @ParameterizedTest
  @EnumSource(PageSize.class)
  void thePageIsTheModel(PageSize size) {
    Random random = new Random(SEED + size.code());
    MemorySegment page = MemorySegment.ofArray(new byte[size.bytes()]);
    PageFormat.format(page, size);
    int special = random.nextInt(40);
    SlottedPage.reserveSpecial(page, special);
    page.asSlice(size.bytes() - special).fill(CANARY);
    List<byte[]> model = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      String at = "-Dgds.test.seed=" + SEED + " size=" + size + " step=" + step;
      change(page, model, random, at);
      if (step % 16 == 0) {
        compare(page, model, special, at);
      }
    }
  }

  private static void change(
      MemorySegment page, List<byte[]> model, Random random, String message) {
    byte[] tuple = new byte[length(page, random)];
    random.nextBytes(tuple);
    int slot = model.isEmpty() ? 0 : random.nextInt(model.size());
    boolean used = !model.isEmpty() && model.get(slot) != null;
    int free = free(page, model);
    switch (random.nextInt(8)) {
      case 0, 1, 2 -> {
        int unused = model.indexOf(null);
        int need = tuple.length + (unused < 0 ? ItemPointers.BYTES : 0);
        int expected = need > free ? SlottedPage.NO_ROOM : unused < 0 ? model.size() : unused;
        assertEquals(expected, SlottedPage.insert(page, MemorySegment.ofArray(tuple)), message);
        if (expected == model.size()) {
          model.add(tuple);
        } else if (expected >= 0) {
          model.set(expected, tuple);
        }
      }
      case 3 -> {
        boolean fits = tuple.length + ItemPointers.BYTES <= free;
        assertEquals(fits, SlottedPage.insertAt(page, slot, MemorySegment.ofArray(tuple)), message);
        if (fits) {
          model.add(slot, tuple);
        }
      }
      case 4, 5 -> {
        if (used) {
          boolean fits = tuple.length <= free + model.get(slot).length;
          assertEquals(fits, SlottedPage.update(page, slot, MemorySegment.ofArray(tuple)), message);
          if (fits) {
            model.set(slot, tuple);
          }
        }
      }
      case 6 -> {
        if (used && random.nextBoolean()) {
          SlottedPage.removeAt(page, slot);
          model.remove(slot);
        } else if (used) {
          SlottedPage.delete(page, slot);
          model.set(slot, null);
        }
        while (!model.isEmpty() && model.getLast() == null) {
          model.removeLast();
        }
      }
      default -> SlottedPage.compact(page);
    }
  }

  /** Mostly short, sometimes about as much as there may be room for. */
  private static int length(MemorySegment page, Random random) {
    return 1 + random.nextInt(random.nextInt(8) == 0 ? (int) page.byteSize() / 2 : 40);
  }

  private static int free(MemorySegment page, List<byte[]> model) {
    int taken = PageFormat.HEADER_BYTES + model.size() * ItemPointers.BYTES;
    for (byte[] tuple : model) {
      taken += tuple == null ? 0 : tuple.length;
    }
    return PageSpace.end(page) - taken;
  }

  private static void compare(MemorySegment page, List<byte[]> model, int special, String message) {
    SlottedPage.check(page);
    assertEquals(free(page, model), SlottedPage.freeBytes(page), message);
    assertEquals(model.size(), SlottedPage.itemCount(page), message);
    int slot = SlottedPage.next(page, 0);
    for (int i = 0; i < model.size(); i++) {
      if (model.get(i) != null) {
        assertEquals(i, slot, message);
        assertArrayEquals(
            model.get(i), SlottedPage.readOrNull(page, i).toArray(ValueLayout.JAVA_BYTE), message);
        slot = SlottedPage.next(page, i + 1);
      }
    }
    assertEquals(SlottedPage.NO_SLOT, slot, message);
    int upper = PageFormat.upper(page);
    int lower = PageFormat.lower(page);
    assertArrayEquals(
        new byte[upper - lower],
        page.asSlice(lower, upper - lower).toArray(ValueLayout.JAVA_BYTE),
        message);
    byte[] owned = page.asSlice(page.byteSize() - special).toArray(ValueLayout.JAVA_BYTE);
    byte[] canary = new byte[special];
    Arrays.fill(canary, CANARY);
    assertArrayEquals(canary, owned, message);
  }

  /**
   * The page lies between bytes that must stay as they are, in memory that ends with them: an index
   * out of the page that the JVM does not stop would be seen there.
   */
  @Test
  void anyBytesGiveAnAnswerOrAnException() {
    assertTimeoutPreemptively(Duration.ofMinutes(2), SlottedPageModelTest::useHostilePages);
  }

  private static void useHostilePages() {
    Random random = new Random(SEED);
    PageSize[] sizes = {PageSize.BYTES_512, PageSize.BYTES_1024, PageSize.BYTES_65536};
    for (PageSize size : sizes) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment around = arena.allocate(size.bytes() + 2 * 64L).fill(CANARY);
        MemorySegment page = around.asSlice(64, size.bytes());
        int pages = size == PageSize.BYTES_65536 ? HOSTILE_PAGES / 50 : HOSTILE_PAGES;
        for (int i = 0; i < pages; i++) {
          corrupt(page, size, random);
          for (int call = 0; call < 6; call++) {
            useSomehow(page, random, "-Dgds.test.seed=" + SEED + " size=" + size + " page=" + i);
          }
        }
        for (long at = 0; at < 64; at++) {
          assertEquals(CANARY, around.get(ValueLayout.JAVA_BYTE, at));
          assertEquals(CANARY, around.get(ValueLayout.JAVA_BYTE, around.byteSize() - 1 - at));
        }
      }
    }
  }

  private static void corrupt(MemorySegment page, PageSize size, Random random) {
    PageFormat.format(page, size);
    int tuples = random.nextInt(20);
    for (int i = 0; i < tuples; i++) {
      SlottedPage.insert(page, MemorySegment.ofArray(new byte[1 + random.nextInt(60)]));
    }
    if (random.nextInt(10) == 0) {
      byte[] noise = new byte[size.bytes()];
      random.nextBytes(noise);
      page.copyFrom(MemorySegment.ofArray(noise));
    }
    int used = Math.min(size.bytes(), PageFormat.HEADER_BYTES + tuples * ItemPointers.BYTES);
    for (int i = random.nextInt(6); i >= 0; i--) {
      byte value = (byte) (random.nextBoolean() ? random.nextInt() : random.nextInt(3) - 1);
      page.set(ValueLayout.JAVA_BYTE, random.nextInt(used), value);
    }
  }

  private static void useSomehow(MemorySegment page, Random random, String message) {
    int slot = random.nextInt(24);
    MemorySegment tuple = MemorySegment.ofArray(new byte[1 + random.nextInt(120)]);
    try {
      switch (random.nextInt(11)) {
        case 0 -> SlottedPage.insert(page, tuple);
        case 1 -> SlottedPage.insertAt(page, slot, tuple);
        case 2 -> SlottedPage.update(page, slot, tuple);
        case 3 -> SlottedPage.delete(page, slot);
        case 4 -> SlottedPage.removeAt(page, slot);
        case 5 -> SlottedPage.compact(page);
        case 6 -> SlottedPage.prune(page, 1 << 20, read -> read.byteSize() % 3);
        case 7 -> SlottedPage.freeBytes(page);
        case 8 -> SlottedPage.check(page);
        case 9 -> SlottedPage.reserveSpecial(page, slot);
        default -> {
          for (int at = SlottedPage.next(page, 0); at >= 0; at = SlottedPage.next(page, at + 1)) {
            SlottedPage.readOrNull(page, at).toArray(ValueLayout.JAVA_BYTE);
          }
        }
      }
    } catch (CorruptPageException e) {
      assertNotNull(e.getMessage(), message);
    } catch (IndexOutOfBoundsException e) {
      if (!e.getMessage().startsWith("no such slot")) {
        throw new AssertionError(message, e);
      }
    } catch (IllegalArgumentException e) {
      if (!e.getMessage().startsWith("the slot holds no tuple")) {
        throw new AssertionError(message, e);
      }
    } catch (IllegalStateException e) {
      if (!e.getMessage().startsWith("the page has tuples")) {
        throw new AssertionError(message, e);
      }
    } catch (RuntimeException e) {
      throw new AssertionError(message, e);
    }
  }
}
