/**
 * A buffer manager: keeps pages and blocks of files in a fixed amount of off-heap memory, reads
 * what is missing, writes back what has changed, and never before the log record of the change is
 * durable.
 *
 * <p>Its nouns: a <em>frame</em> is a piece of the pool; a <em>page</em> lies in a page file, has
 * one of eight sizes and a 22-byte header, and can be changed; a <em>block</em> lies in a block
 * file, has any length, and never changes; it may be stored in another form, compressed for
 * instance, and be made by a {@link io.ewok.gds.buffers.BlockLoader} when it is read. Pages smaller
 * than a frame take one, larger pages and blocks take neighbouring frames. To <em>fix</em> is to
 * latch in the pool, shared or exclusive; a fixed page or block stays where it is. An
 * <em>optimistic</em> fix latches nothing: it tells afterwards whether what was read can be
 * believed, see {@link io.ewok.gds.buffers.Fix}. A page can be a {@link
 * io.ewok.gds.buffers.SlottedPage} of tuples, or what its owner makes of the bytes after the
 * header.
 *
 * <p>What is promised: every page and block read from disk is verified before anybody sees it;
 * misses of one page by many threads make one read; memory never exceeds what the options say.
 * Pages that are torn by a power cut are repaired when their file is opened, as {@link
 * io.ewok.gds.buffers.TornPages} says, or reported as corrupt. A {@link
 * io.ewok.gds.buffers.Cleaner} writes pages in the background and keeps what is to be redone short.
 *
 * <p>Pages are encrypted on their way to the device and back, if the engine had a current key when
 * their file was created ({@link io.ewok.gds.pagestore.KeySource}): in the pool they are plain. So
 * are headers, also on the device, where damage is found without a key. A page that was changed,
 * moved, or brought from another file is refused.
 *
 * <p>Threads: any, platform or virtual. What is in the pool is found and latched without a lock.
 * One lock guards everything else; reads, writes, syncs and checksums happen outside of it. Waiting
 * for a latch or for memory is bounded, see {@link io.ewok.gds.buffers.BufferOptions}. No argument
 * may be null unless its name says so.
 *
 * <p>On a reactor this is work for fibers. The loop goes on too while a DIRECT task waits, and one
 * that would wait for a read or a lock of another below it on the same stack, which can go on only
 * after it, gets an {@link IllegalStateException}; for a latch it waits until that time is over.
 * None of them closes what others use.
 *
 * {@snippet :
 * try (var manager = new BufferManager(engine, budget, new BufferOptions(64 << 20, 8192, log));
 *     var file = manager.openPages(path, PageSize.BYTES_8192, OpenMode.CREATE_NEW);
 *     var fix = new Fix()) {
 *   long page = file.create(fix);
 *   fix.segment().set(JAVA_INT, 64, 42);
 *   fix.markDirty(log.append(changeRecord));
 * }
 * }
 */
package io.ewok.gds.buffers;
