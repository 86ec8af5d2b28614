package io.ewok.gds.allocator;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What is allocated and has not been freed. An allocator that is closed with anything in it logs a
 * report as a warning, under the name of this package, and writes it as the event {@code
 * io.ewok.gds.Leak} of the flight recorder.
 *
 * <p>A value; threads: any.
 *
 * @param pool the allocator
 * @param count how many allocations
 * @param bytes what they hold, in bytes
 * @param sites where they were made, most bytes first; empty unless {@link DebugLetters#sites} is
 *     on
 */
public record LeakReport(String pool, long count, long bytes, List<Site> sites) {

  /** Of a longer list the rest adds nothing that could be read. */
  private static final int SITES_SHOWN = 16;

  /** Copies the list. */
  public LeakReport {
    Objects.requireNonNull(pool, "pool");
    sites = List.copyOf(sites);
  }

  /**
   * Allocations made in one place.
   *
   * @param where the caller and those who called it, innermost first, in one line
   * @param count how many allocations
   * @param bytes what they hold, in bytes
   */
  public record Site(String where, long count, long bytes) {

    /** Returns it in one line. */
    @Override
    public String toString() {
      return "%d of %d bytes at %s".formatted(count, bytes, where);
    }
  }

  /** Returns whether there is nothing. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** Returns it in one line, the sites with most bytes included. */
  @Override
  public String toString() {
    String shown =
        sites.stream().limit(SITES_SHOWN).map(Site::toString).collect(Collectors.joining("; "));
    return "%d allocations of %d bytes not freed in %s%s"
        .formatted(count, bytes, pool, shown.isEmpty() ? "" : ": " + shown);
  }

  /** Gathers live allocations. Confined to one thread. */
  static final class Builder {
    private final Map<AllocationSite, long[]> countAndBytes = new HashMap<>();
    private long count;
    private long bytes;

    /**
     * Adds one.
     *
     * @param site null if it is not known
     */
    void add(long bytes, AllocationSite site) {
      this.count++;
      this.bytes += bytes;
      if (site != null) {
        long[] sums = countAndBytes.computeIfAbsent(site, _ -> new long[2]);
        sums[0]++;
        sums[1] += bytes;
      }
    }

    LeakReport build(String pool) {
      return new LeakReport(
          pool,
          count,
          bytes,
          countAndBytes.entrySet().stream()
              .map(
                  each ->
                      new Site(each.getKey().toString(), each.getValue()[0], each.getValue()[1]))
              .sorted(Comparator.comparingLong(Site::bytes).reversed())
              .toList());
    }
  }
}
