package io.ewok.gds.allocator;

import java.lang.System.Logger.Level;
import java.util.stream.Collectors;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** An allocator was closed with allocations in it. */
@Name("io.ewok.gds.Leak")
@Label("Leak")
@Description("An allocator was closed before everything in it was freed")
@Category({"GDS", "Memory"})
final class LeakEvent extends Event {
  private static final System.Logger LOG = System.getLogger(LeakEvent.class.getPackageName());

  @Label("Pool")
  String pool;

  @Label("Allocations")
  long count;

  @Label("Size")
  @DataAmount
  long bytes;

  @Label("Sites")
  @Description("Where the allocations were made, one place a line; empty unless that was recorded")
  String sites;

  /** Tells the log and the flight recorder, unless the report is empty. */
  static void tell(LeakReport report) {
    if (report.isEmpty()) {
      return;
    }
    LOG.log(Level.WARNING, report::toString);
    LeakEvent event = new LeakEvent();
    event.pool = report.pool();
    event.count = report.count();
    event.bytes = report.bytes();
    event.sites =
        report.sites().stream().map(LeakReport.Site::toString).collect(Collectors.joining("\n"));
    event.commit();
  }
}
