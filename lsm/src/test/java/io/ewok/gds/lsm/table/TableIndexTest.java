package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.TableStepLoader;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is read without latches is believed only if it was still there; see {@link ReplacedBlocks}.
 */
class TableIndexTest {
  /** Of the root, the filter and the partition of the index. */
  private static final int VALIDATIONS = 3;

  private static int searches(TableStepLoader loader) throws Exception {
    Class<?> loaded = loader.loadClass(ReplacedBlocks.class.getName());
    return (int) ((Callable<?>) loaded.getConstructor().newInstance()).call();
  }

  @Test
  void blocksAreReplacedAtAnyStepAndTheKeyIsFound() throws Exception {
    TableStepLoader loader = new TableStepLoader(TableStepLoader.NONE);
    int searches = searches(loader);
    assertTrue(searches > 100, "searches=" + searches);
    assertEquals(VALIDATIONS, loader.validations());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void searchThatDoesNotValidateGoesWrong(int leftOut) {
    assertThrows(AssertionError.class, () -> searches(new TableStepLoader(leftOut)));
  }
}
