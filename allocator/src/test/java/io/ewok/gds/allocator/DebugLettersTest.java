package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DebugLettersTest {

  @Test
  void eachLetterSwitchesOneThingOn() {
    assertEquals(new DebugLetters(true, false, false, false, 0), DebugLetters.parse("R"));
    assertEquals(new DebugLetters(false, true, false, false, 0), DebugLetters.parse("P"));
    assertEquals(new DebugLetters(false, false, true, false, 0), DebugLetters.parse("Q"));
    assertEquals(new DebugLetters(false, false, false, true, 0), DebugLetters.parse("T"));
    assertEquals(new DebugLetters(false, false, false, false, 17), DebugLetters.parse("F=17"));
  }

  @Test
  void orderAndCaseDoNotMatter() {
    DebugLetters all = new DebugLetters(true, true, true, true, 3);
    assertEquals(all, DebugLetters.parse("RPQT,F=3"));
    assertEquals(all, DebugLetters.parse(" tqprf=3 "));
  }

  @Test
  void anEmptyTextIsNone() {
    assertEquals(DebugLetters.NONE, DebugLetters.parse(""));
    assertTrue(DebugLetters.NONE.isNone());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "R", "PQ", "RPQT", "F=1", "RPQT,F=17"})
  void whatIsPrintedIsReadBack(String text) {
    assertEquals(text, DebugLetters.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"X", "F", "F=", "F=-1", "F=x", "R P", "F=1,R", "on", "F=1234567890123456789"})
  void wrongLettersAreAnErrorThatListsTheRightOnes(String text) {
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class, () -> DebugLetters.parse("memory.debug", text));
    assertTrue(error.getMessage().endsWith(": memory.debug=" + text), error.getMessage());
    assertTrue(error.getMessage().contains("RPQT,F=17"), error.getMessage());
  }

  @Test
  void aNumberBelowZeroIsRefused() {
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class, () -> new DebugLetters(false, false, false, false, -1));
    assertTrue(error.getMessage().endsWith("failAt=-1"), error.getMessage());
  }
}
