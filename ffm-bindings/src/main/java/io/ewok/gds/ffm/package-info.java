/**
 * What Linux offers and the JDK does not, as thin static calls: anonymous memory at an alignment,
 * files by descriptor, event counters, NUMA placement, CPU affinity, and the question whether
 * io_uring may be used.
 *
 * <p>Not here: policy. Nothing pools, caches or picks, nor retries but where the kernel says that
 * it was not its last word; that is for the layers above.
 *
 * <p>Nouns: a <i>descriptor</i> is the kernel's number of an open file, an {@code int}, owned by
 * who opened it; an <i>errno</i> is the kernel's error number, which {@link
 * io.ewok.gds.ffm.ErrnoException} carries.
 *
 * <p>Threads: every call may be made by any thread, except that those which can wait for a device
 * say so and must not be made by a virtual thread, whose carrier they would hold. No argument may
 * be null.
 *
 * {@snippet :
 * int fd = LinuxFiles.open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECT, 0);
 * try (Arena arena = Arena.ofConfined()) {
 *   MemorySegment buffer = LinuxMemory.map(1 << 20, 4096, arena);
 *   long read = LinuxFiles.pread(fd, buffer, 0, 4096, 0);
 * } finally {
 *   LinuxFiles.close(fd);
 * }
 * }
 */
package io.ewok.gds.ffm;
