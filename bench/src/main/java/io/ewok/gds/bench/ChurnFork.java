package io.ewok.gds.bench;

import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.Arrays;
import java.util.Objects;

/**
 * The main class of a fresh JVM in which one contender churns, so that what the process grows by is
 * the contender's. Prints one {@link Sample} as its last line.
 */
final class ChurnFork {
  /** Profile: sizes of {@link SizeMix}. */
  static final String MIXED = "mixed sizes";

  /** Profile: frames of 4 KiB alone. */
  static final String FRAMES = "4 KiB frames";

  /** Few, since not every rival gives its memory back. */
  private static final int WARM_UP_LIVE = 256;

  private ChurnFork() {}

  /**
   * What one fork measured. Numbers that a contender does not have are -1.
   *
   * @param nanosPerStep time of one free and one allocation; the first bytes of each block are
   *     written
   * @param requestedBytes what the live blocks asked for, after a churn in which all bytes were
   *     written
   * @param usedBytes what they take, rounding included
   * @param committedBytes what the allocator holds for blocks, by its own account
   * @param residentBytes what the kernel says is in memory of the allocator's mappings
   * @param grownBytes by how much the resident memory of the process grew, the Java heap aside
   * @param heapBytes by how much live objects in the Java heap grew, the slots included
   */
  record Sample(
      double nanosPerStep,
      long requestedBytes,
      long usedBytes,
      long committedBytes,
      long residentBytes,
      long grownBytes,
      long heapBytes) {

    /** Returns what {@link #parse} understands. */
    String toLine() {
      return nanosPerStep
          + " %d %d %d %d %d %d"
              .formatted(
                  requestedBytes, usedBytes, committedBytes, residentBytes, grownBytes, heapBytes);
    }

    static Sample parse(String line) {
      String[] words = line.split(" ", -1);
      long[] numbers = Arrays.stream(words, 1, words.length).mapToLong(Long::parseLong).toArray();
      return new Sample(
          Double.parseDouble(words[0]),
          numbers[0],
          numbers[1],
          numbers[2],
          numbers[3],
          numbers[4],
          numbers[5]);
    }

    /** Returns all that the contender costs the process, less than nothing being nothing. */
    long memoryBytes() {
      return Math.max(0, grownBytes) + Math.max(0, heapBytes);
    }
  }

  /** Arguments: contender, profile, live blocks, steps. */
  public static void main(String[] args) throws InterruptedException {
    Sample[] sample = new Sample[1];
    int live = Integer.parseInt(args[2]);
    long steps = Long.parseLong(args[3]);
    Thread thread = new FastThreadLocalThread(() -> sample[0] = run(args[0], args[1], live, steps));
    thread.start();
    thread.join();
    System.out.println(Objects.requireNonNull(sample[0], "the churn failed").toLine());
  }

  /** Churns twice: first all bytes are written and memory is measured, then the clock runs. */
  static Sample run(String name, String profile, int live, long steps) {
    AllocationSuite.polluteProfiles();
    int[] sizes = sizes(profile);
    warmUp(name, sizes, steps);
    long heapBefore = heapBytes();
    long processBefore = ResidentMemory.bytes();
    Contender contender = Contenders.open(name, live);
    Contender.Slots slots = contender.slots();
    Churn churn = new Churn(slots, sizes, live);
    churn.fill();
    for (long i = 0; i < steps; i++) {
      churn.stepWriting();
    }
    long grown = ResidentMemory.bytes() - processBefore;
    long resident = contender.residentBytes();
    long heapGrown = heapBytes() - heapBefore;
    long requested = churn.requestedBytes();
    long used = contender.usedBytes();
    long committed = contender.committedBytes();
    double nanos = nanosPerStep(churn, steps);
    churn.drain();
    slots.leave();
    contender.close();
    return new Sample(nanos, requested, used, committed, resident, grown, heapGrown);
  }

  /** Lets the JVM compile what it will run, so that it grows by that before it is watched. */
  private static void warmUp(String name, int[] sizes, long steps) {
    Contender contender = Contenders.open(name, WARM_UP_LIVE);
    Contender.Slots slots = contender.slots();
    Churn churn = new Churn(slots, sizes, WARM_UP_LIVE);
    churn.fill();
    for (long i = 0; i < steps / 2; i++) {
      churn.stepWriting();
    }
    churn.drain();
    slots.leave();
    contender.close();
  }

  private static double nanosPerStep(Churn churn, long steps) {
    step(churn, steps / 2);
    long start = System.nanoTime();
    step(churn, steps);
    return (double) (System.nanoTime() - start) / steps;
  }

  private static void step(Churn churn, long steps) {
    for (long i = 0; i < steps; i++) {
      churn.step();
    }
  }

  private static int[] sizes(String profile) {
    return switch (profile) {
      case MIXED -> SizeMix.sizes(Churn.SIZES, 1);
      case FRAMES -> {
        int[] sizes = new int[Churn.SIZES];
        Arrays.fill(sizes, 4096);
        yield sizes;
      }
      default -> throw new IllegalArgumentException("no such profile: profile=" + profile);
    };
  }

  /** Returns the bytes of the objects that are alive. */
  private static long heapBytes() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
