package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import java.nio.file.Path;

/**
 * How the operands of a family are merged.
 *
 * @param valueBytesMax what a value and its key have together at most, in bytes
 * @param store named in errors
 */
record Merging(MergeOperator operator, long valueBytesMax, Path store) {
  static Merging of(StoreOptions options, TreeOptions tree, Path store) {
    return new Merging(
        tree.mergeOperator(),
        (long) options.batchBytesMax()
            - BatchFormat.HEADER_BYTES
            - BatchFormat.OPERATION_OVERHEAD_BYTES,
        store);
  }

  boolean hasOperator() {
    return operator != MergeOperator.NONE;
  }
}
