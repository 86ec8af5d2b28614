package io.ewok.gds.allocator;

import java.lang.StackWalker.Option;
import java.lang.StackWalker.StackFrame;
import java.security.ProtectionDomain;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Where in the program a call of an allocator was made: the callers next to it, innermost first.
 * The allocator's own frames are left out.
 *
 * <p>Sites are shared: a program has few, however many allocations it makes. So what remembering
 * one costs is a reference.
 *
 * <p>Threads: any.
 */
final class AllocationSite {
  private static final int FRAMES_MAX = 8;

  /** More than this are not shared any more, so that they can go when their allocation does. */
  private static final int KNOWN_MAX = 1 << 14;

  private static final StackWalker WALKER = StackWalker.getInstance(Option.RETAIN_CLASS_REFERENCE);
  private static final String PACKAGE = AllocationSite.class.getPackageName();
  private static final ProtectionDomain ORIGIN = AllocationSite.class.getProtectionDomain();

  private static final ConcurrentHashMap<AllocationSite, AllocationSite> KNOWN =
      new ConcurrentHashMap<>();

  private final StackFrame[] frames;
  private final int hash;

  private AllocationSite(StackFrame[] frames) {
    this.frames = frames;
    int sum = 0;
    for (StackFrame frame : frames) {
      sum = 31 * sum + frame.getDeclaringClass().hashCode();
      sum = 31 * sum + frame.getByteCodeIndex();
    }
    this.hash = sum;
  }

  /** Returns where the caller of the allocator is. */
  static AllocationSite here() {
    AllocationSite site =
        new AllocationSite(
            WALKER.walk(
                frames ->
                    frames
                        .dropWhile(frame -> isOurs(frame.getDeclaringClass()))
                        .limit(FRAMES_MAX)
                        .toArray(StackFrame[]::new)));
    AllocationSite known = KNOWN.get(site);
    if (known == null && KNOWN.size() < KNOWN_MAX) {
      known = KNOWN.putIfAbsent(site, site);
    }
    return known == null ? site : known;
  }

  /** The tests are in the same package, but come from another place. */
  private static boolean isOurs(Class<?> type) {
    return type.getPackageName().equals(PACKAGE) && type.getProtectionDomain() == ORIGIN;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof AllocationSite that)
        || hash != that.hash
        || frames.length != that.frames.length) {
      return false;
    }
    for (int i = 0; i < frames.length; i++) {
      if (!same(frames[i], that.frames[i])) {
        return false;
      }
    }
    return true;
  }

  private static boolean same(StackFrame a, StackFrame b) {
    return a.getByteCodeIndex() == b.getByteCodeIndex()
        && a.getDeclaringClass() == b.getDeclaringClass()
        && a.getMethodName().equals(b.getMethodName())
        && a.getDescriptor().equals(b.getDescriptor());
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** Returns what errors tell of two sites, either of which may be null, unknown. */
  static String told(AllocationSite allocated, AllocationSite freed) {
    return (allocated == null ? "" : ", allocated at " + allocated)
        + (freed == null ? "" : ", freed at " + freed);
  }

  /** Returns the frames in one line. */
  @Override
  public String toString() {
    return Arrays.stream(frames)
        .map(frame -> frame.toStackTraceElement().toString())
        .collect(Collectors.joining(" < "));
  }
}
