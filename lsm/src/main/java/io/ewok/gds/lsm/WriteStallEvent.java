package io.ewok.gds.lsm;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A write waited for the background thread. */
@Name("io.ewok.gds.StoreWriteStall")
@Label("Store Write Stall")
@Category("GDS")
@Description("A write of a store waited for its background thread")
final class WriteStallEvent extends Event {
  @Label("Store")
  String path;

  @Label("Reason")
  String reason;
}
