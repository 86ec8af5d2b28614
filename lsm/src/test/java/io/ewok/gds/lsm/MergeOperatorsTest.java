package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the ready-made operators make, and that combining in any way changes nothing of it. */
class MergeOperatorsTest {
  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  /** Has a value, or null, and operands merged. */
  private static byte[] merge(MergeOperator operator, byte[] baseOrNull, List<byte[]> operands)
      throws Exception {
    OperandMerger merger = fill(operator, baseOrNull, operands);
    merger.merge(new SearchKey().set(MemorySegment.ofArray(new byte[] {1})));
    return result(merger);
  }

  private static byte[] result(OperandMerger merger) {
    return Fixtures.array(merger.result().memory().asSlice(0, merger.result().lengthBytes()));
  }

  private static OperandMerger fill(
      MergeOperator operator, byte[] baseOrNull, List<byte[]> operands) {
    OperandMerger merger = new OperandMerger(new Merging(operator, 100, Fixtures.DIRECTORY));
    merger.begin();
    try (Arena arena = Arena.ofConfined()) {
      for (byte[] operand : operands.reversed()) {
        assertTrue(accept(arena, merger, RecordKind.OPERAND, operand));
      }
      if (baseOrNull != null) {
        assertEquals(false, accept(arena, merger, RecordKind.PUT, baseOrNull));
      }
    }
    return merger;
  }

  private static boolean accept(Arena arena, OperandMerger merger, int kind, byte[] value) {
    MemorySegment copy = arena.allocate(value.length + 8L);
    copy.copyFrom(MemorySegment.ofArray(value));
    return merger.accept(RecordKind.stamp(1, kind), copy.address(), value.length);
  }

  @ParameterizedTest
  @CsvSource({
    "add64,5,12,19",
    "add64,-1,12,13",
    "min64,5,12,2",
    "min64,-7,12,-7",
    "max64,5,12,12",
    "max64,-7,-12,2",
    "last,9,7,2",
  })
  void numbers(String name, long base, long first, long expected) throws Exception {
    MergeOperator operator = MergeOperators.named(name);
    List<byte[]> operands = List.of(number(first), number(2));
    assertEquals(
        HexFormat.of().formatHex(number(expected)),
        HexFormat.of().formatHex(merge(operator, number(base), operands)));
  }

  @ParameterizedTest
  @CsvSource({
    "append:2c,6162,63,,61622c632c",
    "append:,6162,63,64,61626364",
    "greatest,6162,61,ff,ff",
    "greatest,6162,61,6100,6162",
    "greatest,6162,616200,61,616200",
    "greatest,ff,6162,61,ff",
    "last,ff,6162,61,61",
    "or,0102030405060708,10,0000000000000000f0,1102030405060708f0",
    "or,0102030405060708ffff,10,00000000000000f0,11020304050607f8ffff",
  })
  void bytes(String name, String base, String first, String second, String expected)
      throws Exception {
    MergeOperator operator = MergeOperators.named(name);
    List<byte[]> operands = List.of(hex(first), hex(second == null ? "" : second));
    assertEquals(expected, HexFormat.of().formatHex(merge(operator, hex(base), operands)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"add64", "min64", "max64", "append:2c2c", "greatest", "last", "or"})
  void combiningNeighboursChangesNothing(String name) throws Exception {
    MergeOperator operator = MergeOperators.named(name);
    assertEquals(name, operator.name());
    SplittableRandom random = new SplittableRandom(Fixtures.seed(1));
    for (int round = 0; round < 2_000; round++) {
      int lengthBytes = name.endsWith("64") ? 8 : random.nextInt(6);
      List<byte[]> operands = new ArrayList<>();
      for (int i = 2 + random.nextInt(4); i > 0; i--) {
        operands.add(Fixtures.randomBytes(random, lengthBytes));
      }
      byte[] base = random.nextBoolean() ? Fixtures.randomBytes(random, lengthBytes) : null;
      byte[] expected = merge(operator, base, operands);
      while (operands.size() > 1) {
        int at = random.nextInt(operands.size() - 1);
        OperandMerger merger = fill(operator, null, operands.subList(at, at + 2));
        assertTrue(merger.combine(new SearchKey().set(MemorySegment.ofArray(new byte[0]))));
        operands.set(at, result(merger));
        operands.remove(at + 1);
        assertEquals(
            HexFormat.of().formatHex(expected),
            HexFormat.of().formatHex(merge(operator, base, operands)),
            Fixtures.replay(getClass(), Fixtures.seed(1)));
      }
    }
  }

  @Test
  void whatIsNoNumberOrTooLongFails() {
    assertThrows(
        MergeFailedException.class,
        () -> merge(MergeOperators.add64(), new byte[7], List.of(number(1))));
    assertThrows(
        MergeFailedException.class,
        () -> merge(MergeOperators.max64(), null, List.of(number(1), new byte[9])));
    assertThrows(
        MergeFailedException.class,
        () -> merge(MergeOperators.append(new byte[1]), new byte[50], List.of(new byte[49])));
  }

  @Test
  void settingsNameThem() {
    assertSame(MergeOperator.NONE, MergeOperators.named("none"));
    for (String text : List.of("append:2", "append:zz", "multiply")) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> MergeOperators.named(text));
      assertTrue(refused.getMessage().endsWith("store.merge=" + text), refused::toString);
    }
    assertThrows(IllegalArgumentException.class, () -> MergeOperators.append(new byte[65]));
  }
}
