package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How a reactor runs tasks.
 *
 * @param mode who runs the fibers; where this is {@link FiberMode#AUTO}, the system property {@code
 *     gds.fibers} decides, one of {@code auto}, {@code reactor} and {@code virtual}
 * @param count fibers for tasks from outside: this many of them run at a time and the others wait.
 *     Fibers are made when they are first needed and live until the reactor ends
 * @param max fibers altogether. A task from a reactor, forked or sent, is not made to wait for the
 *     end of another, which might wait for it in turn; it gets a fiber up to here, and is refused
 *     beyond
 * @param inbox tasks that were accepted and have not started. Who sends more waits, or is told
 * @param smallScratches blocks of {@link Task.Scratch#SMALL} memory
 * @param mediumScratches blocks of {@link Task.Scratch#MEDIUM} memory
 * @param largeScratches blocks of {@link Task.Scratch#LARGE} memory
 */
public record FiberOptions(
    FiberMode mode,
    int count,
    int max,
    int inbox,
    int smallScratches,
    int mediumScratches,
    int largeScratches) {
  private static final String PROPERTY = "gds.fibers";
  private static final String MODE = "fibers.mode";
  private static final String COUNT = "fibers.count";
  private static final String MAX = "fibers.max";
  private static final String INBOX = "fibers.inbox";
  private static final String SMALL = "fibers.scratch.small";
  private static final String MEDIUM = "fibers.scratch.medium";
  private static final String LARGE = "fibers.scratch.large";
  private static final Pattern NAMES = Pattern.compile("fibers\\..*");

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  MODE,
                  "auto",
                  "auto, reactor or virtual",
                  "who runs fibers: the reactor on its own thread, where the JVM lets it, or the JVM")
              .change(
                  "a start without the JVM's leave is to fail (reactor), or to be compared"
                      + " (virtual)",
                  "virtual: waking another thread for each task"),
          Setting.of(COUNT, "256", "from 1", "tasks from outside that a reactor runs at a time")
              .change("tasks wait for the device most of the time", "a stack for each"),
          Setting.of(
                  MAX,
                  "65536",
                  "from fibers.count",
                  "fibers of a reactor altogether; then tasks are" + " refused")
              .change("tasks fork many others", "a stack for each that runs"),
          Setting.of(INBOX, "4096", "from 1", "tasks that a reactor has accepted and not started")
              .change("tasks come in bursts", "what comes last waits longest"),
          Setting.of(
                  SMALL,
                  "1024",
                  "from 0",
                  "blocks of small scratch memory that tasks of a reactor" + " share")
              .change("tasks wait for scratch memory", "memory, used or not"),
          Setting.of(
                  MEDIUM,
                  "256",
                  "from 0",
                  "blocks of medium scratch memory that tasks of a reactor" + " share")
              .change("tasks wait for scratch memory", "memory, used or not"),
          Setting.of(
                  LARGE,
                  "32",
                  "from 0",
                  "blocks of large scratch memory that tasks of a reactor" + " share")
              .change("tasks wait for scratch memory", "memory, used or not"));

  /** Checks the numbers. */
  public FiberOptions {
    Objects.requireNonNull(mode, "mode");
    atLeast("count", count, 1);
    atLeast("max", max, count);
    atLeast("inbox", inbox, 1);
    atLeast("smallScratches", smallScratches, 0);
    atLeast("mediumScratches", mediumScratches, 0);
    atLeast("largeScratches", largeScratches, 0);
  }

  private static void atLeast(String name, int value, int min) {
    if (value < min) {
      throw new IllegalArgumentException(
          "the option is too small: min=" + min + " " + name + "=" + value);
    }
  }

  /** Returns the defaults. */
  public static FiberOptions defaults() {
    return new FiberOptions(FiberMode.AUTO, 256, 65_536, 4096, 1024, 256, 32);
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code fibers.}: {@code
   * fibers.mode} (one of {@code auto}, {@code reactor} and {@code virtual}), {@code fibers.count},
   * {@code fibers.max}, {@code fibers.inbox} and the numbers of blocks {@code
   * fibers.scratch.small}, {@code fibers.scratch.medium} and {@code fibers.scratch.large}. Others
   * are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static FiberOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    FiberOptions none = defaults();
    return new FiberOptions(
        Settings.read(settings, MODE, text -> mode(MODE, text), none.mode),
        Settings.readInt(settings, COUNT, none.count),
        Settings.readInt(settings, MAX, none.max),
        Settings.readInt(settings, INBOX, none.inbox),
        Settings.readInt(settings, SMALL, none.smallScratches),
        Settings.readInt(settings, MEDIUM, none.mediumScratches),
        Settings.readInt(settings, LARGE, none.largeScratches));
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  /** Returns these with another mode. */
  public FiberOptions withMode(FiberMode mode) {
    return new FiberOptions(
        mode, count, max, inbox, smallScratches, mediumScratches, largeScratches);
  }

  /** Returns these with other numbers of fibers. */
  public FiberOptions withFibers(int count, int max) {
    return new FiberOptions(
        mode, count, max, inbox, smallScratches, mediumScratches, largeScratches);
  }

  /** Returns these with room for another number of tasks that have not started. */
  public FiberOptions withInbox(int inbox) {
    return new FiberOptions(
        mode, count, max, inbox, smallScratches, mediumScratches, largeScratches);
  }

  /** Returns these with other numbers of blocks of scratch memory. */
  public FiberOptions withScratches(int small, int medium, int large) {
    return new FiberOptions(mode, count, max, inbox, small, medium, large);
  }

  /**
   * Decides who runs the fibers.
   *
   * @return whether the reactor does
   * @throws IllegalStateException if it has to and the JVM does not let it; the message says what
   *     the JVM has to be started with
   */
  boolean reactorRuns() {
    FiberMode wanted = mode == FiberMode.AUTO ? property() : mode;
    if (wanted == FiberMode.REACTOR && FiberThreads.reason() != null) {
      throw new IllegalStateException(
          "reactors cannot run fibers here, fibers=reactor: " + FiberThreads.reason());
    }
    return wanted != FiberMode.VIRTUAL && FiberThreads.reason() == null;
  }

  private static FiberMode property() {
    return mode(PROPERTY, System.getProperty(PROPERTY, "auto"));
  }

  private static FiberMode mode(String name, String text) {
    try {
      return FiberMode.valueOf(text.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "one of auto, reactor and virtual: " + name + "=" + text, e);
    }
  }
}
