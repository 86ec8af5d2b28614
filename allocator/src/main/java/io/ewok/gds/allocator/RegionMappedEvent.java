package io.ewok.gds.allocator;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A region was mapped or reserved; lasts as long as that took, touching included. */
@Name("io.ewok.gds.RegionMapped")
@Label("Region Mapped")
@Description("A region of off-heap memory was mapped or its address space reserved")
@Category({"GDS", "Memory"})
final class RegionMappedEvent extends Event {
  @Label("Size")
  @DataAmount
  long bytes;

  @Label("Reserved")
  @Description("Address space only, memory comes piece by piece")
  boolean reserved;

  @Label("Requested Pages")
  String requestedPages;

  @Label("Effective Pages")
  String effectivePages;

  @Label("Pages Reason")
  @Description("Why the effective pages are not the requested ones")
  String pagesReason;

  @Label("Placement")
  String placement;

  void end(Region region) {
    if (shouldCommit()) {
      bytes = region.sizeBytes();
      reserved = region.isReserved();
      requestedPages = region.pages().requested().toString();
      effectivePages = region.pages().effective().toString();
      pagesReason = region.pages().reason();
      placement = region.placementFound().effective().toString();
      commit();
    }
  }
}
