package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.RingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Which engine to open, and how large.
 *
 * @param wanted default AUTO; force a kind to compare engines, at the cost of an error where it is
 *     not available
 * @param queueDepth operations that the engine hands to the kernel at once, 1 to {@link
 *     #QUEUE_DEPTH_MAX}; default 64. More helps devices with many channels and costs latency when
 *     they are busy. What is submitted beyond it waits in the engine. Of several reactors each has
 *     as many.
 * @param poolThreads the most threads of the POOL engine, 1 to {@link #POOL_THREADS_MAX}; default
 *     64. Each is one operation at the device, so more than the queue depth are never used. They
 *     are started when there is work for them; more than the device has channels only cost stacks.
 * @param syncMethod how synced writes become durable; default AUTO, force one to skip the trials
 * @param reactors of the URING engine, default one; the queue depth of their rings is not used.
 *     What their rings want to poll and the kernel does not let is left out, and {@link
 *     IoEngine#description} says why
 * @param throttle the limits that the engine begins with; default none. {@link
 *     IoEngine#setThrottle} changes them.
 * @param keys for whoever keeps files by the engine; default {@link KeySource#NONE}, which encrypts
 *     nothing. The engine itself reads and writes bytes as they are.
 */
public record EngineOptions(
    EngineKind wanted,
    int queueDepth,
    int poolThreads,
    SyncMethod syncMethod,
    GroupOptions reactors,
    ThrottleOptions throttle,
    KeySource keys) {
  /** The largest queue depth. */
  public static final int QUEUE_DEPTH_MAX = 4096;

  /** The most threads of a pool. */
  public static final int POOL_THREADS_MAX = 1024;

  private static final Pattern NAMES = Pattern.compile("io\\..*");
  private static final String ENGINE = "io.engine";
  private static final String QUEUE_DEPTH = "io.queue-depth";
  private static final String POOL_THREADS = "io.pool-threads";
  private static final String SYNC_METHOD = "io.sync-method";
  private static final String SQ_POLL = "io.sq-poll";
  private static final String SQ_POLL_IDLE_MILLIS = "io.sq-poll-idle-ms";
  private static final String IO_POLL = "io.io-poll";
  private static final String REACTOR_NAME = "gds-io-reactor";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  ENGINE,
                  "auto",
                  "auto, uring or pool",
                  "the engine of all I/O: io_uring, or a pool of threads; auto is the best that"
                      + " works")
              .change(
                  "engines are compared, or the lack of io_uring has to be an error",
                  "an error where it is not available"),
          Setting.of(
                  QUEUE_DEPTH,
                  "64",
                  "1 to " + QUEUE_DEPTH_MAX + " operations",
                  "what the kernel has at once, of each reactor")
              .change("the device has many channels", "latency where they are busy"),
          Setting.of(
                  POOL_THREADS,
                  "64",
                  "1 to " + POOL_THREADS_MAX + " threads",
                  "the most threads of the pool engine; each is one operation at the device")
              .change("the device has more channels, or fewer", "a stack for each"),
          Setting.of(
                  SYNC_METHOD,
                  "auto",
                  "auto, dsync or fdatasync",
                  "how synced writes become durable; auto tries both on each device. All are safe")
              .change("the trials at the start are to be saved", "the slower one, if it is that"),
          Setting.of(
                  SQ_POLL,
                  "false",
                  "true or false",
                  "whether a thread of the kernel looks for new operations of a ring")
              .change(
                  "there is a CPU to spare and every call of the kernel counts",
                  "that CPU; slower where there is none to spare"),
          Setting.of(
                  SQ_POLL_IDLE_MILLIS,
                  "1000",
                  "milliseconds, from 1",
                  "how long that thread looks on after the last operation")
              .change("operations come with pauses", "its CPU for so long"),
          Setting.of(
                  IO_POLL,
                  "false",
                  "true or false",
                  "whether reactors ask the device for completions instead of sleeping; left out"
                      + " where the device cannot")
              .change(
                  "an NVMe device has queues for that (nvme.poll_queues)",
                  "a CPU that is always busy"));

  private static final EngineOptions DEFAULTS =
      new EngineOptions(
          EngineKind.AUTO,
          64,
          64,
          SyncMethod.AUTO,
          GroupOptions.defaults().withReactor(ReactorOptions.defaults().withName(REACTOR_NAME)),
          ThrottleOptions.UNLIMITED,
          KeySource.NONE);

  /** Checks the ranges. */
  public EngineOptions {
    Objects.requireNonNull(wanted, "wanted");
    Objects.requireNonNull(syncMethod, "syncMethod");
    Objects.requireNonNull(reactors, "reactors");
    Objects.requireNonNull(throttle, "throttle");
    Objects.requireNonNull(keys, "keys");
    if (queueDepth < 1 || queueDepth > QUEUE_DEPTH_MAX) {
      throw new IllegalArgumentException(
          "a queue depth is 1 to " + QUEUE_DEPTH_MAX + ": queueDepth=" + queueDepth);
    }
    if (poolThreads < 1 || poolThreads > POOL_THREADS_MAX) {
      throw new IllegalArgumentException(
          "a pool has 1 to " + POOL_THREADS_MAX + " threads: poolThreads=" + poolThreads);
    }
  }

  /** Returns the defaults. */
  public static EngineOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code io.}: {@code
   * io.engine} ({@code auto}, {@code uring} or {@code pool}), {@code io.queue-depth}, {@code
   * io.pool-threads} and {@code io.sync-method} ({@code auto}, {@code dsync} or {@code fdatasync});
   * of the rings {@code io.sq-poll} ({@code true} or {@code false}), {@code io.sq-poll-idle-ms} and
   * {@code io.io-poll}, see {@link RingOptions}; and what {@link GroupOptions#from} and {@link
   * ThrottleOptions#from} read. Others are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static EngineOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new EngineOptions(
        Settings.readEnum(settings, ENGINE, DEFAULTS.wanted),
        Settings.readInt(settings, QUEUE_DEPTH, DEFAULTS.queueDepth),
        Settings.readInt(settings, POOL_THREADS, DEFAULTS.poolThreads),
        Settings.readEnum(settings, SYNC_METHOD, DEFAULTS.syncMethod),
        reactors(settings),
        ThrottleOptions.from(settings),
        DEFAULTS.keys);
  }

  /** Returns what {@link #from} reads, with that of reactors, fibers and throttle. */
  public static List<Setting> settings() {
    List<Setting> all = new ArrayList<>(SETTINGS);
    all.addAll(GroupOptions.settings());
    all.addAll(ThrottleOptions.settings());
    return List.copyOf(all);
  }

  private static GroupOptions reactors(Map<String, String> settings) {
    GroupOptions group = GroupOptions.from(settings);
    int idleMillis = Settings.readInt(settings, SQ_POLL_IDLE_MILLIS, 1000);
    if (idleMillis < 1) {
      throw new IllegalArgumentException("at least 1: " + SQ_POLL_IDLE_MILLIS + "=" + idleMillis);
    }
    RingOptions ring =
        group
            .reactor()
            .ring()
            .withSqPollIdleMillis(Settings.readBoolean(settings, SQ_POLL, false) ? idleMillis : 0)
            .withIoPoll(Settings.readBoolean(settings, IO_POLL, false));
    return group.withReactor(group.reactor().withName(REACTOR_NAME).withRing(ring));
  }

  /** Returns these options with another engine wanted. */
  public EngineOptions withWanted(EngineKind wanted) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with another queue depth. */
  public EngineOptions withQueueDepth(int queueDepth) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with another number of pool threads. */
  public EngineOptions withPoolThreads(int poolThreads) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with another way to sync. */
  public EngineOptions withSyncMethod(SyncMethod syncMethod) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with other reactors. */
  public EngineOptions withReactors(GroupOptions reactors) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with other limits. */
  public EngineOptions withThrottle(ThrottleOptions throttle) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }

  /** Returns these options with other keys. */
  public EngineOptions withKeys(KeySource keys) {
    return new EngineOptions(wanted, queueDepth, poolThreads, syncMethod, reactors, throttle, keys);
  }
}
