package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/**
 * Makes values of operands: what {@link Store#merge} writes is not a value but says how the value
 * changes, so that a writer need not read it first. {@link MergeOperators} has the usual ones.
 *
 * <p>An operator is part of what a store means. Its {@link #name} is recorded in the store at the
 * first opening with it, and an opening with another is refused. It must do the same with the same
 * bytes for ever, also in the next version of the program.
 *
 * <p>Ownership: of the caller who opened the store. Segments are of use during the call only.
 *
 * <p>Threads: any, several at a time; whoever reads merges, and so does the background thread of
 * the store. It must not call the store.
 *
 * <p>Errors: whatever an operator throws, and a result that is longer than {@link
 * StoreOptions#valueBytesMax} or not given, fails the read with a {@link MergeFailedException} that
 * names the key. Nothing else happens: the operands stay as they were written, also in flushes and
 * compactions, and a put or delete of the key makes it readable again.
 */
public interface MergeOperator {
  /** No operator: {@link Store#merge} is refused, and keys with operands cannot be read. */
  MergeOperator NONE =
      new MergeOperator() {
        @Override
        public String name() {
          return "";
        }

        @Override
        public void merge(MemorySegment key, Operands operands, ResultBytes result) {
          throw new IllegalStateException("the store was opened without a merge operator");
        }
      };

  /** Returns what tells it from others, 1 to 255 bytes in UTF-8. Always the same. */
  String name();

  /**
   * Makes a value.
   *
   * @param key read-only
   * @param operands one or more, and the value that was there before them, if there was one
   * @param result takes the value
   */
  void merge(MemorySegment key, Operands operands, ResultBytes result);

  /**
   * Makes one operand of several that follow each other, which means the same as they do, whatever
   * was there before and comes after. Flushes and compactions ask for it where they cannot make a
   * value yet; without it a key keeps all its operands until then, and each read of it merges them.
   *
   * @param key read-only
   * @param operands two or more, without the value before them
   * @param result takes the operand
   * @return false if that is not possible; they stay as they are
   */
  default boolean combine(MemorySegment key, Operands operands, ResultBytes result) {
    return false;
  }
}
