package io.ewok.gds.cli;

import io.ewok.gds.buffers.CorruptPageException;
import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.SlottedPage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * One page as people and programs see it.
 *
 * @param bytes of the page, all zeros if it cannot be read
 * @param encrypted whether they are, all but the header
 * @param defectOrNull what is wrong with it
 */
record PageView(
    long number, PageSize size, MemorySegment bytes, boolean encrypted, String defectOrNull) {
  static final String LIST_HEAD =
      "      page state                  lsn  items   free  prune_xid  flags";

  private static final int PREVIEW_BYTES = 16;

  static PageView unreadable(long number, PageSize size, IOException e) {
    MemorySegment zeros = MemorySegment.ofArray(new byte[size.bytes()]);
    return new PageView(number, size, zeros, false, "it cannot be read: " + e.getMessage());
  }

  boolean isNeverWritten() {
    return defectOrNull == null && PageFormat.isNeverWritten(bytes);
  }

  /** One line of a list. */
  String line() {
    String line = "%10d %-12s".formatted(number, state().replace('_', ' '));
    if (defectOrNull != null) {
      return line + " " + defectOrNull;
    }
    boolean slotted = noItemsBecause() == null;
    return line
        + " %13s  %5s  %5s  %9d  %s"
            .formatted(
                Long.toUnsignedString(PageFormat.lsn(bytes)),
                slotted ? SlottedPage.itemCount(bytes) : "-",
                slotted ? SlottedPage.freeBytes(bytes) : "-",
                PageFormat.pruneXid(bytes),
                flags());
  }

  /** Header, items and bytes. */
  void print(Streams streams) {
    Table table = new Table();
    table.row("page", number + ", at byte " + number * size.bytes());
    table.row("state", state().replace('_', ' ') + (bad() ? ": " + defectOrNull : ""));
    if (!isNeverWritten()) {
      header(table);
    }
    streams.out(table.toString());
    if (!isNeverWritten()) {
      items(streams);
    }
    streams.out("\n" + HexText.of(bytes));
  }

  void json(JsonOutput output, boolean withBytes) {
    boolean slotted = !isNeverWritten() && noItemsBecause() == null;
    List<Integer> offsets = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    for (int slot = 0; slotted && slot < SlottedPage.itemCount(bytes); slot++) {
      offsets.add(SlottedPage.offset(bytes, slot));
      lengths.add(SlottedPage.length(bytes, slot));
    }
    output.line(
        line -> {
          line.number("page", number)
              .number("offset", number * size.bytes())
              .text("state", state());
          if (encrypted) {
            line.flag("encrypted", true);
          }
          if (bad()) {
            line.text("reason", defectOrNull);
          }
          line.number("version", PageFormat.version(bytes))
              .number("size_code", PageFormat.sizeCode(bytes))
              .number("flags", PageFormat.flags(bytes))
              .number("checksum", PageFormat.checksum(bytes))
              .number("prune_xid", PageFormat.pruneXid(bytes))
              .number("lsn", PageFormat.lsn(bytes))
              .number("lower", PageFormat.lower(bytes))
              .number("upper", isNeverWritten() ? 0 : PageFormat.upper(bytes))
              .number("special", PageFormat.special(bytes));
          if (slotted) {
            line.number("free_bytes", SlottedPage.freeBytes(bytes))
                .numbers("item_offsets", offsets)
                .numbers("item_lengths", lengths);
          }
          if (withBytes) {
            line.text("hex", ByteText.hex(bytes.toArray(ValueLayout.JAVA_BYTE)));
          }
        });
  }

  private boolean bad() {
    return defectOrNull != null;
  }

  private String state() {
    if (bad()) {
      return "bad";
    }
    if (isNeverWritten()) {
      return "never_written";
    }
    return (PageFormat.flags(bytes) & PageFormat.FLAG_FREE) != 0 ? "free" : "written";
  }

  private String flags() {
    int flags = PageFormat.flags(bytes);
    List<String> names = new ArrayList<>();
    if ((flags & PageFormat.FLAG_FREE) != 0) {
      names.add("free");
    }
    if ((flags & PageFormat.FLAG_UNUSED_ITEMS) != 0) {
      names.add("unused items");
    }
    if ((flags & PageFormat.FLAG_KEEPS_FREED) != 0) {
      names.add("keeps freed bytes");
    }
    return "0x%02x %s".formatted(flags, String.join(", ", names)).strip();
  }

  private void header(Table table) {
    table.row(
        "layout",
        "version %d, size code %d"
            .formatted(PageFormat.version(bytes), PageFormat.sizeCode(bytes)));
    table.row("flags", flags());
    table.row("checksum", String.valueOf(PageFormat.checksum(bytes)));
    table.row("prune_xid", orNone(PageFormat.pruneXid(bytes)));
    table.row("lsn", Long.toUnsignedString(PageFormat.lsn(bytes)));
    table.row("lower", String.valueOf(PageFormat.lower(bytes)));
    table.row("upper", String.valueOf(PageFormat.upper(bytes)));
    table.row("special", orNone(PageFormat.special(bytes)));
  }

  private void items(Streams streams) {
    String reason = noItemsBecause();
    if (reason != null) {
      streams.out("\nno items: " + reason + "\n");
      return;
    }
    int count = SlottedPage.itemCount(bytes);
    streams.out(
        "\n%s items, %s bytes free\n"
            .formatted(Units.count(count), Units.count(SlottedPage.freeBytes(bytes))));
    for (int slot = 0; slot < count; slot++) {
      MemorySegment tuple = SlottedPage.readOrNull(bytes, slot);
      streams.out(
          tuple == null
              ? "%6d  unused\n".formatted(slot)
              : "%6d  at %5d, %5d bytes  %s\n"
                  .formatted(
                      slot, SlottedPage.offset(bytes, slot), tuple.byteSize(), preview(tuple)));
    }
  }

  /** Why the page is not one with items, or null if it is. */
  private String noItemsBecause() {
    if (number == 0) {
      return "this is the file's own page";
    }
    if (encrypted) {
      return "the page is encrypted, and its key is not among those given";
    }
    try {
      SlottedPage.check(bytes);
      return null;
    } catch (CorruptPageException e) {
      return e.getMessage();
    }
  }

  private static String preview(MemorySegment tuple) {
    boolean cut = tuple.byteSize() > PREVIEW_BYTES;
    MemorySegment start = cut ? tuple.asSlice(0, PREVIEW_BYTES) : tuple;
    return HexText.line(start) + (cut ? " ..." : "");
  }

  private static String orNone(long value) {
    return value == 0 ? "none" : String.valueOf(value);
  }
}
