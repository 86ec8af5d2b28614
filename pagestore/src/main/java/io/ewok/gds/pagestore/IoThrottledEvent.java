package io.ewok.gds.pagestore;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A cap held a transfer back for long. Its thread has gone on since: no stack. */
@Name("io.ewok.gds.IoThrottled")
@Label("I/O Throttled")
@Category("GDS")
@Description("A cap held a transfer back for longer than the threshold")
@StackTrace(false)
final class IoThrottledEvent extends Event {
  /** Shorter waits are counted only. */
  static final long THRESHOLD_NANOS = 10_000_000;

  @Label("Class of Work")
  String workClass;

  @Label("Waited")
  @Timespan(Timespan.NANOSECONDS)
  long waitedNanos;

  @Label("Cap")
  @Description("The setting, and which of its two numbers, that admitted the transfer last")
  String cap;
}
