package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.Placement;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** Memory of a region is not where it was wanted. */
@Name("io.ewok.gds.PlacementDegraded")
@Label("Placement Degraded")
@Description("Memory is not placed on NUMA nodes as requested, or that could not be verified")
@Category({"GDS", "Memory"})
final class PlacementDegradedEvent extends Event {
  @Label("Size")
  @DataAmount
  long bytes;

  @Label("Requested Policy")
  String requested;

  @Label("Effective Policy")
  String effective;

  @Label("Reason")
  String reason;

  @Label("Pages by Node")
  String pagesByNode;

  /** Commits an event if there is something to tell. */
  static void report(long bytes, Placement placement) {
    PlacementDegradedEvent event = new PlacementDegradedEvent();
    if (placement.isDegraded() && event.shouldCommit()) {
      event.bytes = bytes;
      event.requested = placement.requested().toString();
      event.effective = placement.effective().toString();
      event.reason = placement.reason();
      event.pagesByNode = placement.pagesByNode().toString();
      event.commit();
    }
  }
}
