/**
 * Atomic changes of pages: several pages are changed, logged and seen as one, and after a crash
 * each such change is there as a whole or not at all.
 *
 * <p>Its nouns: a <em>change</em> keeps its pages fixed exclusively from the first look to its
 * commit or roll-back. An <em>operation</em> changes one page; the caller says what it does ({@link
 * io.ewok.gds.buffers.redo.PageRedo}), and the same code does it again in <em>redo</em>. The log
 * has one record of all operations of a change. A change takes new pages and gives pages back, too.
 *
 * <p>What it is not: transactions with isolation. A change is short, holds latches, and waits for
 * nobody but for latches and pages; what others see of a structure between two fixes of their own
 * is the structure's to decide. Roll-back is of a change that was not committed.
 *
 * <p>Which pages are free is known from the pages themselves: after redo, {@link
 * io.ewok.gds.buffers.CachedPageFile#reclaimFreePages} finds them.
 *
 * <p>Threads: each says so. No argument may be null.
 *
 * {@snippet :
 * try (var change = new Change(manager, PageRedo.NONE)) {
 *   ChangedPage from = change.fix(accounts, 7);
 *   ChangedPage to = change.fix(accounts, 9);
 *   from.write(64, less);
 *   to.write(64, more);
 *   log.sync(change.commit());
 * }
 * }
 */
package io.ewok.gds.buffers.redo;
