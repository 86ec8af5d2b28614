package io.ewok.gds.lsm.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Fixtures;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A set of range deletes says the same as each of them alone. */
class RangeDeletesTest {
  private static final int SEQUENCES = 60;

  private static MemorySegment key(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  private static RangeDelete delete(String first, String end, long sequence) {
    return new RangeDelete(key(first), key(end), sequence);
  }

  /** Short and long keys, with few different bytes: equal ones, prefixes of each other. */
  private static MemorySegment randomKey(SplittableRandom random) {
    byte[] key = new byte[random.nextInt(random.nextBoolean() ? 4 : 12)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextInt(3) * 127);
    }
    return MemorySegment.ofArray(key);
  }

  private static List<RangeDelete> random(SplittableRandom random, int count) {
    List<RangeDelete> deletes = new ArrayList<>();
    while (deletes.size() < count) {
      MemorySegment a = randomKey(random);
      MemorySegment b = randomKey(random);
      if (RangeDelete.isRange(a, b)) {
        deletes.add(new RangeDelete(a, b, 1 + random.nextInt(SEQUENCES)));
      }
    }
    return deletes;
  }

  private static long newest(List<RangeDelete> deletes, MemorySegment key, long sequence) {
    return deletes.stream()
        .filter(delete -> Keys.compare(delete.first(), key) <= 0)
        .filter(delete -> Keys.compare(key, delete.end()) < 0)
        .mapToLong(RangeDelete::sequence)
        .filter(number -> number <= sequence)
        .max()
        .orElse(0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 20, 100}) // of the last, some keys have more than are at hand
  void setSaysWhatItsDeletesSay(int count) {
    SplittableRandom random = new SplittableRandom(Fixtures.seed(count));
    int hidden = 0;
    for (int round = 0; round < 100; round++) {
      List<RangeDelete> deletes = random(random, count);
      RangeDeletes set = RangeDeletes.ofOrNull(deletes);
      SearchKey wanted = new SearchKey();
      for (int i = 0; i < 100; i++) {
        MemorySegment key = randomKey(random);
        long sequence = random.nextInt(SEQUENCES + 2);
        wanted.set(key);
        long expected = newest(deletes, key, sequence);
        assertEquals(expected, set.newest(wanted, sequence), Fixtures.replay(getClass(), count));
        hidden += expected > 0 ? 1 : 0;
        int part = set.find(wanted.head(), wanted.address(), wanted.lengthBytes());
        MemorySegment first = set.firstOrNull(part);
        MemorySegment end = set.endOrNull(part);
        assertTrue(first == null || Keys.compare(first, key) <= 0);
        assertTrue(end == null || Keys.compare(key, end) < 0);
      }
    }
    assertTrue(hidden > 100, "hidden: " + hidden);
  }

  /** A key that begins with a part of this, mostly all of it. */
  private static MemorySegment keyWith(byte[] prefix, SplittableRandom random) {
    boolean isOther = random.nextInt(8) == 0;
    byte[] key = Arrays.copyOf(prefix, isOther ? random.nextInt(prefix.length + 1) : prefix.length);
    if (isOther && key.length > 0) {
      key[key.length - 1] += (byte) (random.nextInt(3) - 1);
    }
    byte[] rest = Fixtures.array(randomKey(random));
    byte[] whole = Arrays.copyOf(key, key.length + rest.length);
    System.arraycopy(rest, 0, whole, key.length, rest.length);
    return MemorySegment.ofArray(whole);
  }

