package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.StorageException;
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

  /**
   * Checks that what is opened is not merged by another operator than that which its operands are
   * for. Without one a family can be opened: its operands stay as they are.
   */
  static void requireOperator(StoreOptions options, FamilyManifest family, Path store)
      throws StorageException {
    String recorded = family.mergeOperator();
    String name = options.tree(family.name()).mergeOperator().name();
    if (!recorded.isEmpty() && !name.isEmpty() && !recorded.equals(name)) {
      throw new StorageException(
          "the store has operands of another merge operator, open it with that one:"
              + " family=%s mergeOperator=%s opened=%s".formatted(family.name(), recorded, name),
          store);
    }
  }
}
