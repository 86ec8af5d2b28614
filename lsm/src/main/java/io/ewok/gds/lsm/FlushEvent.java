package io.ewok.gds.lsm;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A memtable was written as tables. */
@Name("io.ewok.gds.StoreFlush")
@Label("Store Flush")
@Category("GDS")
@StackTrace(false)
final class FlushEvent extends Event {
  @Label("Store")
  String path;

  @Label("Tables")
  int tables;

  @Label("Written")
  @DataAmount
  long bytes;
}