  /** Whatever all keys of ranges begin with, and whatever others do. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 7, 8, 9, 20})
  void commonBeginningsHideNothingMore(int prefixBytes) {
    SplittableRandom random = new SplittableRandom(Fixtures.seed(prefixBytes));
    for (int round = 0; round < 200; round++) {
      byte[] prefix = Fixtures.randomBytes(random, prefixBytes);
      if (random.nextBoolean()) {
        Arrays.fill(prefix, prefixBytes / 2, prefixBytes, (byte) 0);
      }
      List<RangeDelete> deletes = new ArrayList<>();
      while (deletes.size() < 1 + round % 20) {
        MemorySegment a = keyWith(prefix, random);
        MemorySegment b = keyWith(prefix, random);
        boolean isInside = startsWith(a, prefix) && startsWith(b, prefix);
        if (isInside && RangeDelete.isRange(a, b)) {
          deletes.add(new RangeDelete(a, b, 1 + random.nextInt(SEQUENCES)));
        }
      }
      RangeDeletes set = RangeDeletes.ofOrNull(deletes);
      SearchKey wanted = new SearchKey();
      for (int i = 0; i < 100; i++) {
        MemorySegment key = keyWith(prefix, random);
        long expected = newest(deletes, key, SEQUENCES);
        assertEquals(
            expected,
            set.newest(wanted.set(key), SEQUENCES),
            () -> Fixtures.replay(getClass(), prefixBytes));
      }
    }
  }

  private static boolean startsWith(MemorySegment key, byte[] prefix) {
    long mismatch = key.mismatch(MemorySegment.ofArray(prefix));
    return mismatch < 0 || mismatch == prefix.length;
  }

  private static MemorySegment number(long number) {
    return MemorySegment.ofArray(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
  }

  /** How the ranges lie: evenly, all but one beside each other, each half as far as the last. */
  @ParameterizedTest
  @ValueSource(strings = {"even", "crowded", "halved", "whole"})
  void everyKeyIsFoundHoweverRangesAreSpread(String spread) {
    int count = spread.equals("halved") ? 60 : 3_000;
    List<Long> firsts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      firsts.add(
          switch (spread) {
            case "even" -> 1_000L * i;
            case "crowded" -> i == count - 1 ? Long.MIN_VALUE + 7 : 4L * i;
            case "halved" -> 4L << i;
            default -> i * Long.divideUnsigned(-1, count);
          });
    }
    List<RangeDelete> deletes = new ArrayList<>();
    for (long first : firsts) {
      deletes.add(new RangeDelete(number(first), number(first + 2), deletes.size() + 1));
    }
    RangeDeletes set = RangeDeletes.ofOrNull(deletes);
    SearchKey wanted = new SearchKey();
    for (int i = 0; i < count; i++) {
      long first = firsts.get(i);
      assertEquals(i + 1, set.newest(wanted.set(number(first)), count), spread + first);
      assertEquals(i + 1, set.newest(wanted.set(number(first + 1)), count), spread + first);
      assertEquals(0, set.newest(wanted.set(number(first + 2)), count), spread + first);
      assertEquals(0, set.newest(wanted.set(number(first - 1)), count), spread + first);
    }
  }

  @Test
  void nestedRangesTakeNoSquareOfTheirNumber() {
    List<RangeDelete> deletes = new ArrayList<>();
    int count = 20_000;
    for (int i = 0; i < count; i++) { // as who deletes the beginning of a queue again and again
      deletes.add(delete("", "%06d".formatted(i + 1), i + 1));
    }
    RangeDeletes set = RangeDeletes.ofOrNull(deletes);
    SearchKey wanted = new SearchKey();
    assertEquals(count, set.newest(wanted.set(key("000000")), count));
    assertEquals(15_000, set.newest(wanted.set(key("000007")), 15_000));
    assertEquals(0, set.newest(wanted.set(key("000700")), 500));
    assertEquals(count, set.newest(wanted.set(key("015000")), count));
    assertEquals(0, set.newest(wanted.set(key("020000")), count));
  }

  @Test
  void unionIsOfAll() {
    RangeDeletes one = RangeDeletes.ofOrNull(List.of(delete("a", "c", 1)));
    RangeDeletes other = RangeDeletes.ofOrNull(List.of(delete("b", "d", 2)));
    RangeDeletes both = RangeDeletes.union(List.of(one, other));
    SearchKey wanted = new SearchKey();
    assertEquals(1, both.newest(wanted.set(key("a")), 9));
    assertEquals(2, both.newest(wanted.set(key("b")), 9));
    assertEquals(1, both.newest(wanted.set(key("b")), 1));
    assertEquals(2, both.newest(wanted.set(key("c")), 9));
    assertEquals(0, both.newest(wanted.set(key("d")), 9));
    assertNull(RangeDeletes.union(List.of()));
    assertNull(RangeDeletes.ofOrNull(List.of()));
  }

  @Test
  void allKeysAreCoveredIfNoneIsLeftOut() {
    RangeDeletes set =
        RangeDeletes.ofOrNull(
            List.of(delete("b", "d", 5), delete("d", "f", 6), delete("g", "h", 7)));
    assertTrue(set.coverAll(key("b"), key("e"), 4, 9));
    assertTrue(set.coverAll(key("c"), key("ezzz"), 4, 9));
    assertTrue(set.coverAll(key("c"), key("c"), 4, 5));
    assertFalse(set.coverAll(key("a"), key("c"), 4, 9), "begins later");
    assertFalse(set.coverAll(key("b"), key("f"), 4, 9), "ends before");
    assertFalse(set.coverAll(key("b"), key("gg"), 4, 9), "with a gap");
    assertFalse(set.coverAll(key("b"), key("e"), 5, 9), "older in part");
    assertFalse(set.coverAll(key("b"), key("e"), 4, 5), "newer in part");
    assertFalse(set.coverAll(key("x"), key("y"), 0, 9));
  }

  @Test
  void sweepShowsEachPartOnce() {
    List<String> parts = new ArrayList<>();
    RangeSweep.run(
        List.of(delete("b", "e", 3), delete("c", "d", 5), delete("f", "g", 1), delete("d", "e", 3)),
        (first, end, sequences) ->
            parts.add(
                "%s-%s %s"
                    .formatted(
                        Fixtures.text(Fixtures.array(first)),
                        Fixtures.text(Fixtures.array(end)),
                        List.copyOf(sequences))));
    assertEquals(List.of("b-c [3]", "c-d [3, 5]", "d-e [3]", "e-f []", "f-g [1]"), parts);
  }

  @Test
  void nothingLiesBetweenAKeyAndItsSuccessor() {
    assertEquals(0, Keys.compare(key("a\0"), Keys.successorOrNull(key("a"))));
    assertEquals(0, Keys.compare(key("\0"), Keys.successorOrNull(key(""))));
    byte[] longest = new byte[Keys.BYTES_MAX];
    longest[Keys.BYTES_MAX - 1] = 7;
    MemorySegment next = Keys.successorOrNull(MemorySegment.ofArray(longest));
    assertEquals(Keys.BYTES_MAX, next.byteSize());
    assertEquals(8, next.get(ValueLayout.JAVA_BYTE, Keys.BYTES_MAX - 1));
    Arrays.fill(longest, 5, Keys.BYTES_MAX, (byte) 0xFF);
    longest[4] = (byte) 0x7F;
    MemorySegment shorter = Keys.successorOrNull(MemorySegment.ofArray(longest));
    assertEquals(5, shorter.byteSize());
    assertEquals((byte) 0x80, shorter.get(ValueLayout.JAVA_BYTE, 4));
    Arrays.fill(longest, (byte) 0xFF);
    assertNull(Keys.successorOrNull(MemorySegment.ofArray(longest)));
  }

  @Test
  void headsAreThoseOfSearchKeys() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 1_000; i++) {
      MemorySegment key = randomKey(random);
      assertEquals(new SearchKey().set(key).head(), Keys.head(key));
    }
  }
}
