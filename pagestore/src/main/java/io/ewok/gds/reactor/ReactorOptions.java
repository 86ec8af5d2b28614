package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * How a reactor is made.
 *
 * <p>Threads: any; immutable.
 *
 * <pre>{@code
 * ReactorOptions options = ReactorOptions.defaults().withName("orders").withCpus(Set.of(3));
 * }</pre>
 *
 * <p>Errors: {@link IllegalArgumentException} for what cannot be, ending in {@code name=value}.
 *
 * @param name of the thread
 * @param cpus where the thread may run; empty for anywhere. Pin it to a CPU of its own, or not at
 *     all: whatever else runs there stops it
 * @param timerTickNanos how late a timer may be, at least 1,000. Less makes more wake-ups
 * @param overflowCount operations that may wait for the kernel, at least 1. More lets bursts pass;
 *     then who submits waits
 * @param stallNanos how long a callback, a task or a fiber may keep the reactor before it is
 *     reported, at least 1,000,000
 * @param ring its ring
 * @param fibers how it runs tasks
 */
public record ReactorOptions(
    String name,
    Set<Integer> cpus,
    long timerTickNanos,
    int overflowCount,
    long stallNanos,
    RingOptions ring,
    FiberOptions fibers) {
  private static final String CPUS = "reactor.cpus";
  private static final String TIMER_TICK_MICROS = "reactor.timer-tick-us";
  private static final String OVERFLOW = "reactor.overflow";
  private static final String STALL_MILLIS = "reactor.stall-ms";
  private static final String REAP_MAX = "reactor.reap-max";
  private static final Pattern NAMES = Pattern.compile("reactor\\..*");
  private static final int CPUS_MAX = 8192;

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  CPUS,
                  "",
                  "CPUs, such as 0-3,8; none for anywhere",
                  "where the threads of reactors run, dealt out to them in turn")
              .change(
                  "these CPUs have nothing else to do", "whatever else runs there stops a reactor"),
          Setting.of(TIMER_TICK_MICROS, "1000", "microseconds, from 1", "how late a timer may be")
              .change("timers have to be exact", "more wake-ups"),
          Setting.of(OVERFLOW, "4096", "from 1", "operations of a reactor that wait for the kernel")
              .change("work comes in bursts", "what comes last waits longest"),
          Setting.of(
                  STALL_MILLIS,
                  "10",
                  "milliseconds, from 1",
                  "how long one callback or task may keep a reactor before that is reported")
              .change("stalls are looked for, or are known", "more reports, or fewer"),
          Setting.of(
                  REAP_MAX,
                  "4",
                  "from 1",
                  "completions that a reactor takes before it hands new operations over")
              .change(
                  "calls of the kernel cost more than an idle device",
                  "the device runs empty more often"));

  /** Checks. */
  public ReactorOptions {
    Objects.requireNonNull(name, "name");
    cpus = Set.copyOf(cpus);
    Objects.requireNonNull(ring, "ring");
    Objects.requireNonNull(fibers, "fibers");
    for (int cpu : cpus) {
      if (cpu < 0 || cpu >= CPUS_MAX) {
        throw new IllegalArgumentException("from 0 to 8191: cpu=" + cpu);
      }
    }
    if (timerTickNanos < 1000) {
      throw new IllegalArgumentException("at least 1000: timerTickNanos=" + timerTickNanos);
    }
    if (overflowCount < 1) {
      throw new IllegalArgumentException("at least 1: overflowCount=" + overflowCount);
    }
    if (stallNanos < 1_000_000) {
      throw new IllegalArgumentException("at least 1000000: stallNanos=" + stallNanos);
    }
  }

  /**
   * Returns the defaults: anywhere, timers late by at most a millisecond, 4,096 operations wait,
   * stalls of 10 milliseconds are reported.
   */
  public static ReactorOptions defaults() {
    return new ReactorOptions(
        "gds-reactor",
        Set.of(),
        TimeUnit.MILLISECONDS.toNanos(1),
        4096,
        TimeUnit.MILLISECONDS.toNanos(10),
        RingOptions.defaults(),
        FiberOptions.defaults());
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code reactor.}: {@code
   * reactor.cpus} (as in {@code 0-3,8}), {@code reactor.timer-tick-us}, {@code reactor.overflow},
   * {@code reactor.stall-ms} and {@code reactor.reap-max}; fibers as {@link FiberOptions#from} has
   * them. Others are passed over: those of {@link GroupOptions}, and those that are not ours.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static ReactorOptions from(Map<String, String> settings) {
    Set<String> known = new HashSet<>(Setting.names(SETTINGS));
    known.addAll(Set.of(GroupOptions.COUNT, GroupOptions.NODES));
    Settings.requireKnown(settings, NAMES, known);
    ReactorOptions none = defaults();
    RingOptions ring = none.ring;
    return new ReactorOptions(
        none.name,
        Settings.read(settings, CPUS, text -> list(CPUS, text), none.cpus),
        TimeUnit.MICROSECONDS.toNanos(Settings.readInt(settings, TIMER_TICK_MICROS, 1000)),
        Settings.readInt(settings, OVERFLOW, none.overflowCount),
        TimeUnit.MILLISECONDS.toNanos(Settings.readInt(settings, STALL_MILLIS, 10)),
        ring.withReapMax(Settings.readInt(settings, REAP_MAX, ring.reapMax())),
        FiberOptions.from(settings));
  }

  /** Returns what {@link #from} reads, with that of the fibers. */
  public static List<Setting> settings() {
    List<Setting> all = new ArrayList<>(SETTINGS);
    all.addAll(FiberOptions.settings());
    return List.copyOf(all);
  }

  /** Reads numbers of CPUs or nodes. */
  static Set<Integer> list(String setting, String text) {
    Set<Integer> numbers = new TreeSet<>();
    for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
      String[] ends = part.trim().split("-", -1);
      try {
        int first = Integer.parseInt(ends[0]);
        int last = Integer.parseInt(ends[ends.length - 1]);
        if (ends.length > 2 || first < 0 || last < first || last >= CPUS_MAX) {
          throw new NumberFormatException("not a range");
        }
        for (int number = first; number <= last; number++) {
          numbers.add(number);
        }
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("a list is as in 0-3,8: " + setting + "=" + text, e);
      }
    }
    return numbers;
  }

  /** Returns these with another name. */
  public ReactorOptions withName(String name) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with other CPUs. */
  public ReactorOptions withCpus(Set<Integer> cpus) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with another tick of timers. */
  public ReactorOptions withTimerTickNanos(long timerTickNanos) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with another bound of operations that wait. */
  public ReactorOptions withOverflowCount(int overflowCount) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with another threshold of stalls. */
  public ReactorOptions withStallNanos(long stallNanos) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with another ring. */
  public ReactorOptions withRing(RingOptions ring) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }

  /** Returns these with another way to run tasks. */
  public ReactorOptions withFibers(FiberOptions fibers) {
    return new ReactorOptions(name, cpus, timerTickNanos, overflowCount, stallNanos, ring, fibers);
  }
}
