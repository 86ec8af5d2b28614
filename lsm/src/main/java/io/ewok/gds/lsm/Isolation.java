package io.ewok.gds.lsm;

/**
 * What a {@link Transaction} can be sure of when it commits. At either level it reads the store as
 * of one time, with its own writes, and is seen as a whole or not at all.
 */
public enum Isolation {
  /**
   * What it has written, or read for update, nobody else has written since it began. What it has
   * only read may have changed: two transactions that each read what the other one writes may both
   * commit, which is called write skew. Reads cost nothing at the commit.
   *
   * <p>Source: H. Berenson and others, "A Critique of ANSI SQL Isolation Levels", SIGMOD 1995.
   */
  SNAPSHOT,

  /**
   * All transactions of this level are as if each had run alone, at its commit. What it has read,
   * keys and ranges, nobody else has written since; what it writes without having read it, others
   * may have written. The default.
   *
   * <p>Source: H. T. Kung and J. T. Robinson, "On Optimistic Methods for Concurrency Control", ACM
   * TODS 6 (1981).
   */
  SERIALIZABLE
}
