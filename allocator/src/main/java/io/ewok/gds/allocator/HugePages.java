package io.ewok.gds.allocator;

/** Which pages of the operating system back a {@link Region}. */
public enum HugePages {
  /**
   * Transparent huge pages by advice (Linux {@code MADV_HUGEPAGE}). The kernel may refuse; {@link
   * Region#hugePagesAdvised} tells whether it took the advice.
   */
  AUTO,

  /** Ordinary pages. Right for small or sparsely used regions. */
  OFF
}
