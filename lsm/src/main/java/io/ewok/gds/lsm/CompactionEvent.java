package io.ewok.gds.lsm;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Tables were merged, moved to another level or dropped. */
@Name("io.ewok.gds.StoreCompaction")
@Label("Store Compaction")
@Category("GDS")
@StackTrace(false)
final class CompactionEvent extends Event {
  @Label("Store")
  String path;

  @Label("Family")
  String family;

  @Label("Level")
  int level;

  @Label("Output Level")
  int outputLevel;

  @Label("Kind")
  String kind;

  @Label("Read")
  @DataAmount
  long bytesRead;

  @Label("Written")
  @DataAmount
  long bytesWritten;
}
