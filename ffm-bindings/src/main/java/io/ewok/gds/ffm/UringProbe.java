package io.ewok.gds.ffm;

import io.ewok.gds.ffm.liburing.Liburing;
import io.ewok.gds.ffm.liburing.io_uring;
import io.ewok.gds.ffm.liburing.io_uring_cq;
import io.ewok.gds.ffm.liburing.io_uring_cqe;
import io.ewok.gds.ffm.liburing.io_uring_params;
import io.ewok.gds.ffm.liburing.io_uring_probe;
import io.ewok.gds.ffm.liburing.io_uring_probe_op;
import io.ewok.gds.ffm.liburing.io_uring_sq;
import io.ewok.gds.ffm.liburing.io_uring_sqe;
import io.ewok.gds.ffm.unchecked.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Whether this process may use io_uring, and with what.
 *
 * <p>Found by trying: a small ring is made with the best set-up flags the kernel takes, asked for
 * its operations, given one no-op to complete, and closed again. A result holds for the process and
 * the moment, since limits and sysctls can change.
 *
 * <p>Threads: any, virtual ones too; the ring is used on a thread of its own. Takes well under a
 * millisecond.
 *
 * {@snippet :
 * UringProbe probe = UringProbe.probe();
 * if (probe.supported()) {
 *   params.flags(probe.setupFlags());
 * } else {
 *   log(probe.message());
 * }
 * }
 *
 * <p>Errors: what the kernel refuses is a result, not an exception.
 *
 * @param reason available, or why not
 * @param message one sentence for the user
 * @param setupFlags the {@code IORING_SETUP_} flags that work together; 0 for none or when not
 *     supported
 * @param features the {@code IORING_FEAT_} bits of the kernel; 0 when no ring could be made
 * @param operations bit n is set when the kernel knows operation n, of the first 64
 * @param memlockNeededBytes what the ring needed, for {@link Reason#NO_MEMLOCK}; otherwise 0
 * @param memlockLimitBytes what may be locked, for {@link Reason#NO_MEMLOCK}, -1 for no limit;
 *     otherwise 0
 */
public record UringProbe(
    Reason reason,
    String message,
    int setupFlags,
    int features,
    long operations,
    long memlockNeededBytes,
    long memlockLimitBytes) {

  /** The outcome. */
  public enum Reason {
    /** A no-op went through a ring. */
    AVAILABLE,
    /** The administrator switched it off by {@code kernel.io_uring_disabled}. */
    DISABLED_BY_SYSCTL,
    /** The call is refused to this process, as container runtimes do by seccomp. */
    FORBIDDEN,
    /** The ring's memory could not be had within the limit of locked memory. */
    NO_MEMLOCK,
    /** The kernel is older than io_uring or was built without it. */
    NOT_IN_KERNEL,
    /** The kernel lacks an operation that the page store needs. */
    MISSING_OPERATION,
    /** Anything else; the message has the error. */
    FAILED
  }

  private static final int ENTRIES_DEFAULT = 4;

  /** The kernel's own limit. */
  private static final int ENTRIES_MAX = 1 << 15;

  private static final Path SYSCTL = Path.of("/proc/sys/kernel/io_uring_disabled");

  /* Best first. Deferred completion needs 6.1, a single issuer 6.0, cooperative completion 5.19. */
  private static final int[] SETUP_FLAGS = {
    Liburing.IORING_SETUP_SINGLE_ISSUER()
        | Liburing.IORING_SETUP_DEFER_TASKRUN()
        | Liburing.IORING_SETUP_COOP_TASKRUN(),
    Liburing.IORING_SETUP_SINGLE_ISSUER() | Liburing.IORING_SETUP_COOP_TASKRUN(),
    Liburing.IORING_SETUP_COOP_TASKRUN(),
    0
  };

  private static final Map<String, Integer> NEEDED_OPERATIONS = neededOperations();

  private static Map<String, Integer> neededOperations() {
    Map<String, Integer> operations = new LinkedHashMap<>();
    operations.put("NOP", Liburing.IORING_OP_NOP());
    operations.put("FSYNC", Liburing.IORING_OP_FSYNC());
    operations.put("READ_FIXED", Liburing.IORING_OP_READ_FIXED());
    operations.put("WRITE_FIXED", Liburing.IORING_OP_WRITE_FIXED());
    operations.put("POLL_ADD", Liburing.IORING_OP_POLL_ADD());
    operations.put("ASYNC_CANCEL", Liburing.IORING_OP_ASYNC_CANCEL());
    operations.put("FALLOCATE", Liburing.IORING_OP_FALLOCATE());
    operations.put("READ", Liburing.IORING_OP_READ());
    operations.put("WRITE", Liburing.IORING_OP_WRITE());
    return operations;
  }

  /** True when a ring works. */
  public boolean supported() {
    return reason == Reason.AVAILABLE;
  }

  /** True when the kernel knows an operation, a number of {@code IORING_OP_}. */
  public boolean supports(int operation) {
    return operation >= 0 && operation < Long.SIZE && (operations >>> operation & 1) != 0;
  }

  /** Tries a small ring. */
  public static UringProbe probe() {
    return probe(ENTRIES_DEFAULT);
  }

  /**
   * Tries a ring of a size: a limit of locked memory may allow a small one and refuse a larger.
   *
   * @param entries submission entries, 1 to 32,768
   */
  public static UringProbe probe(int entries) {
    if (entries < 1 || entries > ENTRIES_MAX) {
      throw new IllegalArgumentException(
          "a ring has 1 to " + ENTRIES_MAX + " entries: entries=" + entries);
    }
    NativeLibrary.load();
    AtomicReference<UringProbe> result = new AtomicReference<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    // A ring with a single issuer belongs to the thread that made it, which a virtual thread does
    // not keep.
    Thread thread =
        Thread.ofPlatform()
            .name("gds-uring-probe")
            .uncaughtExceptionHandler((ignored, thrown) -> failure.set(thrown))
            .start(() -> result.set(tryRings(entries)));
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("the probe of io_uring failed", failure.get());
    }
    return result.get();
  }

  private static UringProbe tryRings(int entries) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ring = io_uring.allocate(arena);
      MemorySegment params = io_uring_params.allocate(arena);
      for (int flags : SETUP_FLAGS) {
        ring.fill((byte) 0);
        params.fill((byte) 0);
        io_uring_params.flags(params, flags);
        int result =
            LockedMemory.ask(
                ringBytes(entries),
                () -> Liburing.io_uring_queue_init_params(entries, ring, params));
        if (result == -Errno.EINVAL && flags != 0) {
          continue;
        }
        if (result < 0) {
          return refused(-result, entries, sysctl(), memlockLimit());
        }
        try {
          return examine(ring, flags, io_uring_params.features(params), arena);
        } finally {
          Liburing.io_uring_queue_exit(ring);
        }
      }
    }
    throw new AssertionError("the last set-up flags are 0");
  }

  private static UringProbe examine(MemorySegment ring, int flags, int features, Arena arena) {
    int result = completeNoOp(ring, arena);
    if (result < 0) {
      return unavailable(
          Reason.FAILED,
          "io_uring makes a ring but completes nothing: errno=" + Errno.name(-result));
    }
    return judge(flags, features, knownOperations(ring));
  }

  static UringProbe judge(int flags, int features, long operations) {
    for (Map.Entry<String, Integer> needed : NEEDED_OPERATIONS.entrySet()) {
      if ((operations >>> needed.getValue() & 1) == 0) {
        return new UringProbe(
            Reason.MISSING_OPERATION,
            "this kernel's io_uring is too old: operation=" + needed.getKey(),
            0,
            features,
            operations,
            0,
            0);
      }
    }
    return new UringProbe(
        Reason.AVAILABLE,
        "io_uring works: setup=" + names(flags),
        flags,
        features,
        operations,
        0,
        0);
  }

  private static String names(int flags) {
    StringBuilder names = new StringBuilder();
    if ((flags & Liburing.IORING_SETUP_SINGLE_ISSUER()) != 0) {
      names.append("SINGLE_ISSUER|");
    }
    if ((flags & Liburing.IORING_SETUP_DEFER_TASKRUN()) != 0) {
      names.append("DEFER_TASKRUN|");
    }
    if ((flags & Liburing.IORING_SETUP_COOP_TASKRUN()) != 0) {
      names.append("COOP_TASKRUN|");
    }
    return names.isEmpty() ? "none" : names.substring(0, names.length() - 1);
  }

  private static long knownOperations(MemorySegment ring) {
    MemorySegment probe = Liburing.io_uring_get_probe_ring(ring);
    if (probe.equals(MemorySegment.NULL)) {
      return 0;
    }
    try {
      long known = 0;
      int count = Math.min(Byte.toUnsignedInt(io_uring_probe.ops_len(probe)), Long.SIZE);
      long first = probe.address() + io_uring_probe.layout().byteSize();
      for (int i = 0; i < count; i++) {
        MemorySegment operation =
            Memory.view(first + i * io_uring_probe_op.sizeof(), io_uring_probe_op.sizeof());
        int number = Byte.toUnsignedInt(io_uring_probe_op.op(operation));
        if (number < Long.SIZE
            && (io_uring_probe_op.flags(operation) & Liburing.IO_URING_OP_SUPPORTED()) != 0) {
          known |= 1L << number;
        }
      }
      return known;
    } finally {
      Liburing.io_uring_free_probe(probe);
    }
  }

  /* Submits one no-op the way the page store does and returns its result, or -errno. */
  private static int completeNoOp(MemorySegment ring, Arena arena) {
    MemorySegment submissions = io_uring.sq(ring);
    MemorySegment completions = io_uring.cq(ring);
    long marker = 0x4744_5350_524f_4245L;

    MemorySegment entry = io_uring_sqe.allocate(arena);
    io_uring_sqe.opcode(entry, (byte) Liburing.IORING_OP_NOP());
    io_uring_sqe.user_data(entry, marker);
    long target = io_uring_sq.sqes(submissions).address();
    Memory.copyFrom(entry, 0, target, io_uring_sqe.sizeof());
    // Newer versions of liburing make rings without an index array.
    long array = io_uring_sq.array(submissions).address();
    if (array != 0) {
      Memory.putInt(array, 0);
    }
    // Partner: the kernel's acquiring read of the tail, after which it sees the entry.
    Memory.putIntRelease(io_uring_sq.ktail(submissions).address(), 1);

    int entered =
        Liburing.io_uring_enter(
            io_uring.ring_fd(ring), 1, 1, Liburing.IORING_ENTER_GETEVENTS(), MemorySegment.NULL);
    if (entered < 0) {
      return entered;
    }
    // Partner: the kernel's releasing write of the tail, after the completion.
    int tail = Memory.getIntAcquire(io_uring_cq.ktail(completions).address());
    if (entered != 1 || tail != 1) {
      return -Errno.EIO;
    }
    long completion = io_uring_cq.cqes(completions).address();
    MemorySegment found = Memory.view(completion, io_uring_cqe.sizeof());
    return io_uring_cqe.user_data(found) == marker ? io_uring_cqe.res(found) : -Errno.EIO;
  }

  /**
   * What a refused ring means.
   *
   * @param entries of the ring
   * @param sysctl value of kernel.io_uring_disabled, or -1 where the kernel has none
   * @param memlockLimitBytes limit of locked memory, or -1 for none
   */
  static UringProbe refused(int errno, int entries, int sysctl, long memlockLimitBytes) {
    if (errno == Errno.EPERM && sysctl > 0) {
      return unavailable(
          Reason.DISABLED_BY_SYSCTL,
          "io_uring is switched off on this machine: kernel.io_uring_disabled=" + sysctl);
    }
    if (errno == Errno.ENOSYS && sysctl < 0) {
      return unavailable(
          Reason.NOT_IN_KERNEL, "this kernel has no io_uring: errno=" + Errno.name(errno));
    }
    // A kernel with the sysctl has io_uring, so its absence is a filter's pretence.
    if (errno == Errno.EPERM || errno == Errno.EACCES || errno == Errno.ENOSYS) {
      return unavailable(
          Reason.FORBIDDEN,
          "io_uring is forbidden to this process, probably by the container's seccomp profile: "
              + "errno="
              + Errno.name(errno));
    }
    if (errno == Errno.ENOMEM) {
      long needed = ringBytes(entries);
      return new UringProbe(
          Reason.NO_MEMLOCK,
          "there is no memory for a ring in what is left of the limit of locked memory (ulimit -l):"
              + " needBytes="
              + needed
              + " haveBytes="
              + (memlockLimitBytes < 0 ? "unlimited" : Long.toString(memlockLimitBytes)),
          0,
          0,
          0,
          needed,
          memlockLimitBytes);
    }
    return unavailable(
        Reason.FAILED,
        "io_uring could not be set up, " + Errno.describe(errno) + ": errno=" + Errno.name(errno));
  }

  /* As the kernel counts it: entries in pages of their own, completions twice as many, behind the queue's heads. */
  private static long ringBytes(int entries) {
    long page = LinuxMemory.pageSizeBytes();
    long count = entries == 1 ? 1 : 2L * Integer.highestOneBit(entries - 1);
    long entryBytes = count * io_uring_sqe.sizeof();
    long queueBytes =
        io_uring_params.sizeof() + 2 * count * io_uring_cqe.sizeof() + count * Integer.BYTES;
    return (entryBytes + page - 1 & -page) + (queueBytes + page - 1 & -page);
  }

  private static UringProbe unavailable(Reason reason, String message) {
    return new UringProbe(reason, message, 0, 0, 0, 0, 0);
  }

  private static long memlockLimit() {
    try {
      return ResourceLimits.memlock().softBytes();
    } catch (ErrnoException e) {
      // Only for the message; the kernel's refusal is the outcome.
      return ResourceLimits.UNLIMITED;
    }
  }

  private static int sysctl() {
    // Read as a stream: files of /proc report no size, and reading them by size can stop short.
    try (InputStream in = Files.newInputStream(SYSCTL)) {
      return Integer.parseInt(new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip());
    } catch (IOException | NumberFormatException e) {
      // Before 6.6 there is none, and a container may hide it.
      return -1;
    }
  }
}
