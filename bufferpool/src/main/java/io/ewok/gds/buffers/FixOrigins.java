package io.ewok.gds.buffers;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Remembers where everything was fixed that is fixed now, for messages about what is never unfixed.
 *
 * <p>Threads: any.
 */
final class FixOrigins {
  private static final int TOLD_MAX = 8;

  private final Map<Fix, Origin> origins = new ConcurrentHashMap<>();

  /** Its stack trace tells where. */
  private static final class Origin extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient CachedFile file;
    private final long key;

    Origin(CachedFile file, long key) {
      super(
          "fixed here: thread=%s path=%s number=%d"
              .formatted(Thread.currentThread(), file.path(), key));
      this.file = file;
      this.key = key;
    }
  }

  void add(Fix fix, CachedFile file, long key) {
    origins.put(fix, new Origin(file, key));
  }

  void remove(Fix fix) {
    origins.remove(fix);
  }

  /** Adds some of the places where something in the pool, or in a file, was fixed. */
  void explain(Throwable failure, CachedFile fileOrNull) {
    origins.values().stream()
        .filter(origin -> fileOrNull == null || origin.file == fileOrNull)
        .limit(TOLD_MAX)
        .forEach(failure::addSuppressed);
  }

  /** Adds the places where a page was fixed. */
  void explain(Throwable failure, CachedFile file, long key) {
    origins.values().stream()
        .filter(origin -> origin.file == file && origin.key == key)
        .limit(TOLD_MAX)
        .forEach(failure::addSuppressed);
  }
}
