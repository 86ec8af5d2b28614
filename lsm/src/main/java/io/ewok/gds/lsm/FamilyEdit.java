package io.ewok.gds.lsm;

import java.nio.charset.StandardCharsets;

/**
 * What a {@link ManifestEdit} says of one family: all that there is to say but for its tables.
 *
 * @param id its number, which no other family of the store ever has; {@link Manifest#MAIN} is that
 *     of the default family
 * @param name what users call it, 1 to {@link #NAME_BYTES_MAX} bytes in UTF-8
 * @param mergeOperator name of the operator, or empty
 * @param writeTimes when records were written, and which of this family have expired
 */
record FamilyEdit(int id, String name, String mergeOperator, WriteTimes writeTimes) {
  static final int NAME_BYTES_MAX = 255;

  FamilyEdit withMergeOperator(String operator) {
    return new FamilyEdit(id, name, operator, writeTimes);
  }

  FamilyEdit withWriteTimes(WriteTimes times) {
    return new FamilyEdit(id, name, mergeOperator, times);
  }

  /** Whether a family may be called so. */
  static boolean isName(String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    return bytes > 0
        && bytes <= NAME_BYTES_MAX
        && name.chars().noneMatch(Character::isISOControl)
        && StandardCharsets.UTF_8.newEncoder().canEncode(name);
  }

  /** Whether what was read or is to be written can be. */
  boolean isSound() {
    return isName(name)
        && mergeOperator.getBytes(StandardCharsets.UTF_8).length
            <= ManifestFormat.OPERATOR_BYTES_MAX
        && writeTimes.isSound();
  }

  /**
   * Checks what is said of the same family next.
   *
   * @throws IllegalArgumentException if it does not fit
   */
  void requireNext(FamilyEdit next) {
    Manifest.require(next.name.equals(name), "the name of a family changes", id);
    Manifest.require(
        mergeOperator.isEmpty() || next.mergeOperator.equals(mergeOperator),
        "the merge operator changes",
        next.mergeOperator.length());
    Manifest.require(
        next.writeTimes.isSound() && next.writeTimes.expiryFloor() >= writeTimes.expiryFloor(),
        "what has expired comes back",
        next.writeTimes.expiryFloor());
  }
}
