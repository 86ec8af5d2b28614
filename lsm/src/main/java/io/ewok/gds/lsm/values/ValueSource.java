package io.ewok.gds.lsm.values;

import java.io.IOException;

/**
 * The value files that the records of one table refer to.
 *
 * <p>Ownership: the table's, which releases it when it is closed. Threads: any may look.
 */
public interface ValueSource {
  /** Of a table that has all its values itself. */
  ValueSource NONE =
      new ValueSource() {
        @Override
        public ValueFile findOrNull(long number) {
          return null;
        }

        @Override
        public void release() {}
      };

  /**
   * Returns the file with a number, or null if there is none.
   *
   * @throws IOException if it has to be opened first, and cannot be
   */
  ValueFile findOrNull(long number) throws IOException;

  /** Leaves the files. */
  void release();
}
