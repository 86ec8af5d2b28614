package io.ewok.gds.allocator;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A request that did not fit at once; lasts until it was granted or given up. */
@Name("io.ewok.gds.BudgetWait")
@Label("Budget Wait")
@Description("A request for memory waited for room in its budget")
@Category({"GDS", "Memory"})
final class BudgetWaitEvent extends Event {
  @Label("Budget")
  String budget;

  @Label("Requested Size")
  @DataAmount
  long bytes;

  @Label("Outcome")
  @Description("granted, canceled, timeout, interrupted or closed")
  String outcome;
}
