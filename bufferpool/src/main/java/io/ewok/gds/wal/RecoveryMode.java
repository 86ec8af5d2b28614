package io.ewok.gds.wal;

/**
 * What the opening of a log does about records that cannot be read. What it did says {@link
 * WriteAheadLog#recovery}.
 *
 * <table>
 * <caption>Modes</caption>
 * <tr><th>mode</th><th>the last write did not arrive whole</th><th>what was durable is damaged</th></tr>
 * <tr><td>STRICT</td><td>error</td><td>error</td></tr>
 * <tr><td>TOLERATE_TAIL</td><td>ends before it</td><td>error</td></tr>
 * <tr><td>POINT_IN_TIME</td><td>ends before it</td><td>ends before it</td></tr>
 * <tr><td>SALVAGE</td><td>ends before it</td><td>goes on behind it</td></tr>
 * </table>
 */
public enum RecoveryMode {
  /**
   * Only a log that ends where it was last written: one that was closed, as a rule, or whose last
   * write had not begun to arrive when the power failed. For who wants to look first.
   */
  STRICT,

  /**
   * What no {@code sync} has covered may be missing at the end; whatever was durable is replayed,
   * or the log is not opened. The default.
   */
  TOLERATE_TAIL,

  /**
   * The log as it was at some moment, which the damage makes an earlier one: for an owner whose
   * data is consistent with any such moment. It is cut there, for good. Pages of a buffer manager
   * that were written after that moment are newer than the log, and refused with it: the owner
   * takes older ones from a backup.
   */
  POINT_IN_TIME,

  /**
   * Every record that validates, in order, with holes: for who wants to save what can be saved. The
   * log goes on behind all of it, and the damage stays where it is, so that other modes refuse the
   * log until its owner has truncated it to a later position. Only where several blocks are damaged
   * may that hide that an earlier recovery cut off one that is not; it is replayed then.
   */
  SALVAGE
}
