package io.ewok.gds.cli;

import java.util.Arrays;

/**
 * Compares what a store returns with the data set it was loaded from. The first difference is a
 * {@link CommandFailure} that names the key, what was expected and what was found.
 *
 * <p>Immutable: any thread.
 */
final class RecordCheck {
  private final DataSet data;

  RecordCheck(DataSet data) {
    this.data = data;
  }

  /**
   * The value a store returned for a key it must have.
   *
   * @param index of the key in the data set
   * @param found null when the store has no such key
   */
  void checkValue(int index, byte[] found) {
    if (!Arrays.equals(data.value(index), found)) {
      throw wrong(data.key(index), data.value(index), found);
    }
  }

  /**
   * A record met by a scan that must bring them all in order.
   *
   * @param index position of the record that is due
   */
  void checkScanned(int index, byte[] key, byte[] value) {
    if (index < 0 || index >= data.count()) {
      throw wrong(key, null, value);
    }
    if (!Arrays.equals(data.key(index), key)) {
      throw CommandFailure.failed(
          "the scan brought a wrong key: expected=%s found=%s"
              .formatted(ByteText.show(data.key(index)), ByteText.show(key)));
    }
    checkValue(index, value);
  }

  /** A scan ended. */
  void checkScanEnd(long count) {
    if (count != data.count()) {
      throw CommandFailure.failed(
          "the scan brought a wrong number of records: expected=%d found=%d"
              .formatted(data.count(), count));
    }
  }

  /** A record of a store that holds an unknown part of the data set. */
  void checkKnown(byte[] key, byte[] value) {
    int index = data.find(key);
    if (index < 0) {
      throw wrong(key, null, value);
    }
    checkValue(index, value);
  }

  private static CommandFailure wrong(byte[] key, byte[] expected, byte[] found) {
    return CommandFailure.failed(
        "the store has a wrong record: key=%s expected=%s found=%s"
            .formatted(ByteText.show(key), showOrNone(expected), showOrNone(found)));
  }

  private static String showOrNone(byte[] value) {
    return value == null ? "nothing" : ByteText.show(value);
  }
}
