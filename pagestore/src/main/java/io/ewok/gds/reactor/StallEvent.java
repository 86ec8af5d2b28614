package io.ewok.gds.reactor;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * Something kept a reactor from its other work. The stack is text, since it is of another thread.
 */
@Name("io.ewok.gds.ReactorStall")
@Label("Reactor Stall")
@Category("GDS")
@Description("A task, fiber or callback kept a reactor's thread for longer than the threshold")
@StackTrace(false)
final class StallEvent extends Event {
  @Label("Reactor")
  String reactor;

  @Label("Running")
  String running;

  @Label("At Least")
  @Timespan(Timespan.NANOSECONDS)
  long atLeastNanos;

  @Label("Stack")
  String stack;
}
