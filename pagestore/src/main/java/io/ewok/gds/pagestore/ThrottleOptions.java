package io.ewok.gds.pagestore;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * How much of a device an engine may use: caps on all its work together, and limits by class. A
 * transfer waits until every cap that applies to it admits it.
 *
 * @param read cap on all reads; default none
 * @param write cap on all writes; default none. Syncs are not charged.
 * @param classes limits by class; what is missing has {@link ClassLimits#NONE}
 */
public record ThrottleOptions(IoRate read, IoRate write, Map<WorkClass, ClassLimits> classes) {
  /** No limits: the engine does not look at classes, and transfers take the shortest way. */
  public static final ThrottleOptions UNLIMITED =
      new ThrottleOptions(IoRate.UNLIMITED, IoRate.UNLIMITED, Map.of());

  /** Takes a copy of the map, without entries that limit nothing. */
  public ThrottleOptions {
    Objects.requireNonNull(read, "read");
    Objects.requireNonNull(write, "write");
    EnumMap<WorkClass, ClassLimits> limiting = new EnumMap<>(WorkClass.class);
    limiting.putAll(classes);
    limiting.values().removeIf(ClassLimits.NONE::equals);
    classes = Map.copyOf(limiting);
  }

  /** Returns the limits of a class. */
  public ClassLimits of(WorkClass work) {
    return classes.getOrDefault(work, ClassLimits.NONE);
  }

  /** Returns these options with another cap on all reads. */
  public ThrottleOptions withRead(IoRate read) {
    return new ThrottleOptions(read, write, classes);
  }

  /** Returns these options with another cap on all writes. */
  public ThrottleOptions withWrite(IoRate write) {
    return new ThrottleOptions(read, write, classes);
  }

  /** Returns these options with other limits of one class. */
  public ThrottleOptions with(WorkClass work, ClassLimits limits) {
    EnumMap<WorkClass, ClassLimits> changed = new EnumMap<>(WorkClass.class);
    changed.putAll(classes);
    changed.put(work, limits);
    return new ThrottleOptions(read, write, changed);
  }
}
