package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.lsm.ListHistory.Anomaly;
import io.ewok.gds.lsm.ListHistory.Entry;
import io.ewok.gds.lsm.ListHistory.Status;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The checker finds each anomaly that it knows, and none where there is none. */
class ListHistoryTest {
  private static final int X = 1;
  private static final int Y = 2;

  private final ListHistory history = new ListHistory();

  private Entry committed() {
    return history.begin().end(Status.COMMITTED, true);
  }

  private void assertFound(Map<Integer, List<Integer>> last, Anomaly... anomalies) {
    assertEquals(Set.of(anomalies), history.check(last), history::details);
  }

  @Test
  void serialHistoryHasNone() {
    committed().append(X, 1).append(Y, 2);
    committed().read(X, 1).append(X, 3).read(X, 1, 3).read(Y, 2);
    history.begin().append(Y, 4);
    committed().read(X, 1, 3).read(Y, 2);
    assertFound(Map.of(X, List.of(1, 3), Y, List.of(2)));
  }

  @Test
  void readOfWhatWasRolledBackIsG1a() {
    history.begin().append(X, 1).end(Status.ROLLED_BACK, false);
    committed().read(X, 1);
    assertFound(Map.of(X, List.of()), Anomaly.G1A, Anomaly.INCOMPATIBLE);
  }

  @Test
  void whatWasRolledBackAndIsThereIsG1a() {
    history.begin().append(X, 1).end(Status.ROLLED_BACK, false);
    assertFound(Map.of(X, List.of(1)), Anomaly.G1A);
  }

  @Test
  void readInTheMiddleOfATransactionIsG1b() {
    committed().append(X, 1).append(X, 2);
    committed().read(X, 1);
    assertFound(Map.of(X, List.of(1, 2)), Anomaly.G1B, Anomaly.G_SINGLE);
  }

  @Test
  void writesInOppositeOrdersAreG0() {
    committed().append(X, 1).append(Y, 2);
    committed().append(X, 3).append(Y, 4);
    assertFound(Map.of(X, List.of(1, 3), Y, List.of(4, 2)), Anomaly.G0, Anomaly.G1C);
  }

  @Test
  void twoThatReadEachOtherAreG1c() {
    committed().append(X, 1).read(Y, 2);
    committed().append(Y, 2).read(X, 1);
    assertFound(Map.of(X, List.of(1), Y, List.of(2)), Anomaly.G1C);
  }

  @Test
  void lostUpdateIsGSingle() {
    committed().append(X, 1);
    committed().read(X, 1).append(X, 2);
    committed().read(X, 1).append(X, 3);
    assertFound(Map.of(X, List.of(1, 2, 3)), Anomaly.G_SINGLE);
  }

  @Test
  void viewOfTwoTimesIsGSingle() {
    committed().append(X, 1).append(Y, 2);
    committed().read(X).read(Y, 2);
    assertFound(Map.of(X, List.of(1), Y, List.of(2)), Anomaly.G_SINGLE);
  }

  @Test
  void writeSkewIsG2() {
    committed().read(X).append(Y, 1);
    committed().read(Y).append(X, 2);
    assertFound(Map.of(X, List.of(2), Y, List.of(1)), Anomaly.G2);
  }

  @Test
  void whatWasAcknowledgedAndIsNotThereIsLost() {
    committed().append(X, 1);
    assertFound(Map.of(X, List.of()), Anomaly.LOST);
  }

  @Test
  void transactionThatIsThereInPartIsLost() {
    history.begin().append(X, 1).append(Y, 2);
    assertFound(Map.of(X, List.of(1), Y, List.of()), Anomaly.LOST);
  }

  @Test
  void transactionThatDoesNotReadItsOwnWritesIsFound() {
    committed().append(X, 1).read(X);
    assertFound(Map.of(X, List.of(1)), Anomaly.INTERNAL);
  }

  @Test
  void transactionThatReadsTwoListsOfOneKeyIsFound() {
    committed().read(X).read(X, 1);
    committed().append(X, 1);
    assertFound(Map.of(X, List.of(1)), Anomaly.INTERNAL, Anomaly.G_SINGLE);
  }

  @Test
  void listsInDifferentOrdersAreFound() {
    committed().append(X, 1);
    committed().append(X, 2);
    committed().read(X, 2);
    assertFound(Map.of(X, List.of(1, 2)), Anomaly.INCOMPATIBLE, Anomaly.G_SINGLE);
  }

  @Test
  void elementThatIsThereTwiceOrFromNobodyIsFound() {
    committed().append(X, 1);
    assertFound(Map.of(X, List.of(1, 1)), Anomaly.FOREIGN);
    assertFound(Map.of(X, List.of(1, 7)), Anomaly.FOREIGN);
  }
}
